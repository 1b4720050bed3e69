internal import ShardIO
internal import TextInput

/// Reads an item file: one JSON object a line, or delimited text with a header.
struct ItemReader {
  private let settings: ItemSettings
  private var table = ItemTable()
  private var faults = FaultList()
  private var rowCount = 0
  private var budget: MemoryBudget
  private let name: String
  private let plainNames = PlainNames()
  /// Fields that the user named and no item has had so far.
  private var unseenFields: Set<String>
  /// Fields that are the id or in the texts.
  private var usedFields: Set<String> = []

  /// The items of a file of JSON lines whose fields are looked at for what has no use.
  private static let sampledRowCount = 1000

  private init(_ settings: ItemSettings, name: String) {
    self.settings = settings
    self.name = name
    budget = settings.budget
    unseenFields = Set(settings.namedFields)
  }

  /// Reads a file.
  ///
  /// - Throws: ``PipelineError``: `.missingInput`; `.dataFormat` with the first bad rows; `.configuration` if the items do not fit
  ///   into their budget.
  static func read(
    _ path: String, _ settings: ItemSettings
  ) throws(PipelineError) -> ItemTable {
    let stream = try ByteStream(table: path, as: .jsonLines)
    var reader = ItemReader(settings, name: stream.name)
    let head = try stream.peek(DelimitedHead.usualByteCount)
    try requireText(head, path: stream.name)
    guard let first = head.first(where: { $0 > 0x20 && $0 < 0x7F }) else {
      throw PipelineError(
        .dataFormat, "the file is empty, expected one item a line", at: .init(path: stream.name))
    }
    if first == UInt8(ascii: "{") {
      try requireJSONLines(head, path: stream.name)
      try reader.readJSONLines(stream)
    } else {
      try reader.readDelimited(stream, head)
    }
    if !settings.skipsBadRows,
      let error = reader.faults.error(in: stream.name, rowCount: reader.rowCount)
    {
      throw error
    }
    if reader.table.count > 0, let field = reader.unseenFields.min() {
      throw PipelineError(
        .dataFormat, "no item has the field \(quoted(field))", at: .init(path: stream.name),
        note: "--title-field, --categories-field and --text name fields as the file does")
    }
    reader.table.budget = reader.budget
    return reader.table
  }

  /// Strikes out the fields that an item has.
  private mutating func noteFields(_ isThere: (String) -> Bool) {
    if !unseenFields.isEmpty { unseenFields = unseenFields.filter { !isThere($0) } }
  }

  /// Notes which fields serve what, and which serve nothing; `find` gives the field that has one of some names.
  private mutating func note(
    _ idNames: [String], _ names: [String], _ find: ([String]) -> String?
  ) {
    for (role, names) in settings.roles {
      if let found = find(names) { table.fields[role, default: []].insert(found) }
    }
    let wanted = settings.template.fields.map(settings.namesInText) + [idNames]
    usedFields.formUnion(wanted.compactMap(find))
    table.unusedNames = table.unusedNames.union(names).subtracting(usedFields)
  }

  // MARK: - JSON lines

  private mutating func readJSONLines(_ stream: ByteStream) throws(PipelineError) {
    try forEachLine(of: stream, limit: budget.recordLimit) {
      bytes, line, number throws(PipelineError) in
      guard line.contains(where: { bytes[$0] > 0x20 }) else { return }
      rowCount += 1
      try readObject(bytes, line, RecordSite(begin: line.lowerBound, line: number))
    }
  }

  private mutating func readObject(
    _ bytes: Span<UInt8>, _ line: Range<Int>, _ site: RecordSite
  ) throws(PipelineError) {
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
    let fields = JSONItemFields(node, plainNames)
    let settings = settings
    noteFields { fields.find(settings.namesInText($0)) != nil || node[$0] != nil }
    let names = settings.idField.map { [$0] } ?? UsualNames.item
    guard let id = fields.find(names)?.value.plainText, !id.isEmpty else {
      faults.record(
        site.fault(
          .missingField, at: line.lowerBound, bytes,
          "the object has no item id, looked for \(names.map { quoted($0) }.joined(separator: ", "))"
        ))
      return
    }
    if rowCount <= Self.sampledRowCount {
      note(names, fields.names) { fields.find($0)?.name }
    }
    try append(
      id: Array(id.utf8), title: fields.find(settings.names(of: .title))?.value.joinedText,
      categories: fields.find(settings.names(of: .categories))?.value.texts,
      text: settings.template.text { name in
        fields.find(settings.namesInText(name))?.value.joinedText ?? ""
      })
  }

