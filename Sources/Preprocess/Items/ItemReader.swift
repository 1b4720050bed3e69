internal import ShardIO
internal import TextInput

/// Reads an item file: one JSON object a line, or delimited text with a header.
struct ItemReader {
  private let settings: ItemSettings
  private var table = ItemTable()
  private var faults = FaultList()
  private var rowCount = 0
  /// Fields that the user named and no item has had so far.
  private var unseenFields: Set<String>

  private init(_ settings: ItemSettings) {
    self.settings = settings
    unseenFields = Set(settings.namedFields)
  }

  /// Reads a file.
  ///
  /// - Throws: ``PipelineError``: `.missingInput`, or `.dataFormat` with the first bad rows.
  static func read(_ path: String, _ settings: ItemSettings) throws(PipelineError) -> ItemTable {
    let stream = try ByteStream(path)
    var reader = ItemReader(settings)
    let head = try stream.peek(4096)
    guard let first = head.first(where: { $0 > 0x20 && $0 < 0x7F }) else {
      throw PipelineError(
        .dataFormat, "the file is empty, expected one item a line", at: .init(path: stream.name))
    }
    if first == UInt8(ascii: "{") {
      try reader.readJSONLines(stream)
    } else {
      try reader.readDelimited(stream, head)
    }
    let isFatal = reader.faults.counts[.unterminatedQuote] != nil
    if isFatal || !settings.skipsBadRows,
      let error = reader.faults.error(in: stream.name, rowCount: reader.rowCount)
    {
      throw error
    }
    if reader.table.count > 0, let field = reader.unseenFields.min() {
      throw PipelineError(
        .dataFormat, "no item has the field \(quoted(field))", at: .init(path: stream.name),
        note: "--title-field, --categories-field and --text name fields as the file does")
    }
    return reader.table
  }

  /// Strikes out the fields that an item has.
  private mutating func noteFields(_ isThere: (String) -> Bool) {
    if !unseenFields.isEmpty { unseenFields = unseenFields.filter { !isThere($0) } }
  }

  // MARK: - JSON lines

  private mutating func readJSONLines(_ stream: ByteStream) throws(PipelineError) {
    try forEachLine(of: stream) { bytes, line, number throws(PipelineError) in
      guard line.contains(where: { bytes[$0] > 0x20 }) else { return }
      rowCount += 1
      readObject(bytes, line, RecordSite(begin: line.lowerBound, line: number))
    }
  }

  private mutating func readObject(_ bytes: Span<UInt8>, _ line: Range<Int>, _ site: RecordSite) {
    if let bad = firstInvalidUTF8(bytes, line) {
      faults.record(site.fault(.notUTF8(offset: bad), bytes))
      return
    }
    var cursor = JSONCursor(line)
    let node: JSONValue
    do throws(JSONFault) {
      node = try cursor.readWhole(bytes)
    } catch {
      faults.record(
        site.fault(
          .json, at: error.offset, bytes, "this is not JSON, expected \(error.expected) here"))
      return
    }
    noteFields { node[$0] != nil }
    let names = settings.idField.map { [$0] } ?? UsualNames.item
    guard let id = names.lazy.compactMap({ node[$0]?.plainText }).first, !id.isEmpty else {
      faults.record(
        site.fault(
          .missingField, at: line.lowerBound, bytes,
          "the object has no item id, looked for \(names.map { quoted($0) }.joined(separator: ", "))"
        ))
      return
    }
    append(
      id: Array(id.utf8),
      title: first(settings.titleField, ItemSettings.titleNames) { node[$0]?.plainText },
      categories: first(settings.categoriesField, ItemSettings.categoryNames) {
        node[$0].map(\.texts)
      },
      text: settings.template.text { node[$0]?.joinedText ?? "" })
  }

  // MARK: - Delimited text

