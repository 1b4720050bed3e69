import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Evaluate

@Suite struct SchemaTests {
  let validator: SchemaValidator

  init() throws {
    let path = packageDirectory.appending("Documentation").appending("report.schema.json")
    validator = SchemaValidator(
      root: try JSONValue(parsing: try readWholeFile(path), path: path.string))
  }

  @Test(arguments: [true, false])
  func `every report follows the published schema`(withOther: Bool) throws {
    let report = try SampleReport.json(withOther: withOther)
    let bytes = try report.json()
    let problems = try validator.problems(JSONValue(parsing: bytes, path: "report.json"))
    #expect(problems == [])
  }

  /// Changes that break the contract, and where the validator must notice them.
  static let damages: [(path: [String], value: JSONValue, problem: String)] = [
    (["format"], 2, "/format: const"),
    (["split"], "train", "/split: enum"),
    (["users"], 0.5, "/users: type"),
    (["users"], 0, "/users: minimum"),
    (["lists", "beauty@5"], 1, "/lists: beauty@5 is not foreseen"),
    (["protocols", "full", "overall", "ndcg@10"], 1.5, "/protocols/full/overall/ndcg@10: maximum"),
    (["protocols", "full", "overall", "ndcg"], 1, "/protocols/full/overall: ndcg is not foreseen"),
    (["protocols", "full", "overall"], [:], "/protocols/full/overall: no users"),
    (
      ["protocols", "full", "overall", "intervals", "mrr"], [0.1],
      "/protocols/full/overall/intervals/mrr: minItems"
    ),
    (["metrics"], ["hits"], "/metrics/0: pattern"),
    (["gates", "overall"], [2], "/gates/overall/0: maximum"),
    (["examples"], [["kind": "a miss"]], "/examples/0: no truth"),
  ]

  @Test func `a report that breaks the schema is noticed`() throws {
    let whole = try SampleReport.json(withOther: false)
    for (path, value, problem) in Self.damages {
      let report = replacing(whole, path[...], value)
      #expect(try validator.problems(report).contains(problem), "\(problem)")
    }
  }

  private func replacing(
    _ value: JSONValue, _ path: ArraySlice<String>, _ replacement: JSONValue
  ) -> JSONValue {
    guard let key = path.first else { return replacement }
    var members = value.objectValue ?? [:]
    members[key] = replacing(members[key] ?? [:], path.dropFirst(), replacement)
    return .object(members)
  }
}
