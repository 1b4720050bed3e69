import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// Runs the program in a folder with the given files.
func expectFailure(
  _ files: [String: [UInt8]], _ arguments: [String], status: Int32, _ message: String
) async throws {
  try await withTemporaryDirectory { directory in
    for (name, bytes) in files { try write(bytes, to: directory.appending(name)) }
    let result = try await runStage(
      "h2rec-preprocess", arguments + ["--output", "out", "--threads", "2"], in: directory)
    #expect(result.error == message)
    #expect(result.status == .exited(status))
    #expect(result.output.isEmpty)
    #expect(try contents(of: directory).keys.sorted() == files.keys.sorted())
  }
}

/// Each fault of an input gives one message and its exit status, and nothing is written.
struct `Bad input` {
  private func expectLogFailure(
    _ log: String, _ message: String, status: Int32 = 65
  ) async throws {
    try await expectFailure(
      ["log.csv": Array(log.utf8)], ["--interactions", "log.csv"], status: status, message)
  }

  private static let header = "user_id,item_id,timestamp\n"
  private static let remedy =
    "note: correct the rows, or leave them out with --skip-bad-rows\n"
  /// Two users and three items; no core filter.
  private static let log = Array("user_id,item_id,timestamp\na,x,1\na,y,2\na,z,3\nb,x,1\n".utf8)
  private static let everything = [
    "--interactions", "log.csv", "--user-core", "0", "--item-core", "0",
  ]

  @Test func `a missing file`() async throws {
    try await expectFailure(
      [:], ["--interactions", "log.csv"], status: 66,
      "h2rec-preprocess: log.csv: error: no such file\n")
  }

  @Test func `an empty file`() async throws {
    try await expectLogFailure(
      "",
      "h2rec-preprocess: log.csv: error: the file is empty, expected a header and one event a line\n"
    )
  }

  @Test func `a header alone`() async throws {
    try await expectLogFailure(
      Self.header, "h2rec-preprocess: log.csv: error: no events are left of 0 rows read\n")
  }

  @Test func `filters that leave nothing`() async throws {
    try await expectFailure(
      ["log.csv": Self.log], Self.everything + ["--from", "2001-01-01"], status: 65,
      """
      h2rec-preprocess: log.csv: error: no events are left of 4 rows read
      note: left out: 4 outside of --from and --until

      """)
  }

  @Test func `a log without times, read as if it had some`() async throws {
    try await expectLogFailure(
      "user_id,item_id\na,b\n",
      """
      h2rec-preprocess: log.csv:1: error: the header has no column 'timestamp', found 'user_id', 'item_id'
      note: name the column with --time-column, or read a log without times as such (--timestamp-format none)

      """)
  }

  @Test func `a text template with a field that no item has`() async throws {
    try await expectFailure(
      ["log.csv": Self.log, "items.csv": Array("item_id,title\nx,X\ny,Y\nz,Z\n".utf8)],
      Self.everything + ["--items", "items.csv", "--text", "{title} {colour}"], status: 65,
      """
      h2rec-preprocess: items.csv: error: no item has the field 'colour'
      note: --title-field, --categories-field and --text name fields as the file does

      """)
  }

  @Test func `a header without a needed column`() async throws {
    try await expectLogFailure(
      "user_id,thing,timestamp\na,b,1\n",
      """
      h2rec-preprocess: log.csv:1: error: the header has no column 'item_id', found 'user_id', 'thing', 'timestamp'
      note: name the column with --item-column

      """)
  }

  @Test func `a row with too few fields`() async throws {
    try await expectLogFailure(
      Self.header + "a,b,1\na,c\n",
      "h2rec-preprocess: log.csv:3:1: error: found 2 fields, expected 3\n" + Self.remedy)
  }

  @Test func `a timestamp that is no number`() async throws {
    try await expectLogFailure(
      Self.header + "a,b,1\na,c,2014-13-02\n",
      """
      h2rec-preprocess: log.csv:3:5: error: timestamp '2014-13-02' is not a number of seconds since 1970 or an ISO 8601 time

      """ + Self.remedy)
  }

  @Test func `an empty user id and an empty item id`() async throws {
    try await expectLogFailure(
      Self.header + ",b,1\na,,2\n",
      """
      h2rec-preprocess: log.csv: error: 2 of 2 rows cannot be used
        log.csv:2:1: the user id is empty
        log.csv:3:3: the item id is empty

      """ + Self.remedy)
  }

