internal import Dataset
internal import ShardIO
internal import TextInput

/// Codes that another program made: an item id and as many codes for every item.
///
/// A code is a whole number, or a text such as `<a_170>` (LC-Rec, https://github.com/RUCAIBox/LC-Rec, index files), whose
/// letters name the level and are the same for all items. The texts of an item may be joined, `<a_170><b_3>`.
struct ForeignCodes: Sendable, Equatable {
  var itemIDs: [String] = []
  /// Shape `[items, levels]`.
  var codes: [UInt16] = []
  var levelCount = 0
  /// The line of each item in a file of lines; empty for JSON.
  var lines: [Int] = []
  /// What stands before the number of each level's codes; empty for plain numbers.
  private var levelNames: [Substring] = []

  /// The number of codes of each level: one more than the largest code.
  var levelSizes: [Int] {
    (0..<levelCount).map { level in
      1 + stride(from: level, to: codes.count, by: levelCount).reduce(0) { max($0, Int(codes[$1])) }
    }
  }

  /// What the names of files of codes end in.
  static let extensions = ["csv", "json", "jsonl"]

  private static let largestByteCount = 1 << 32

  /// Reads a file: `.json` as JSON, `.jsonl` as JSON lines, everything else as CSV (RFC 4180, with or without a header).
  ///
  /// JSON is an object of lists by item id, or a list of objects with `item_id` and `codes`; a line of JSON lines is such
  /// an object.
  ///
  /// - Throws: `PipelineError`: `.missingInput`; `.dataFormat` with the line where the file has lines.
  init(_ path: String) throws(PipelineError) {
    if path.hasSuffix(".jsonl") {
      try readJSONLines(path)
    } else {
      let bytes = try ByteStream(path).readAll(limit: Self.largestByteCount)
      if path.hasSuffix(".json") {
        try readJSON(bytes, path)
      } else {
        try readCSV(bytes, path)
      }
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
    _ id: String, _ texts: [String], _ location: PipelineError.Location
  ) throws(PipelineError) {
    let numbers = texts.flatMap { $0.hasPrefix("<") ? Self.joined($0) : [$0[...]] }
    if itemIDs.isEmpty {
      levelCount = numbers.count
      levelNames = numbers.contains { $0.hasPrefix("<") } ? numbers.map(Self.name) : []
    }
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
    for (level, number) in numbers.enumerated() {
      let name = levelNames.isEmpty ? "" : levelNames[level]
      guard number.hasPrefix(name),
        let code = UInt16(Self.digits(number.dropFirst(name.count), name))
      else {
        let form =
          name.isEmpty
          ? "a whole number from 0 to 65535" : "such as \(name)170>, as in the first item"
        throw PipelineError(
          .dataFormat,
          "code \(quoted(String(number))) of item \(quoted(id)) is not \(form)", at: location)
      }
      codes.append(code)
    }
    itemIDs.append(id)
  }

  /// The parts of `<a_170><b_3>`, each up to its `>`.
  private static func joined(_ text: String) -> [Substring] {
    var parts: [Substring] = []
    var rest = text[...]
    while !rest.isEmpty {
      let end = rest.firstIndex(of: ">").map(rest.index(after:)) ?? rest.endIndex
      parts.append(rest[..<end])
      rest = rest[end...].drop { $0 == " " || $0 == "," }
    }
    return parts
  }

  /// `<a_` of `<a_170>`; nothing of a number.
  private static func name(_ code: Substring) -> Substring {
    guard code.hasPrefix("<"), let end = code.lastIndex(of: "_") else { return "" }
    return code[...end]
  }

  /// The digits of `170>` behind a name, or the whole text where codes have no name; nothing where `>` is missing.
  private static func digits(_ text: Substring, _ name: Substring) -> Substring {
    name.isEmpty ? text : text.hasSuffix(">") ? text.dropLast() : ""
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
      let isHeader =
        position == 0 && fields.count > 1 && Double(fields[1]) == nil && !fields[1].hasPrefix("<")
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
    let root: JSONValue
    do throws(JSONFault) {
      root = try cursor.readWhole(bytes.span)
    } catch {
      throw PipelineError(
        .dataFormat, "this is not JSON: expected \(error.expected)",
        at: .init(path: path, byteOffset: error.offset))
    }
    switch root {
    case .object(let members):
      if let name = cursor.repeatedName {
        throw PipelineError(.dataFormat, "item \(quoted(name)) occurs twice", at: place)
      }
      for (id, codes) in members.sorted(by: { $0.key < $1.key }) {
        try append(id, try texts(codes, id, place), place)
      }
    case .array(let items):
      for item in items { try append(item, "an element of the list", place) }
    default:
      throw PipelineError(
        .dataFormat, "expected an object of lists, or a list of objects", at: place)
    }
  }

  private mutating func readJSONLines(_ path: String) throws(PipelineError) {
    try forEachLine(of: try ByteStream(path)) { bytes, range, number throws(PipelineError) in
      let place = PipelineError.Location(path: path, line: number)
      guard !range.allSatisfy({ [0x20, 0x09, 0x0D].contains(bytes[$0]) }) else { return }
      var cursor = JSONCursor(range)
      let item: JSONValue
      do throws(JSONFault) {
        item = try cursor.readWhole(bytes)
      } catch {
        throw PipelineError(.dataFormat, "this is not JSON: expected \(error.expected)", at: place)
      }
      try append(item, "this line", place)
      lines.append(number)
    }
  }

  /// Adds an item that is an object of its id and its codes.
  private mutating func append(
    _ item: JSONValue, _ what: String, _ place: PipelineError.Location
  ) throws(PipelineError) {
    guard let id = item["item_id"]?.plainText, let codes = item["codes"] else {
      throw PipelineError(.dataFormat, "\(what) lacks 'item_id' or 'codes'", at: place)
    }
    try append(id, try texts(codes, id, place), place)
  }

  /// The texts of a list of codes, or the one text that joins them.
  private func texts(
    _ node: JSONValue, _ id: String, _ place: PipelineError.Location
  ) throws(PipelineError) -> [String] {
    switch node {
    case .array(let values): return values.map { $0.plainText ?? "" }
    case .string(let text): return [text]
    default:
      throw PipelineError(
        .dataFormat, "the codes of item \(quoted(id)) are neither a list nor a text", at: place)
    }
  }
}
