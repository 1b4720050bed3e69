internal import ShardIO
internal import TextInput

/// The first record of delimited text, and how its fields are told apart.
struct DelimitedHead {
  /// How fields are told apart.
  let format: DelimitedFormat
  /// The fields of the first record.
  let fields: [String]
  /// The line of the first record, from 1.
  let line: Int
  /// The bytes before the first row, the header among them.
  let byteCount: Int
  /// The lines before the first row.
  let lineCount: Int

  /// The bytes that are looked at first; more only for a longer first record.
  static let usualByteCount = 1 << 16
  private static let mostByteCount = 1 << 20

  /// What CSV is delimited by, commas first.
  static let usualFormats = [",", ";", "|"].map { (byte: Unicode.Scalar) in
    DelimitedFormat(delimiter: UInt8(ascii: byte))
  }

  /// Looks at the first record; uses nothing up.
  ///
  /// - Parameters:
  ///   - stream: the text.
  ///   - formats: the ways in which fields may be told apart; a line `sep=;` at the top names another one.
  ///   - isHeader: whether the first record names columns and is no row.
  ///   - fits: whether fields are those of a first record; the first format for which they are is taken, else the first with
  ///     more than one field.
  /// - Throws: `PipelineError` `.dataFormat` if quotes are in the wrong place.
  init(
    _ stream: ByteStream, _ formats: [DelimitedFormat], isHeader: Bool,
    fits: ([String]) -> Bool
  ) throws(PipelineError) {
    var head = try stream.peek(Self.usualByteCount)
    if head.count == Self.usualByteCount, !head.contains(UInt8(ascii: "\n")) {
      head = try stream.peek(Self.mostByteCount)
    }
    var start = byteOrderMarkLength(head)
    var line = 1
    var formats = formats
    if let separator = SeparatorLine(head[start...]) {
      start += separator.byteCount
      line += 1
      if formats.count > 1 { formats = [DelimitedFormat(delimiter: separator.delimiter)] }
    }
    while start < head.count, [0x0A, 0x0D].contains(head[start]) {
      line += head[start] == 0x0A ? 1 : 0
      start += 1
    }
    let records = formats.map { Record(head, start, $0) }
    let found =
      records.first { $0.fault == nil && fits($0.fields) }
      ?? records.first { $0.fields.count > 1 } ?? records[0]
    if let fault = found.fault {
      let site = RecordSite(begin: start, line: line).fault(fault, head.span)
      throw PipelineError(
        .dataFormat, site.message,
        at: .init(path: stream.name, line: site.line, column: site.column))
    }
    format = found.format
    fields = found.fields
    self.line = line
    byteCount = isHeader ? found.end : start
    lineCount = line - 1 + (isHeader ? found.lineCount : 0)
  }

  /// The first record as one format has it.
  private struct Record {
    let format: DelimitedFormat
    let fields: [String]
    let end: Int
    let lineCount: Int
    let fault: RecordFault?

    init(_ bytes: [UInt8], _ start: Int, _ format: DelimitedFormat) {
      var scanner = DelimitedScanner(format)
      end = start < bytes.count ? scanner.scan(bytes.span, from: start) : start
      fields = scanner.fields.map { field in
        String(decoding: unescapedQuotes(bytes.span, field), as: UTF8.self)
      }
      lineCount = scanner.lineCount
      fault = scanner.fault
      self.format = format
    }
  }
}

/// The line `sep=;` that Excel writes and understands at the top of a file.
struct SeparatorLine {
  /// The byte that it names.
  let delimiter: UInt8
  /// The bytes of the line with its end.
  let byteCount: Int

  init?(_ text: ArraySlice<UInt8>) {
    let line = text.prefix { $0 != UInt8(ascii: "\n") }
    let bytes = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    guard bytes.count == 5, let delimiter = bytes.last,
      String(decoding: bytes.dropLast(), as: UTF8.self).lowercased() == "sep="
    else { return nil }
    self.delimiter = delimiter
    byteCount = min(line.count + 1, text.count)
  }
}