  // MARK: - Delimited text

  private mutating func readDelimited(
    _ stream: ByteStream, _ head: [UInt8]
  ) throws(PipelineError) {
    let settings = settings
    let isTabbed = head.prefix { $0 != UInt8(ascii: "\n") }.contains(UInt8(ascii: "\t"))
    let formats = isTabbed ? [DelimitedFormat.tabSeparated] : DelimitedHead.usualFormats
    let start = try DelimitedHead(stream, formats, isHeader: true) { fields in
      DelimitedItemFields(fields, settings).id != nil
    }
    let columns = DelimitedItemFields(start.fields, settings)
    try requireItems(columns, start, stream.name)
    noteFields { columns.find(settings.namesInText($0)) != nil }
    note(settings.idField.map { [$0] } ?? UsualNames.item, start.fields) { names in
      columns.find(names).map { start.fields[$0] }
    }
    try stream.skip(start.byteCount)
    var scanner = DelimitedScanner(start.format, fieldCount: start.fields.count)
    var chunks = ChunkReader(stream, scanner: scanner, limit: budget.recordLimit)
    var line = 1 + start.lineCount
    while let chunk = try chunks.next() {
      let bytes = chunk.bytes.span
      var position = 0
      while position < bytes.count {
        let begin = position
        position = scanner.scan(bytes, from: position)
        let site = RecordSite(begin: begin, line: line)
        line += scanner.lineCount
        if let fault = scanner.fault {
          rowCount += 1
          faults.record(site.fault(fault, bytes))
          continue
        }
        let fields = scanner.fields.map { field in
          String(decoding: unescapedQuotes(bytes, field), as: UTF8.self)
        }
        if fields != [""] { try readRecord(fields, columns, site, bytes) }
      }
    }
  }

  /// Refuses a header without an item, and one of a log.
  private func requireItems(
    _ columns: DelimitedItemFields, _ start: DelimitedHead, _ name: String
  ) throws(PipelineError) {
    let found = start.fields.prefix(20).map { quoted($0) }.joined(separator: ", ")
    guard columns.id != nil else {
      throw PipelineError(
        .dataFormat,
        "the header has no column \(quoted(settings.idField ?? UsualNames.item[0])), found \(found)",
        at: .init(path: name, line: start.line), note: "name the column with --item-id-field")
    }
    let isLog = columns.find(UsualNames.user) != nil && columns.find(UsualNames.time) != nil
    if isLog, settings.roles.allSatisfy({ columns.find($0.names) == nil }) {
      throw PipelineError(
        .dataFormat,
        "this is a log of events, expected one item a line, found the columns \(found)",
        at: .init(path: name, line: start.line),
        note: "give it with --interactions, and with --items a file of titles, categories or texts")
    }
  }

  private mutating func readRecord(
    _ fields: [String], _ columns: DelimitedItemFields, _ site: RecordSite, _ bytes: Span<UInt8>
  ) throws(PipelineError) {
    rowCount += 1
    guard fields.count == columns.count else {
      faults.record(
        site.fault(
          .fieldCount, at: site.begin, bytes,
          "found \(fields.count) fields, expected \(columns.count)"))
      return
    }
    let id = columns.id.map { fields[$0] } ?? ""
    if id.isEmpty {
      faults.record(site.fault(.emptyItem, at: site.begin, bytes, "the item id is empty"))
      return
    }
    try append(
      id: Array(id.utf8), title: columns.title.map { fields[$0] },
      categories: columns.categories.map { columns.list(fields[$0], at: $0) },
      text: settings.template.text { name in
        guard let place = columns.texts[name] else { return "" }
        return place == columns.categories
          ? columns.list(fields[place], at: place).joined(separator: ", ") : fields[place]
      })
  }

  // MARK: - Rows

  private mutating func append(
    id: [UInt8], title: String?, categories: [String]?, text: String
  ) throws(PipelineError) {
    let texts = [title ?? "", text] + (categories ?? [])
    // A text has a block of its own beside its place in a list, an id its place in a table of hashes.
    let byteCount = texts.reduce(id.count + 64) { $0 + 48 + $1.utf8.count }
    let known = table.ids.count
    guard table.ids.insert(id) == known else {
      table.repeatedCount += 1
      return
    }
    try budget.take(byteCount, for: "items", of: name)
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
