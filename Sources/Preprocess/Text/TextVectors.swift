internal import ShardIO
internal import TextInput

/// Vectors written as text: JSON lines of an id and a list, or lines of an id and numbers.
struct TextVectors {
  private(set) var ids = IdentifierTable()
  private(set) var values: [Float] = []
  private(set) var width = 0
  private var faults = FaultList()
  private var rowCount = 0

  /// The usual names of the list in a JSON object.
  private static let vectorNames = ["vector", "embedding", "embeddings", "values"]

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - stream: the text.
  ///   - field: the name of the list in a JSON object; nil means the usual names.
  ///   - budget: what the vectors may take; what they took is taken from it.
  /// - Throws: `PipelineError`: `.dataFormat` with the first bad rows; `.configuration` if they are more than the budget.
  init(
    _ stream: ByteStream, field: String?, budget: inout MemoryBudget
  ) throws(PipelineError) {
    try forEachLine(of: stream, limit: budget.recordLimit) {
      bytes, line, number throws(PipelineError) in
      var end = line.upperBound
      while end > line.lowerBound, bytes[end - 1] <= 0x20 { end -= 1 }
      let site = RecordSite(begin: line.lowerBound, line: number)
      let before = ids.count
      if end > line.lowerBound { read(bytes, line.lowerBound..<end, site, field) }
      // A list that grows is there twice while it is copied; an id has its place in a table of hashes.
      if ids.count > before { try budget.take(8 * width + 96, for: "vectors", of: stream.name) }
    }
    if let error = faults.error(in: stream.name, rowCount: rowCount) { throw error }
    guard rowCount > 0 else {
      throw PipelineError(.dataFormat, "the file has no vectors", at: .init(path: stream.name))
    }
  }

  private mutating func read(
    _ bytes: Span<UInt8>, _ line: Range<Int>, _ site: RecordSite, _ field: String?
  ) {
    rowCount += 1
    if let bad = firstInvalidUTF8(bytes, line) {
      faults.record(site.fault(.notUTF8(offset: bad), bytes))
    } else if bytes[line.lowerBound] == UInt8(ascii: "{") {
      readObject(bytes, line, site, field)
    } else {
      readFields(bytes, line, site)
    }
  }

  private mutating func readObject(
    _ bytes: Span<UInt8>, _ line: Range<Int>, _ site: RecordSite, _ field: String?
  ) {
    var cursor = JSONCursor(line)
    do throws(JSONFault) {
      let node = try cursor.readWhole(bytes)
      let id = UsualNames.item.lazy.compactMap { node[$0]?.plainText }.first ?? ""
      let names = field.map { [$0] } ?? Self.vectorNames
      let list = names.lazy.compactMap { node[$0] }.first
      var numbers: [Float?] = []
      if case .array(let elements)? = list {
        numbers = elements.map { $0.plainText.flatMap { Float($0) } }
      }
      append(Array(id.utf8), numbers, site, bytes)
    } catch {
      faults.record(
        site.fault(
          .json, at: error.offset, bytes, "this is not JSON, expected \(error.expected) here"))
    }
  }

  /// Fields are parted by tabs, commas or spaces, whichever the line has.
  private mutating func readFields(_ bytes: Span<UInt8>, _ line: Range<Int>, _ site: RecordSite) {
    let separators: [UInt8] = [0x09, 0x2C, 0x20]
    let separator = separators.first { byte in line.contains { bytes[$0] == byte } } ?? 0x2C
    var fields: [Range<Int>] = []
    var start = line.lowerBound
    for place in line where bytes[place] == separator {
      fields.append(start..<place)
      start = place + 1
    }
    fields.append(start..<line.upperBound)
    let numbers = fields.dropFirst().map { range in
      parseDecimal(bytes, range).map { Float($0) }
    }
    // A first line without any number is a header.
    if rowCount == 1, !numbers.isEmpty, numbers.allSatisfy({ $0 == nil }) {
      rowCount = 0
      return
    }
    append(fields[0].map { bytes[$0] }, numbers, site, bytes)
  }

  private mutating func append(
    _ id: [UInt8], _ numbers: [Float?], _ site: RecordSite, _ bytes: Span<UInt8>
  ) {
    func refuse(_ reason: FaultReason, _ message: String) {
      faults.record(site.fault(reason, at: site.begin, bytes, message))
    }
    if id.isEmpty { return refuse(.emptyItem, "the row has no item id") }
    let limit = NumericLayout.maximumMagnitude
    if let bad = numbers.firstIndex(where: { !(($0?.magnitude ?? .infinity) <= limit) }) {
      return refuse(.vector, "number \(bad + 1) of the vector is not a number up to 1e15")
    }
    if width == 0 { width = numbers.count }
    guard numbers.count == width, width > 0, width <= NumericLayout.maximumWidth else {
      return refuse(.vector, "the vector has \(numbers.count) numbers, expected \(max(width, 1))")
    }
    let known = ids.count
    guard ids.insert(id) == known else {
      return refuse(
        .vector, "the id \(quoted(String(decoding: id, as: UTF8.self))) is there twice")
    }
    values.append(contentsOf: numbers.compactMap(\.self))
  }
}