  private mutating func readDelimited(
    _ stream: ByteStream, _ head: [UInt8]
  ) throws(PipelineError) {
    let firstLine = head.prefix { $0 != UInt8(ascii: "\n") }
    let isTabbed = firstLine.contains(UInt8(ascii: "\t"))
    var scanner = DelimitedScanner(isTabbed ? .tabSeparated : .commaSeparated)
    var chunks = ChunkReader(stream, hasQuotes: !isTabbed)
    var header: [String] = []
    var line = 1
    while let chunk = try chunks.next() {
      let bytes = chunk.bytes.span
      var position = chunk.index == 0 && chunk.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
      while position < bytes.count {
        let begin = position
        position = scanner.scan(bytes, from: position)
        let site = RecordSite(begin: begin, line: line)
        line += scanner.fault == nil ? scanner.lineCount : lineFeeds(bytes, begin..<position)
        if let fault = scanner.fault {
          faults.record(site.fault(fault, bytes))
          continue
        }
        let fields = scanner.fields.map { field in
          String(decoding: unescapedQuotes(bytes, field), as: UTF8.self)
        }
        if fields == [""] { continue }
        if header.isEmpty {
          header = try readHeader(fields, stream.name)
          noteFields(header.contains)
        } else {
          readRecord(fields, header, site, bytes)
        }
      }
    }
  }

  private func readHeader(_ fields: [String], _ name: String) throws(PipelineError) -> [String] {
    let header = fields.map { field in
      field.split(separator: ":", omittingEmptySubsequences: false).first.map(String.init) ?? field
    }
    let names = settings.idField.map { [$0] } ?? UsualNames.item
    guard names.contains(where: { header.contains($0) }) else {
      let found = fields.prefix(20).map { quoted($0) }.joined(separator: ", ")
      throw PipelineError(
        .dataFormat, "the header has no column \(quoted(names[0])), found \(found)",
        at: .init(path: name, line: 1), note: "name the column with --item-id-field")
    }
    return header
  }

  private mutating func readRecord(
    _ fields: [String], _ header: [String], _ site: RecordSite, _ bytes: Span<UInt8>
  ) {
    rowCount += 1
    guard fields.count == header.count else {
      faults.record(
        site.fault(
          .fieldCount, at: site.begin, bytes,
          "found \(fields.count) fields, expected \(header.count)"))
      return
    }
    func value(_ name: String) -> String? { header.firstIndex(of: name).map { fields[$0] } }
    let names = settings.idField.map { [$0] } ?? UsualNames.item
    let id = names.lazy.compactMap { value($0) }.first ?? ""
    if id.isEmpty {
      faults.record(site.fault(.emptyItem, at: site.begin, bytes, "the item id is empty"))
      return
    }
    append(
      id: Array(id.utf8),
      title: first(settings.titleField, ItemSettings.titleNames, value),
      categories: first(settings.categoriesField, ItemSettings.categoryNames) { name in
        value(name).map { $0.split(separator: "|").map(String.init) }
      },
      text: settings.template.text { value($0) ?? "" })
  }

  // MARK: - Rows

  private func first<Value>(
    _ wanted: String?, _ usual: [String], _ value: (String) -> Value?
  ) -> Value? {
    (wanted.map { [$0] } ?? usual).lazy.compactMap(value).first
  }

  private mutating func append(
    id: [UInt8], title: String?, categories: [String]?, text: String
  ) {
    let known = table.ids.count
    guard table.ids.insert(id) == known else {
      table.repeatedCount += 1
      return
    }
    table.titles.append(title ?? "")
    table.categories.append(categories ?? [])
    table.texts.append(text)
  }
}

extension JSONValue {
  /// All texts in a value, lists within lists included.
  var texts: [String] {
    switch self {
    case .string(let text): text.isEmpty ? [] : [text]
    case .literal(let text): [text]
    case .array(let elements): elements.flatMap(\.texts)
    case .null, .bool, .object, .integer, .number: []
    }
  }

  /// A list as one text, its elements parted by commas.
  var joinedText: String { texts.joined(separator: ", ") }
}