  @Test func `ids that databases write for a missing one`() async throws {
    try await expectLogFailure(
      Self.header + "NULL,b,1\na,\\N,2\n\"nan\",c,3\na,None,4\nNULLS,n,5\n",
      """
      h2rec-preprocess: log.csv: error: 4 of 5 rows cannot be used
        log.csv:2:1: the user id 'NULL' stands for none (--keep-null-ids takes it as an id)
        log.csv:3:3: the item id '\\N' stands for none (--keep-null-ids takes it as an id)
        log.csv:4:2: the user id 'nan' stands for none (--keep-null-ids takes it as an id)
        log.csv:5:3: the item id 'None' stands for none (--keep-null-ids takes it as an id)

      """ + Self.remedy)
  }

  @Test func `a split by time without train events`() async throws {
    try await expectFailure(
      ["log.csv": Self.log],
      Self.everything + [
        "--split", "time", "--valid-from", "1970-01-01", "--test-from", "1970-01-02",
      ], status: 78,
      """
      h2rec-preprocess: log.csv: error: the split leaves no train event: the valid part begins at \
      1970-01-01T00:00:00Z, and no event is before 1970-01-01T00:00:01Z
      note: give --valid-from a later time

      """)
  }

  @Test func `an unterminated quote`() async throws {
    try await expectLogFailure(
      Self.header + "a,b,1\na,\"c,2\nd,e,3\n",
      "h2rec-preprocess: log.csv:3:3: error: the quote opened here is never closed\n" + Self.remedy)
  }

  @Test func `a quote where none may be`() async throws {
    try await expectLogFailure(
      Self.header + "a,b\"c,1\na,\"b\"c,1\n",
      """
      h2rec-preprocess: log.csv: error: 2 of 2 rows cannot be used
        log.csv:2:4: a quote inside of an unquoted field, expected quotes around it
        log.csv:3:6: text follows a closing quote, expected a delimiter; a quote inside of quotes is doubled

      """ + Self.remedy)
  }

  @Test func `a place after a quoted line end`() async throws {
    try await expectLogFailure(
      Self.header + "\"a\nb\",c,1\na,c,x\n\"a\nb\",c,y\n",
      """
      h2rec-preprocess: log.csv: error: 2 of 3 rows cannot be used
        log.csv:4:5: timestamp 'x' is not a number of seconds since 1970 or an ISO 8601 time
        log.csv:6:6: timestamp 'y' is not a number of seconds since 1970 or an ISO 8601 time

      """ + Self.remedy)
  }

  @Test func `more than twenty bad rows are counted`() async throws {
    let rows = (0..<23).map { "u,i\($0)\n" }.joined()
    let shown = (2..<22).map { "  log.csv:\($0):1: found 2 fields, expected 3\n" }.joined()
    try await expectLogFailure(
      Self.header + rows,
      "h2rec-preprocess: log.csv: error: 23 of 23 rows cannot be used\n\(shown)  and 3 more\n"
        + Self.remedy)
  }

  @Test func `bytes that are not UTF-8`() async throws {
    try await expectFailure(
      ["log.csv": Array((Self.header + "a,b,1\na,c").utf8) + [0xE4] + Array(",2\n".utf8)],
      ["--interactions", "log.csv"], status: 65,
      """
      h2rec-preprocess: log.csv:3:4: error: byte 0xE4 is not UTF-8; convert the file, for example with iconv

      """ + Self.remedy)
  }

  @Test func `UTF-16`() async throws {
    try await expectFailure(
      ["log.csv": [0xFF, 0xFE, 0x75, 0x00]], ["--interactions", "log.csv"], status: 65,
      """
      h2rec-preprocess: log.csv:1:1: error: the file is UTF-16, expected UTF-8
      note: convert it, for example with iconv -f UTF-16 -t UTF-8

      """)
  }

  @Test func `a core that leaves nothing`() async throws {
    try await expectLogFailure(
      Self.header + "a,b,1\n",
      """
      h2rec-preprocess: log.csv: error: nothing is left of 1 events: no user has 5 events with items that have 5
      note: lower --user-core and --item-core, or give more data

      """, status: 78)
  }

  @Test func `an item of the log that the item file lacks`() async throws {
    try await expectFailure(
      ["log.csv": Self.log, "items.jsonl": Array("{\"item_id\":\"x\"}\n".utf8)],
      Self.everything + ["--items", "items.jsonl"], status: 65,
      """
      h2rec-preprocess: items.jsonl: error: item 'y' of the log and 1 more are not in the item file
      note: add them, or leave their events out with --missing-items drop

      """)
  }

  @Test func `an item file with faults`() async throws {
    try await expectFailure(
      [
        "log.csv": Self.log,
        "items.jsonl": Array("{\"item_id\":\"x\"}\n{\"item_id\":\"y\",}\n{\"title\":\"z\"}\n".utf8),
      ],
      Self.everything + ["--items", "items.jsonl"], status: 65,
      """
      h2rec-preprocess: items.jsonl: error: 2 of 3 rows cannot be used
        items.jsonl:2:16: this is not JSON, expected a name here
        items.jsonl:3:1: the object has no item id, looked for 'item_id', 'item', 'itemid', 'itemId', 'iid', \
      'parent_asin', 'asin', 'movieId', 'business_id', 'product_id'

      """ + Self.remedy)
  }

