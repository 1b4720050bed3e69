import Dataset
import Glibc
import ShardIO
import TextInput

@testable import Preprocess
@testable import Tokenize

/// The readers of what others wrote.
enum Reader: String, CaseIterable {
  /// A log, its format told from its contents; also gzip and zstd.
  case log
  case csv
  case csvWithoutHeader = "csv-without-header"
  case tsv
  case movielens
  case recbole
  case jsonl
  case items
  case itemText = "item-text"
  case numpy
  case archive
  case safetensors
  case textVectors = "text-vectors"
  case vectorIDs = "vector-ids"
  case codes
  case times

  /// All names, for a message.
  static var names: String { allCases.map(\.rawValue).joined(separator: " ") }

  /// Reads an input; a refusal must be one of the user's data.
  func read(_ file: InputFile) {
    do throws(PipelineError) {
      try readOrRefuse(file)
    } catch {
      precondition(
        error.kind != .internalError, "a fault of the program: \(error.message)")
      precondition(!error.message.isEmpty)
    }
  }

  private func readOrRefuse(_ file: InputFile) throws(PipelineError) {
    switch self {
    case .log: try readLog(file, nil)
    case .csv: try readLog(file, .csv)
    case .csvWithoutHeader: try readLog(file, .csv, hasHeader: false)
    case .tsv: try readLog(file, .tsv)
    case .movielens: try readLog(file, .movielens)
    case .recbole: try readLog(file, .recbole)
    case .jsonl: try readLog(file, .jsonl)
    case .items:
      _ = try ItemReader.read(
        file.path, ItemSettings(template: try TextTemplate(TextTemplate.usual), skipsBadRows: true))
    case .itemText:
      let bytes = try ByteStream(file.path).readAll(limit: 1 << 20)
      let template = try TextTemplate(String(decoding: bytes, as: UTF8.self))
      _ = template.text { $0.count.isMultiple(of: 2) ? "" : $0 }
    case .numpy, .archive, .safetensors, .textVectors: try readVectors(file)
    case .vectorIDs:
      _ = try VectorReader(vectors: "/dev/null", idList: file.path, field: nil)
    case .codes:
      _ = try ForeignCodes(file.path)
      try readJSONCodes(file)
    case .times:
      let bytes = try ByteStream(file.path).readAll(limit: 1 << 20)
      for format in TimestampFormat.allCases where format != .none {
        _ = parseTimestamp(bytes.span, 0..<bytes.count, format)
      }
      _ = parseDecimal(bytes.span, 0..<bytes.count)
      _ = EventKinds(argument: String(decoding: bytes, as: UTF8.self))
    }
  }

  /// Reads a log twice, refusing and skipping bad rows, with every column in use.
  private func readLog(
    _ file: InputFile, _ format: LogFormat?, hasHeader: Bool = true
  ) throws(PipelineError) {
    var settings = InteractionSettings()
    settings.format = format
    settings.hasHeader = hasHeader
    settings.skipsBadRows = true
    settings.keepsBadRows = true
    let log = try InteractionReader.read([file.path], settings)
    precondition(log.counters.rowCount >= log.faults.count)
    settings.skipsBadRows = false
    settings.minimumRating = 3
    settings.eventWeights = ["view": 1, "buy": 5]
    settings.timestampFormat = .none
    _ = try InteractionReader.read([file.path], settings)
  }

  private func readVectors(_ file: InputFile) throws(PipelineError) {
    let reader: VectorReader
    do throws(PipelineError) {
      reader = try VectorReader(vectors: file.path, idList: nil, field: nil)
    } catch {
      guard error.kind == .usage else { throw error }
      return try readMatrix(file)
    }
    let count = reader.ids.count
    _ = try reader.read((0..<UInt32(count)).map { $0 }, count: count)
  }

  /// Reads a matrix that has no ids, as many rows as it says it has.
  private func readMatrix(_ file: InputFile) throws(PipelineError) {
    let stream = try ByteStream(file.path)
    let layout: NumericLayout
    if let count = SafetensorsHeader.claimedByteCount(try stream.peek(9)) {
      let header = try SafetensorsHeader(try stream.peek(count), path: stream.name)
      layout = try header.layout(nil, path: stream.name)
    } else {
      layout = try VectorReader.numpyLayout(stream)
    }
    // In the program as many ids were read before.
    guard layout.rowCount <= 1000 else { return }
    var ids = IdentifierTable()
    for row in 0..<layout.rowCount { _ = ids.insert("\(row)".utf8) }
    let numbers = NumericReader(stream: stream, layout: layout, ids: ids)
    _ = try numbers.read((0..<UInt32(ids.count)).map { $0 }, count: ids.count)
  }

  /// Reads codes under a name that says they are JSON.
  private func readJSONCodes(_ file: InputFile) throws(PipelineError) {
    let path = "/tmp/fuzz-\(getpid()).json"
    precondition(symlink(file.path, path) == 0, "no link \(path)")
    defer { unlink(path) }
    _ = try ForeignCodes(path)
  }
}
