internal import ShardIO
internal import TextInput

/// A log whose first bytes have been looked at: its format and its columns are known.
struct LogOpening {
  /// Parses the chunks of the log.
  let parser: RowParser
  /// What the log looks like.
  let source: LogSource
  /// The unit of times that are numbers, told from the first rows; nil where they tell none.
  let timeUnit: TimeUnit?
  private var reader: ChunkReader
  private var first: Chunk?
  private let headerLineCount: Int

  /// Large enough to be read at full speed, small enough for the second cache.
  private static let chunkByteCount = 1 << 20

  /// Reads up to the first row.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat` if the file is empty, is no text, or its header lacks a column.
  init(_ stream: ByteStream, _ settings: InteractionSettings) throws(PipelineError) {
    let name = stream.name
    let head = try stream.peek(DelimitedHead.usualByteCount)
    if head.isEmpty {
      throw PipelineError(
        .dataFormat, "the file is empty, expected a header and one event a line",
        at: .init(path: name))
    }
    try requireText(head, path: name)
    let format = settings.format ?? Self.detect(head)
    let rows: (InteractionSettings) -> RowParser
    switch format {
    case .jsonl:
      try requireJSONLines(head, path: name)
      try stream.skip(byteOrderMarkLength(head))
      rows = { .json(JSONRowParser($0)) }
      source = LogSource(name: name, format: format, columns: JSONRowParser.roles(settings))
      headerLineCount = 0
      reader = ChunkReader(stream, scanner: nil, byteCount: Self.chunkByteCount)
    case .csv, .tsv, .recbole, .movielens:
      let hasHeader = settings.hasHeader && format != .movielens
      let start = try DelimitedHead(
        stream, Self.formats(format, settings), isHeader: hasHeader
      ) { fields in
        hasHeader
          ? ColumnMap.hasIDs(header: fields, settings)
          : fields.count >= (settings.timestampFormat == .none ? 2 : 3)
      }
      let columns =
        hasHeader
        ? try ColumnMap(header: start.fields, line: start.line, settings, file: name)
        : try ColumnMap(fieldCount: start.fields.count, settings, file: name)
      try stream.skip(start.byteCount)
      rows = { .delimited(DelimitedRowParser(start.format, columns, $0)) }
      var source = LogSource(name: name, format: format, columns: columns.roles)
      source.delimiter = start.format.delimiter
      self.source = source
      headerLineCount = start.lineCount
      reader = ChunkReader(
        stream, scanner: DelimitedScanner(start.format, fieldCount: columns.fieldCount),
        byteCount: Self.chunkByteCount)
    }
    first = try reader.next()
    timeUnit = settings.timeUnit ?? Self.unit(first, rows(settings), settings)
    var settings = settings
    settings.timeUnit = timeUnit
    parser = rows(settings)
  }

  /// The unit of most times of the first rows.
  private static func unit(
    _ chunk: Chunk?, _ parser: RowParser, _ settings: InteractionSettings
  ) -> TimeUnit? {
    guard case .automatic = settings.timestampFormat, let chunk else { return nil }
    var (parser, ids) = (parser, WorkerIDs())
    return parser.parse(chunk.bytes.span, from: 0, into: &ids).counters.times.unit
  }

  /// The next chunk, or nil at the end of the log; the memory of `used` may be taken for it.
  mutating func next(_ used: [UInt8]) throws(PipelineError) -> OpenedChunk? {
    if let first {
      self.first = nil
      return OpenedChunk(
        bytes: first.bytes, index: first.index, headerLineCount: headerLineCount)
    }
    guard let chunk = try reader.next(reusing: used) else { return nil }
    return OpenedChunk(bytes: chunk.bytes, index: chunk.index)
  }

  /// Tells the format from the first bytes, where that is safe.
  private static func detect(_ head: [UInt8]) -> LogFormat {
    var text = head[byteOrderMarkLength(head)...]
    if let separator = SeparatorLine(text) { text = text.dropFirst(separator.byteCount) }
    let line = text.prefix { $0 != UInt8(ascii: "\n") }
    if line.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") { return .jsonl }
    let hasTab = line.contains(UInt8(ascii: "\t"))
    if hasTab {
      return line.contains(UInt8(ascii: ":"))
        && String(decoding: line, as: UTF8.self)
          .split(separator: "\t").allSatisfy { $0.contains(":") }
        ? .recbole : .tsv
    }
    let isMovieLens = line.indices.dropLast().contains { line[$0] == 58 && line[$0 + 1] == 58 }
    return isMovieLens && !line.contains(UInt8(ascii: ",")) ? .movielens : .csv
  }

  /// The ways in which fields may be told apart, the usual one first.
  private static func formats(
    _ format: LogFormat, _ settings: InteractionSettings
  ) -> [DelimitedFormat] {
    if let delimiter = settings.delimiter {
      var given = format == .movielens ? DelimitedFormat.movieLens : .commaSeparated
      given.delimiter = delimiter
      return [given]
    }
    switch format {
    case .tsv, .recbole: return [.tabSeparated]
    case .movielens: return [.movieLens]
    case .csv, .jsonl: return DelimitedHead.usualFormats
    }
  }
}

/// The bytes of a field, doubled quotes resolved.
func unescapedQuotes(_ bytes: Span<UInt8>, _ field: DelimitedScanner.Field) -> [UInt8] {
  field.hasEscapes ? unescapedQuotes(bytes, field.range) : field.range.map { bytes[$0] }
}
