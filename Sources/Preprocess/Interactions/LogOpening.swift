internal import ShardIO
internal import TextInput

/// A log whose first chunk has been looked at: its format and its columns are known.
struct LogOpening {
  /// Parses the chunks of the log.
  let parser: RowParser
  /// What the log looks like.
  let source: LogSource
  private var reader: ChunkReader
  private var first: OpenedChunk?

  /// Large enough to be read at full speed, small enough for the second cache.
  private static let chunkByteCount = 1 << 20
  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  /// Reads the first chunk.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat` if the file is empty or its header lacks a column.
  init(_ stream: ByteStream, _ settings: InteractionSettings) throws(PipelineError) {
    let name = stream.name
    let head = try stream.peek(4096)
    if head.isEmpty {
      throw PipelineError(
        .dataFormat, "the file is empty, expected a header and one event a line",
        at: .init(path: name))
    }
    try Self.requireText(head, name)
    let format = settings.format ?? Self.detect(head, name)
    var reader = ChunkReader(
      stream, hasQuotes: format == .csv && (settings.delimiter ?? 44) != 9,
      byteCount: Self.chunkByteCount)
    guard let chunk = try reader.next() else {
      throw PipelineError(.internalError, "the file ended twice", at: .init(path: name))
    }
    var opened = OpenedChunk(bytes: chunk.bytes)
    if chunk.bytes.starts(with: Self.byteOrderMark) { opened.start = Self.byteOrderMark.count }
    switch format {
    case .jsonl:
      parser = .json(JSONRowParser(settings))
      source = LogSource(name: name, format: format, columns: JSONRowParser.roles(settings))
    case .csv, .tsv, .recbole, .movielens:
      let (delimited, columns) = try Self.openDelimited(&opened, format, settings, name)
      parser = .delimited(DelimitedRowParser(delimited, columns, settings))
      source = LogSource(name: name, format: format, columns: columns.roles)
    }
    self.reader = reader
    first = opened
  }

  /// The next chunk, or nil at the end of the log; the memory of `used` may be taken for it.
  mutating func next(_ used: [UInt8]) throws(PipelineError) -> OpenedChunk? {
    if let first {
      self.first = nil
      return first
    }
    guard let chunk = try reader.next(reusing: used) else { return nil }
    return OpenedChunk(bytes: chunk.bytes, index: chunk.index)
  }

  /// Tells the format from the name and the first bytes, where that is safe.
  private static func detect(_ head: [UInt8], _ name: String) -> LogFormat {
    var text = head[...]
    if text.starts(with: byteOrderMark) { text = text.dropFirst(byteOrderMark.count) }
    let line = text.prefix { $0 != UInt8(ascii: "\n") }
    if line.first == UInt8(ascii: "{") { return .jsonl }
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

  private static func requireText(_ head: [UInt8], _ name: String) throws(PipelineError) {
    let isUTF16 = head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF])
    let isParquet = head.starts(with: Array("PAR1".utf8))
    guard isUTF16 || isParquet else { return }
    throw PipelineError(
      .dataFormat,
      isUTF16 ? "the file is UTF-16, expected UTF-8" : "the file is Parquet, expected text",
      at: .init(path: name, line: 1, column: 1),
      note: isUTF16
        ? "convert it, for example with iconv -f UTF-16 -t UTF-8"
        : "pipe it in as text, for example with duckdb -csv -c \"from 'file'\" and --interactions -"
    )
  }

  private static func openDelimited(
    _ opened: inout OpenedChunk, _ format: LogFormat, _ settings: InteractionSettings,
    _ name: String
  ) throws(PipelineError) -> (DelimitedFormat, ColumnMap) {
    var delimited: DelimitedFormat =
      switch format {
      case .tsv, .recbole: .tabSeparated
      case .movielens: .movieLens
      case .csv, .jsonl: .commaSeparated
      }
    if let delimiter = settings.delimiter { delimited.delimiter = delimiter }
    var scanner = DelimitedScanner(delimited)
    let text = opened.bytes
    let bytes = text.span
    let next = scanner.scan(bytes, from: opened.start)
    if let fault = scanner.fault {
      let site = RecordSite(begin: opened.start, line: 1).fault(fault, bytes)
      throw PipelineError(
        .dataFormat, site.message, at: .init(path: name, line: site.line, column: site.column))
    }
    guard settings.hasHeader, format != .movielens else {
      return (delimited, try ColumnMap(fieldCount: scanner.fields.count, settings, file: name))
    }
    let header = scanner.fields.map { field in
      String(decoding: unescapedQuotes(bytes, field), as: UTF8.self)
    }
    opened.start = next
    opened.headerLineCount = scanner.lineCount
    return (delimited, try ColumnMap(header: header, settings, file: name))
  }
}

/// The bytes of a field, doubled quotes resolved.
func unescapedQuotes(_ bytes: Span<UInt8>, _ field: DelimitedScanner.Field) -> [UInt8] {
  field.hasEscapes ? unescapedQuotes(bytes, field.range) : field.range.map { bytes[$0] }
}
