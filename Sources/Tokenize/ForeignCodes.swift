internal import Dataset
internal import ShardIO
internal import TextInput

/// Codes that another program made: an item id and as many whole numbers for every item.
struct ForeignCodes: Sendable, Equatable {
  var itemIDs: [String] = []
  /// Shape `[items, levels]`.
  var codes: [UInt16] = []
  var levelCount = 0
  /// The line of each item in a CSV file; empty for JSON.
  var lines: [Int] = []

  /// The number of codes of each level: one more than the largest code.
  var levelSizes: [Int] {
    (0..<levelCount).map { level in
      1 + stride(from: level, to: codes.count, by: levelCount).reduce(0) { max($0, Int(codes[$1])) }
    }
  }

  /// What the names of files of codes end in.
  static let extensions = ["csv", "json"]

  private static let largestByteCount = 1 << 32

  /// Reads a file: `.json` as JSON, everything else as CSV (RFC 4180, with or without a header).
  ///
  /// JSON is an object of lists by item id, or a list of objects with `item_id` and `codes`.
  ///
  /// - Throws: `PipelineError`: `.missingInput`; `.dataFormat` with the line of a CSV file.
  init(_ path: String) throws(PipelineError) {
    let bytes = try ByteStream(path).readAll(limit: Self.largestByteCount)
    if path.hasSuffix(".json") {
      try readJSON(bytes, path)
    } else {
      try readCSV(bytes, path)
    }
    guard !itemIDs.isEmpty else {
      throw PipelineError(.dataFormat, "there are no codes in this file", at: .init(path: path))
    }
    var seen: Set<String> = []
    for (row, id) in itemIDs.enumerated() where !seen.insert(id).inserted {
      throw PipelineError(
        .dataFormat, "item \(quoted(id)) occurs twice", at: location(path, row: row))
    }
  }

  /// Where an item stands.
  func location(_ path: String, row: Int) -> PipelineError.Location {
    .init(path: path, line: row < lines.count ? lines[row] : nil)
  }

  /// Adds an item.
  private mutating func append(
    _ id: String, _ numbers: [String], _ location: PipelineError.Location
  ) throws(PipelineError) {
    if itemIDs.isEmpty { levelCount = numbers.count }
    guard levelCount > 0 else {
      throw PipelineError(
        .dataFormat, "item \(quoted(id)) has no codes", at: location,
        note: "a line of CSV is an item id and its codes, with commas between them")
    }
    guard numbers.count == levelCount else {
      throw PipelineError(
        .dataFormat,
        "item \(quoted(id)) has \(numbers.count) codes, expected \(levelCount) as the first item",
        at: location)
    }
    guard levelCount <= LevelSizes.largestCount else {
      throw PipelineError(
        .dataFormat,
        "found \(levelCount) codes an item, expected at most \(LevelSizes.largestCount)",
        at: location)
    }
    for number in numbers {
      guard let code = UInt16(number) else {
        throw PipelineError(
          .dataFormat,
          "code \(quoted(number)) of item \(quoted(id)) is not a whole number from 0 to 65535",
          at: location)
      }
      codes.append(code)
    }
    itemIDs.append(id)
  }
}

extension ForeignCodes {
  private mutating func readCSV(_ bytes: [UInt8], _ path: String) throws(PipelineError) {
    var scanner = DelimitedScanner(.commaSeparated)
    var position = 0
    var line = 1
    while position < bytes.count {
      let next = scanner.scan(bytes.span, from: position)
      if scanner.fault != nil {
        throw PipelineError(
          .dataFormat, "this row is no RFC 4180 record in UTF-8", at: .init(path: path, line: line))
      }
      let fields = scanner.fields.map { field in
        field.hasEscapes
          ? String(decoding: unescapedQuotes(bytes.span, field.range), as: UTF8.self)
          : String(decoding: bytes[field.range], as: UTF8.self)
      }
      let isBlank = fields.count == 1 && fields[0].isEmpty
      let isHeader = position == 0 && fields.count > 1 && Double(fields[1]) == nil
      if !isBlank, !isHeader {
        try append(fields[0], Array(fields.dropFirst()), .init(path: path, line: line))
        lines.append(line)
      }
      line += scanner.lineCount
      position = next
    }
  }

  private mutating func readJSON(_ bytes: [UInt8], _ path: String) throws(PipelineError) {
    let place = PipelineError.Location(path: path)
    var cursor = JSONCursor(0..<bytes.count)
    let root: JSONNode
    do throws(JSONFault) {
      root = try cursor.readWhole(bytes.span)
    } catch {
      throw PipelineError(
        .dataFormat, "this is not JSON: expected \(error.expected)",
        at: .init(path: path, byteOffset: error.offset))
    }
    switch root {
    case .object(let members):
      for member in members { try append(member.name, try numbers(member.value, path), place) }
    case .array(let items):
      for item in items {
        guard let id = item["item_id"]?.plainText, let codes = item["codes"] else {
          throw PipelineError(
            .dataFormat, "an element of the list lacks 'item_id' or 'codes'", at: place)
        }
        try append(id, try numbers(codes, path), place)
      }
    default:
      throw PipelineError(
        .dataFormat, "expected an object of lists, or a list of objects", at: place)
    }
  }

  private func numbers(_ node: JSONNode, _ path: String) throws(PipelineError) -> [String] {
    guard case .array(let values) = node else {
      throw PipelineError(
        .dataFormat, "the codes of an item are no list", at: .init(path: path))
    }
    return values.map { $0.plainText ?? "" }
  }
}

extension JSONNode {
  /// A string or a number as it is written; nil for everything else.
  fileprivate var plainText: String? {
    switch self {
    case .string(let text), .number(let text): text
    default: nil
    }
  }
}
