public import ShardIO

/// The bytes of a byte order mark at the start of a text, 0 or 3.
public func byteOrderMarkLength(_ head: [UInt8]) -> Int {
  head.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
}

/// Files that are often given in place of text: how they begin, what they are, and what makes them text.
private let foreignFiles: [(start: [UInt8], what: String, remedy: String)] = [
  (
    [0xFF, 0xFE], "UTF-16, expected UTF-8", "convert it, for example with iconv -f UTF-16 -t UTF-8"
  ),
  (
    [0xFE, 0xFF], "UTF-16, expected UTF-8", "convert it, for example with iconv -f UTF-16 -t UTF-8"
  ),
  (
    Array("PAR1".utf8), "Parquet, expected text",
    "where Parquet is not read itself, make it text, for example with duckdb -csv -c \"from 'file'\""
  ),
  (
    [0x50, 0x4B, 0x03, 0x04], "a zip archive or a workbook of Excel, expected text",
    "unpack it, for example with unzip -p FILE; save a workbook as CSV"
  ),
  (
    Array("BZh".utf8), "compressed by bzip2, expected text, gzip or zstd",
    "unpack it, for example with bzip2 -dc FILE"
  ),
  (
    [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "compressed by xz, expected text, gzip or zstd",
    "unpack it, for example with xz -dc FILE"
  ),
  (
    [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7z archive, expected text",
    "unpack it, for example with 7z x FILE"
  ),
  (
    [0x04, 0x22, 0x4D, 0x18], "compressed by lz4, expected text, gzip or zstd",
    "unpack it, for example with lz4 -dc FILE"
  ),
  (
    Array("SQLite format 3".utf8), "an SQLite database, expected text",
    "write the table as text, for example with sqlite3 -header -csv FILE 'select * from events'"
  ),
  (
    Array("Obj".utf8) + [1], "Avro, expected text",
    "write it as CSV or JSON lines, for example with avro-tools tojson FILE"
  ),
  (
    [0x93] + Array("NUMPY".utf8), "a NumPy array, expected text",
    "give item vectors with --vectors"
  ),
  ([0x89] + Array("HDF".utf8), "HDF5, expected text", "write it as CSV or JSON lines"),
]

/// Refuses a file that is no text of lines, by its first bytes.
///
/// - Parameters:
///   - head: the first bytes, some thousand where there are so many.
///   - path: the file, for messages.
/// - Throws: `PipelineError` `.dataFormat` that says what the file is and what makes it text.
public func requireText(_ head: [UInt8], path: String) throws(PipelineError) {
  let place = PipelineError.Location(path: path, line: 1, column: 1)
  if let found = foreignFiles.first(where: { head.starts(with: $0.start) }) {
    throw PipelineError(.dataFormat, "the file is \(found.what)", at: place, note: found.remedy)
  }
  let text = head.drop { $0 <= 0x20 }
  if text.first == UInt8(ascii: "<") {
    throw PipelineError(
      .dataFormat, "the file is HTML or XML, expected CSV, TSV or JSON lines", at: place,
      note: "a download may have brought a page in place of the file")
  }
  let inside = text.dropFirst().drop { $0 <= 0x20 }.first
  if text.first == UInt8(ascii: "["), inside == UInt8(ascii: "{") || inside == UInt8(ascii: "]") {
    throw PipelineError(
      .dataFormat, "the file is one JSON array, expected one JSON object a line", at: place,
      note: "convert it, for example with jq -c '.[]' FILE")
  }
  let firstReturn = head.firstIndex(of: UInt8(ascii: "\r"))
  if let firstReturn, !head.contains(UInt8(ascii: "\n")), firstReturn + 1 < head.count {
    throw PipelineError(
      .dataFormat, "the lines end in carriage returns alone, expected line feeds", at: place,
      note: "convert it, for example with tr '\\r' '\\n'")
  }
}

/// Refuses JSON whose objects span lines.
///
/// - Parameters:
///   - head: the first bytes.
///   - path: the file, for messages.
/// - Throws: `PipelineError` `.dataFormat`.
public func requireJSONLines(_ head: [UInt8], path: String) throws(PipelineError) {
  let line = head[byteOrderMarkLength(head)...].drop { $0 <= 0x20 }
    .prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
  guard line.allSatisfy({ $0 <= 0x20 || $0 == UInt8(ascii: "{") }), line.count < head.count else {
    return
  }
  throw PipelineError(
    .dataFormat, "the JSON object of the first line goes on, expected one object a line",
    at: .init(path: path, line: 1, column: 1), note: "convert it, for example with jq -c . FILE")
}