  @Test func `options that do not fit together`() async throws {
    try await expectFailure(
      ["log.csv": Self.log], ["--interactions", "log.csv", "--vector-ids", "ids.txt"], status: 64,
      """
      Error: '--vector-ids' and '--vector-field' need '--vectors'.
      Usage: h2rec-preprocess run <options>
        See 'h2rec-preprocess run --help' for more information.

      """)
  }

  // MARK: - Vectors

  private func expectVectorFailure(
    _ vectors: [UInt8], ids: String = "x\ny\nz\n", _ message: String
  ) async throws {
    try await expectFailure(
      ["log.csv": Self.log, "v.npy": vectors, "ids.txt": Array(ids.utf8)],
      Self.everything + ["--vectors", "v.npy", "--vector-ids", "ids.txt"], status: 65, message)
  }

  @Test func `vectors whose row count differs from the ids`() async throws {
    try await expectVectorFailure(
      numpyArray([1, 2, 3, 4], rows: 2),
      """
      h2rec-preprocess: v.npy: error: found 2 vectors, but 3 ids in ids.txt
      note: row i of the vectors belongs to line i of the ids

      """)
  }

  @Test(arguments: [(Float.nan, "nan"), (.infinity, "inf"), (-.infinity, "-inf")])
  func `a number that is not finite`(value: Float, text: String) async throws {
    try await expectVectorFailure(
      numpyArray([1, 2, 3, value, 5, 6], rows: 3),
      """
      h2rec-preprocess: v.npy (byte 136, decompressed): error: the vector of item 'y' has the number \(text) at place 2, expected a finite one

      """)
  }

  @Test func `Fortran order`() async throws {
    try await expectVectorFailure(
      numpyArray([1, 2, 3, 4, 5, 6], rows: 3, order: "True"),
      """
      h2rec-preprocess: v.npy (byte 10, decompressed): error: the array is in Fortran order, expected C order
      note: save numpy.ascontiguousarray(array)

      """)
  }

  @Test func `integers in place of numbers with a fraction`() async throws {
    try await expectVectorFailure(
      numpyArray([1, 2, 3, 4, 5, 6], rows: 3, type: "<i4"),
      """
      h2rec-preprocess: v.npy (byte 10, decompressed): error: the numbers are of type '<i4', expected '<f2', '<f4' or '<f8'
      note: convert them with array.astype('<f4')

      """)
  }

  @Test func `vectors that end early or go on`() async throws {
    let whole = numpyArray([1, 2, 3, 4, 5, 6], rows: 3)
    try await expectVectorFailure(
      whole.dropLast(3),
      "h2rec-preprocess: v.npy (byte 144, decompressed): error: the file ends early, expected 3 vectors\n"
    )
    try await expectVectorFailure(
      whole + [0],
      "h2rec-preprocess: v.npy (byte 152, decompressed): error: the file goes on after its 3 vectors\n"
    )
  }

  @Test func `something else than vectors`() async throws {
    try await expectVectorFailure(
      Array("\u{0}x,1,2\n".utf8),
      """
      h2rec-preprocess: v.npy (byte 0, decompressed): error: this is no file of vectors: expected .npy, .npz, safetensors, JSON lines or CSV

      """)
  }

  @Test func `an id that is there twice`() async throws {
    try await expectVectorFailure(
      numpyArray([1, 2, 3, 4, 5, 6], rows: 3), ids: "x\ny\nx\n",
      "h2rec-preprocess: ids.txt:3:1: error: the id 'x' is there twice\n")
  }

  @Test func `an item without a vector`() async throws {
    try await expectVectorFailure(
      numpyArray([1, 2, 3, 4, 5, 6], rows: 3), ids: "x\nw\nz\n",
      """
      h2rec-preprocess: ids.txt: error: item 'y' of the log is not in the list of vectors
      note: add them, leave their events out with --missing-vectors drop, or make them from texts with --missing-vectors text

      """)
  }
}

/// A .npy file of 32-bit numbers, format version 1.0, with a header of 128 bytes.
func numpyArray(
  _ values: [Float], rows: Int, order: String = "False", type: String = "<f4"
) -> [UInt8] {
  var text =
    "{'descr': '\(type)', 'fortran_order': \(order), 'shape': (\(rows), \(values.count / rows)), }"
  text += String(repeating: " ", count: 117 - text.utf8.count) + "\n"
  let numbers = values.flatMap { value in
    [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt32($0)) }
  }
  return [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(text.utf8) + numbers
}
