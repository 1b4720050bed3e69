import ShardIO
import Testing

@testable import TextInput

struct `Queries for duckdb` {
  @Test(arguments: [
    ("select 1", [], "select 1"), ("select 1 ;\n ", [], "select 1 "),
    ("attach 'a;b' as s; select ';' from s", ["attach 'a;b' as s"], " select ';' from s"),
    (
      "-- one; two\nload x; /* ; */ select \"a;b\", 'it''s; ' -- ;", ["-- one; two\nload x"],
      " /* ; */ select \"a;b\", 'it''s; ' -- ;"
    ),
  ])
  func `write the rows of the last statement`(sql: String, before: [String], last: String) {
    let own = ["set enable_progress_bar = false", "set timezone = 'UTC'"]
    let copy = "copy (\(last)\n) to '/dev/stdout' (format csv, header)"
    #expect(DuckDB.statements(sql, .csv) == (own + before + [copy]).joined(separator: ";\n"))
  }

  @Test func `name a file as a literal, and no pattern`() throws {
    #expect(
      try DuckDB.query(parquet: "it's.parquet") == "select * from read_parquet('it''s.parquet')")
    #expect(throws: PipelineError.self) { try DuckDB.query(parquet: "part[1].parquet") }
  }
}
