public import ShardIO

/// A file with one id a line, plain or compressed; the one reader of such lists.
///
/// Line ends of every kind, a byte order mark and empty lines are no part of the ids. A line as it is comes first; where no such id
/// is known, it is taken without spaces at its ends, without quotes around it, or up to a tab, comma or semicolon.
public struct IdentifierList: Sendable {
  /// A line that is not empty.
  public struct Line: Sendable, Equatable {
    /// The text of the line, without its end.
    public let text: String
    /// The line, from 1.
    public let number: Int

    /// What a line of so many bytes takes in memory; short texts have no block of their own.
    static func byteCount(_ count: Int) -> Int {
      MemoryLayout<Line>.stride + (count > 15 ? count + 32 : 0)
    }
  }

  /// The most bytes that lines take in memory where nothing else is said.
  public static let byteLimit = 1 << 32

  /// The file.
  public let path: String
  /// The lines that are not empty, in the order of the file.
  public let lines: [Line]

  /// Reads the file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - budget: what its lines may take.
  /// - Throws: `PipelineError`: `.missingInput`, `.inputOutput`; `.dataFormat` if it is no text, a line is not UTF-8 or too long; `.configuration` if its lines are more than the budget.
  public init(
    _ path: String, budget: MemoryBudget = MemoryBudget(limit: Self.byteLimit)
  ) throws(PipelineError) {
    let stream = try ByteStream(path)
    self.path = stream.name
    var budget = budget
    var lines: [Line] = []
    func append(_ content: ArraySlice<UInt8>, _ number: Int) throws(PipelineError) {
      let content = content.last == UInt8(ascii: "\r") ? content.dropLast() : content
      guard content.contains(where: { $0 > 0x20 }) else { return }
      try budget.take(Line.byteCount(content.count), for: "lines", of: stream.name)
      guard let found = String(validating: content, as: UTF8.self) else {
        throw PipelineError(
          .dataFormat, "this line is not UTF-8", at: .init(path: path, line: number))
      }
      lines.append(Line(text: found, number: number))
    }
    try forEachLine(of: stream, limit: budget.recordLimit) {
      bytes, line, number throws(PipelineError) in
      let content = line.map { bytes[$0] }
      // A file without any line feed has lines that end with carriage returns.
      guard number == 1, line.upperBound == bytes.count else {
        return try append(content[...], number)
      }
      for (index, part) in content.split(
        separator: UInt8(ascii: "\r"), omittingEmptySubsequences: false
      ).enumerated() {
        try append(part, index + 1)
      }
    }
    self.lines = lines
  }

  /// Looks up the ids of the lines.
  ///
  /// - Parameter find: gives what belongs to an id, nil if it is not known.
  /// - Returns: what was found, in the order of the lines, and the lines whose id is not known; a first line that names the column is
  ///   neither.
  public func matches<Value>(
    _ find: (String) -> Value?
  ) -> (found: [Value], unknown: [Line]) {
    var found: [Value] = []
    var unknown: [Line] = []
    for line in lines {
      if let value = line.candidates.lazy.compactMap(find).first {
        found.append(value)
      } else if line != lines.first || !line.isHeader {
        unknown.append(line)
      }
    }
    return (found, unknown)
  }

  /// The ids that are known; a list without any is refused.
  ///
  /// - Parameters:
  ///   - what: what the ids are, for example `item`.
  ///   - known: all ids that are known.
  /// - Returns: the ids that are known, in the order of the lines, and the lines whose id is not.
  /// - Throws: `PipelineError` `.dataFormat` if no id of the list is known.
  public func ids(
    of what: String, among known: Set<String>
  ) throws(PipelineError) -> (found: [String], unknown: [Line]) {
    let result = matches { known.contains($0) ? $0 : nil }
    guard result.found.isEmpty, let first = result.unknown.first ?? lines.first else {
      return result
    }
    let wanted = first.id.lowercased()
    let near = known.filter { $0.lowercased() == wanted }.min()
    throw PipelineError(
      .dataFormat,
      "no \(what) of the data has an id of this list, whose first of \(lines.count) is \(quoted(first.id))",
      at: .init(path: path, line: first.number),
      note: near.map { "the data have \(quoted($0)); ids must agree letter by letter" }
        ?? "give one id a line, as the data have them")
  }
}

extension IdentifierList.Line {
  /// What the id of the line may be, the line as it is first.
  public var candidates: [String] {
    let trimmed = text.trimmingSpaces
    var found = [text, trimmed]
    if let unquoted { found.append(unquoted) }
    for delimiter in ["\t", ",", ";"] as [Character] {
      if let field = trimmed.split(separator: delimiter, omittingEmptySubsequences: false).first,
        field.count < trimmed.count
      {
        found.append(String(field).trimmingSpaces)
      }
    }
    return found
  }

  /// The id as far as the line alone tells it: without quotes, spaces at its ends, and what follows a tab.
  public var id: String {
    if let unquoted { return unquoted }
    let field = text.split(separator: "\t", omittingEmptySubsequences: false).first ?? ""
    return String(field).trimmingSpaces
  }

  /// Whether the line is the usual name of a column.
  var isHeader: Bool {
    let plain = id.lowercased().filter { $0.isLetter || $0.isNumber }
    return ["id", "itemid", "userid", "item", "user", "asin", "parentasin", "productid"]
      .contains(plain)
  }

  /// The first field of a line that begins with a quote.
  private var unquoted: String? {
    let bytes = Array(text.trimmingSpaces.utf8)
    guard bytes.first == UInt8(ascii: "\"") else { return nil }
    for delimiter in [",", "\t", ";"] as [Unicode.Scalar] {
      var scanner = DelimitedScanner(DelimitedFormat(delimiter: UInt8(ascii: delimiter)))
      _ = scanner.scan(bytes.span, from: 0)
      guard scanner.fault == nil, let field = scanner.fields.first, field.start == 1 else {
        continue
      }
      return String(decoding: unescapedQuotes(bytes.span, field.range), as: UTF8.self)
        .trimmingSpaces
    }
    return nil
  }
}

extension String {
  /// The text without spaces at its ends.
  fileprivate var trimmingSpaces: String {
    let start = drop { $0.isWhitespace }
    return String(start.reversed().drop { $0.isWhitespace }.reversed())
  }
}
