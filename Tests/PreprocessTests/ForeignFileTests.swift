import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// Files that are not what they are given as are refused with what they are and what to do.
struct `Files of other kinds` {
  private static let log = Array("user_id,item_id,timestamp\na,x,1\na,y,2\na,z,3\nb,x,1\n".utf8)

  private func expectLogFailure(_ log: String, _ message: String) async throws {
    try await expectFailure(
      ["log.csv": Array(log.utf8)], ["--interactions", "log.csv"], status: 65, message)
  }

  @Test(
    arguments: [
      (
        [0x50, 0x4B, 0x03, 0x04, 0x14], "a zip archive or a workbook of Excel, expected text",
        "unpack it, for example with unzip -p FILE; save a workbook as CSV"
      ),
      (
        Array("BZh91AY".utf8), "compressed by bzip2, expected text, gzip or zstd",
        "unpack it, for example with bzip2 -dc FILE"
      ),
      (
        [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 0x00], "compressed by xz, expected text, gzip or zstd",
        "unpack it, for example with xz -dc FILE"
      ),
      (
        Array("[\n {\"user_id\": 1}]".utf8), "one JSON array, expected one JSON object a line",
        "convert it, for example with jq -c '.[]' FILE"
      ),
      (
        Array("SQLite format 3\0".utf8), "an SQLite database, expected text",
        "write the table as text, for example with sqlite3 -header -csv FILE 'select * from events'"
      ),
    ] as [([UInt8], String, String)])
  func `files of other kinds, with what makes them text`(
    bytes: [UInt8], what: String, remedy: String
  ) async throws {
    let message = "log.csv:1:1: error: the file is \(what)\nnote: \(remedy)\n"
    try await expectFailure(
      ["log.csv": bytes], ["--interactions", "log.csv"], status: 65,
      "h2rec-preprocess: \(message)")
    try await expectFailure(
      ["good.csv": Self.log, "log.csv": bytes],
      ["--interactions", "good.csv", "--items", "log.csv"], status: 65,
      "h2rec-preprocess: \(message)")
  }

  @Test func `carriage returns alone at the ends of lines`() async throws {
    try await expectLogFailure(
      "user_id,item_id,timestamp\ra,x,1\r",
      """
      h2rec-preprocess: log.csv:1:1: error: the lines end in carriage returns alone, expected line feeds
      note: convert it, for example with tr '\\r' '\\n'

      """)
  }

  @Test func `a JSON object over several lines`() async throws {
    try await expectLogFailure(
      "{\n  \"user_id\": 1\n}\n",
      """
      h2rec-preprocess: log.csv:1:1: error: the JSON object of the first line goes on, expected one object a line
      note: convert it, for example with jq -c . FILE

      """)
  }

  @Test func `a log without a header`() async throws {
    try await expectLogFailure(
      "u1,i7,1500000000\nu2,i8,1500000001\n",
      """
      h2rec-preprocess: log.csv:1: error: the first line is no header, found 'u1', 'i7', '1500000000'
      note: a log without a header is read with --no-header; its columns go by number, from 1, for example --user-column 1

      """)
  }

  @Test func `a log in place of the items`() async throws {
    try await expectFailure(
      ["log.csv": Self.log], ["--interactions", "log.csv", "--items", "log.csv"], status: 65,
      """
      h2rec-preprocess: log.csv:1: error: this is a log of events, expected one item a line, found the columns \
      'user_id', 'item_id', 'timestamp'
      note: give it with --interactions, and with --items a file of titles, categories or texts

      """)
  }
}
