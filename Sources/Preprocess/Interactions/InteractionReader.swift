internal import Numerics
internal import ShardIO
internal import Synchronization
internal import TextInput

/// Reads interaction logs into memory.
///
/// A file is cut into chunks at record boundaries; chunks are parsed at the same time by workers with id tables of their
/// own, which are joined at the end. What comes out does not depend on who parsed what.
struct InteractionReader {
  private var settings: InteractionSettings
  private let storage: EventStorage
  private let workers: [Worker]
  private var blocks: [EventBlock] = []
  private var counters = RowCounters()
  private var faults = FaultList()
  private var badRows: [UInt8] = []
  private var sources: [LogSource] = []

  /// The ids and the parser of one worker.
  private final class Worker: Sendable {
    let state = Mutex(WorkerIDs())
  }

  /// A chunk that has been parsed.
  private struct Piece: Sendable {
    var index: Int
    var headerLineCount: Int
    var parsed: ParsedChunk
  }

  /// Creates a reader.
  init(_ settings: InteractionSettings, _ storage: EventStorage) {
    self.settings = settings
    self.storage = storage
    workers = (0..<settings.threads).map { _ in Worker() }
  }

  /// Reads files in the order given, or the rows of a query.
  ///
  /// - Throws: ``PipelineError``: `.missingInput`, or `.dataFormat` with the first bad rows of the first file that has some.
  static func read(
    _ paths: [String], _ settings: InteractionSettings, _ storage: EventStorage = .unlimited
  ) throws(PipelineError) -> InteractionLog {
    let paths = settings.query == nil ? paths : [InputOptions.queryName]
    var clock = PhaseClock()
    var reader = InteractionReader(settings, storage)
    for path in paths { try reader.readFile(path) }
    // The first rows may be of another unit than most.
    if let unit = reader.counters.times.unit, unit != reader.settings.timeUnit {
      // A query may have other rows when it is asked again.
      guard !paths.contains(ByteStream.standardInputPath), settings.query == nil else {
        throw PipelineError(
          .dataFormat, "the first times are not of the same unit as most, \(unit.rawValue)",
          at: .init(path: settings.query == nil ? "<stdin>" : InputOptions.queryName),
          note: "name the unit with --timestamp-format \(unit.rawValue)"
        )
      }
      storage.reset()
      var known = settings
      known.timeUnit = unit
      reader = InteractionReader(known, storage)
      for path in paths { try reader.readFile(path) }
    }
    try storage.requireRoom()
    clock.finish("read")
    var log = reader.joined()
    clock.finish("ids")
    log.clock = clock
    return log
  }

  private mutating func readFile(_ path: String) throws(PipelineError) {
    let stream =
      if let query = settings.query {
        try ByteStream(query: query, as: .csv, name: path)
      } else {
        try ByteStream(table: path, as: .csv)
      }
    let opening = try LogOpening(stream, settings)
    settings.timeUnit = settings.timeUnit ?? opening.timeUnit
    var source = opening.source
    let pieces = try parse(opening, opening.parser)
    var lineOffset = 0
    var fileFaults = FaultList()
    for piece in pieces {
      blocks.append(piece.parsed.events)
      counters += piece.parsed.counters
      source.rowCount += piece.parsed.counters.rowCount
      lineOffset += piece.headerLineCount
      fileFaults.append(piece.parsed.faults, lineOffset: lineOffset)
      badRows += piece.parsed.badRows
      lineOffset += piece.parsed.lineCount
    }
    if !settings.skipsBadRows,
      let error = fileFaults.error(in: source.name, rowCount: source.rowCount)
    {
      throw error
    }
    faults.append(fileFaults, lineOffset: 0)
    sources.append(source)
  }

  /// Parses all chunks of a file; each worker takes the next one when it has done its last.
  private func parse(
    _ opening: sending LogOpening, _ parser: RowParser
  ) throws(PipelineError) -> [Piece] {
    let queue = Mutex(opening)
    let results = Mutex((pieces: [Piece](), failure: PipelineError?.none))
    let workers = workers
    let storage = storage
    parallelFor(workers.count, threads: settings.threads) { number in
      var parser = parser
      workers[number].state.withLock { ids in
        do throws(PipelineError) {
          var used: [UInt8] = []
          while let chunk = try queue.withLock({ log throws(PipelineError) in try log.next(used) })
          {
            var parsed = parser.parse(chunk.bytes.span, from: 0, into: &ids)
            parsed.events.worker = number
            let isKept = storage.keepsBlock(
              byteCount: parsed.events.byteCount, worker: number,
              idByteCount: ids.users.memoryByteCount + ids.items.memoryByteCount)
            if !isKept { try parsed.events.store(storage) }
            let piece = Piece(
              index: chunk.index, headerLineCount: chunk.headerLineCount, parsed: parsed)
            results.withLock { $0.pieces.append(piece) }
            used = chunk.bytes
          }
        } catch {
          results.withLock { $0.failure = error }
        }
      }
    }
    let (pieces, failure) = results.withLock { $0 }
    if let failure { throw failure }
    return pieces.sorted { $0.index < $1.index }
  }

  /// Joins what the workers have read; without times, the place of an event is its time.
  private consuming func joined() -> InteractionLog {
    if settings.timestampFormat == .none {
      var place: Int64 = 0
      for index in blocks.indices {
        blocks[index].firstPlace = place
        place += Int64(blocks[index].count)
      }
    }
    let ids = workers.map { worker in
      worker.state.withLock { ids in
        defer { ids = WorkerIDs() }
        return ids
      }
    }
    var log = InteractionLog(ids, blocks, storage, threads: settings.threads)
    log.counters = counters
    log.timeUnit = settings.timeUnit
    log.faults = faults
    log.badRows = badRows
    log.sources = sources
    return log
  }
}

/// A chunk of rows.
struct OpenedChunk: Sendable {
  var bytes: [UInt8]
  /// The number of the chunk in its file, from 0.
  var index = 0
  /// The lines before the first chunk, such as a header.
  var headerLineCount = 0
}

/// Parses chunks of one format.
enum RowParser: Sendable {
  case delimited(DelimitedRowParser)
  case json(JSONRowParser)

  mutating func parse(
    _ bytes: Span<UInt8>, from start: Int, into ids: inout WorkerIDs
  ) -> ParsedChunk {
    switch self {
    case .delimited(var parser):
      defer { self = .delimited(parser) }
      return parser.parse(bytes, from: start, into: &ids)
    case .json(let parser): return parser.parse(bytes, from: start, into: &ids)
    }
  }
}
