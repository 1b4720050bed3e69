internal import Kernels
internal import ShardIO
internal import Synchronization
internal import TextInput

/// Reads interaction logs into memory.
///
/// A file is cut into chunks at record boundaries; chunks are parsed at the same time by workers with id tables of their
/// own, which are joined at the end. What comes out does not depend on who parsed what.
struct InteractionReader {
  private let settings: InteractionSettings
  private let workers: [Worker]
  private var blocks: [(worker: Int, events: EventBlock)] = []
  private var counters = RowCounters()
  private var faults = FaultList()
  private var badRows: [UInt8] = []
  private var sources: [LogSource] = []

  /// The ids and the parser of one worker.
  private final class Worker: Sendable {
    let state = Mutex(WorkerIDs())
  }

  /// Creates a reader.
  init(_ settings: InteractionSettings) {
    self.settings = settings
    workers = (0..<settings.threads).map { _ in Worker() }
  }

  /// Reads files in the order given.
  ///
  /// - Throws: ``PipelineError``: `.missingInput`, or `.dataFormat` with the first bad rows of the first file that has some.
  static func read(
    _ paths: [String], _ settings: InteractionSettings
  ) throws(PipelineError) -> InteractionLog {
    var reader = InteractionReader(settings)
    for path in paths { try reader.readFile(path) }
    return reader.joined(isTimeless: settings.timestampFormat == .none)
  }

  private mutating func readFile(_ path: String) throws(PipelineError) {
    let stream = try ByteStream(path)
    var opening = try LogOpening(stream, settings)
    var lineOffset = 0
    var fileFaults = FaultList()
    var rowCount = 0
    while true {
      let wave = try opening.nextWave(settings.threads)
      if wave.isEmpty { break }
      for (worker, parsed) in parse(wave, opening.parser).enumerated() {
        blocks.append((worker, parsed.events))
        counters += parsed.counters
        rowCount += parsed.counters.rowCount
        lineOffset += wave[worker].headerLineCount
        fileFaults.append(parsed.faults, lineOffset: lineOffset)
        badRows += parsed.badRows
        lineOffset += parsed.lineCount
      }
      if fileFaults.counts[.unterminatedQuote] != nil { break }
    }
    let isFatal = fileFaults.counts[.unterminatedQuote] != nil
    if isFatal || !settings.skipsBadRows,
      let error = fileFaults.error(in: stream.name, rowCount: rowCount)
    {
      throw error
    }
    faults.append(fileFaults, lineOffset: 0)
    var source = opening.source
    source.rowCount = rowCount
    sources.append(source)
  }

  /// Parses chunks at the same time, chunk i by worker i.
  private func parse(_ wave: [OpenedChunk], _ parser: RowParser) -> [ParsedChunk] {
    let results = Mutex([ParsedChunk](repeating: ParsedChunk(), count: wave.count))
    let workers = workers
    parallelFor(wave.count, threads: settings.threads) { index in
      var parser = parser
      let chunk = wave[index]
      let parsed = workers[index].state.withLock { ids in
        parser.parse(chunk.bytes.span, from: chunk.start, into: &ids)
      }
      results.withLock { $0[index] = parsed }
    }
    return results.withLock { $0 }
  }

  /// Joins the ids of the workers.
  private consuming func joined(isTimeless: Bool) -> InteractionLog {
    var log = InteractionLog()
    log.counters = counters
    log.faults = faults
    log.badRows = badRows
    log.sources = sources
    var userMaps: [[UInt32]] = []
    var itemMaps: [[UInt32]] = []
    for worker in workers {
      let ids = worker.state.withLock { ids in
        defer { ids = WorkerIDs() }
        return ids
      }
      if userMaps.isEmpty {
        // The numbers of the first worker stay as they are.
        userMaps.append([])
        itemMaps.append([])
        (log.users, log.items) = (ids.users, ids.items)
      } else {
        userMaps.append(log.users.merge(ids.users))
        itemMaps.append(log.items.merge(ids.items))
      }
    }
    var place: Int64 = 0
    log.blocks.reserveCapacity(blocks.count)
    for index in blocks.indices {
      var events = EventBlock()
      swap(&events, &blocks[index].events)
      let worker = blocks[index].worker
      if worker > 0 {
        renumber(&events.users, userMaps[worker])
        renumber(&events.items, itemMaps[worker])
      }
      if isTimeless {
        for row in events.times.indices { events.times[row] = place + Int64(row) }
      }
      place += Int64(events.count)
      log.blocks.append(events)
    }
    return log
  }

  private func renumber(_ numbers: inout [UInt32], _ map: [UInt32]) {
    for index in numbers.indices { numbers[index] = map[Int(numbers[index])] }
  }
}

/// A chunk and the first byte after what is no record, such as a header.
struct OpenedChunk: Sendable {
  var bytes: [UInt8]
  var start = 0
  /// The lines before `start`.
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
    case .delimited(var parser): parser.parse(bytes, from: start, into: &ids)
    case .json(let parser): parser.parse(bytes, from: start, into: &ids)
    }
  }
}
