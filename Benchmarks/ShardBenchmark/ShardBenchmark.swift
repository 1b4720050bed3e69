import ShardIO
import SystemPackage

/// Writes and reads a table of many rows, and prints how fast: `H2REC_BENCHMARKS=1 swift run -c release
/// shard-benchmark DIRECTORY [ROWS]`.
@main
struct ShardBenchmark {
  static func main() throws {
    guard CommandLine.arguments.count > 1 else {
      fatalError("usage: shard-benchmark DIRECTORY [ROWS]")
    }
    let directory = FilePath(CommandLine.arguments[1])
    let rowCount = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 0 : 20_000_000
    for table in [interactions(rowCount), sequences(rowCount / 40), vectors(rowCount / 128)] {
      try measure(table, in: directory)
    }
  }

  /// A log: users in order, items by a skewed law, rising times.
  private static func interactions(_ rowCount: Int) -> Table {
    var random = SplitMix(state: 1)
    var items: [UInt32] = []
    var times: [Int64] = []
    var ratings: [Float] = []
    var time: Int64 = 1_400_000_000
    for _ in 0..<rowCount {
      let uniform = Double(random.next() >> 11) * 0x1p-53
      items.append(UInt32(200_000 * uniform * uniform * uniform))
      time += Int64(random.next() % 120)
      times.append(time)
      ratings.append(Float(random.next() % 5 + 1))
    }
    let users = (0..<rowCount).map { UInt32($0 / 40) }
    return Table(
      kind: "interactions", rowCount: rowCount,
      columns: [
        .fixed("user", users), .fixed("item", items), .fixed("time", times),
        .fixed("rating", ratings),
      ])
  }

  /// Histories of 1 to 79 items with their times.
  private static func sequences(_ rowCount: Int) -> Table {
    var random = SplitMix(state: 2)
    var items = RaggedArray<UInt32>()
    var times = RaggedArray<Int64>()
    for _ in 0..<rowCount {
      let count = Int(random.next() % 79 + 1)
      items.append(contentsOf: (0..<count).map { _ in UInt32(random.next() % 200_000) })
      let start = Int64(1_400_000_000 + random.next() % 100_000_000)
      times.append(contentsOf: (0..<count).map { start + Int64($0) * 86_400 })
    }
    let users = (0..<rowCount).map { "user-\($0 &* 2_654_435_761 % 4_294_967_296)" }
    return Table(
      kind: "sequences", rowCount: rowCount,
      columns: [.strings("user_id", users), .ragged("items", items), .ragged("times", times)])
  }

  /// Vectors of 128 numbers.
  private static func vectors(_ rowCount: Int) -> Table {
    var random = SplitMix(state: 3)
    let values = (0..<(rowCount * 128)).map { _ in Float(random.next() >> 40) * 0x1p-24 - 0.5 }
    return Table(
      kind: "vectors", rowCount: rowCount, columns: [.fixed("vector", values, width: 128)])
  }

  private static func measure(_ table: Table, in directory: FilePath) throws {
    let clock = ContinuousClock()
    let writing = try clock.measure {
      var output = try StageOutput(directory: directory, stage: "benchmark")
      try output.write(table)
      try output.commit(configuration: [:], inputs: [], counters: [:])
    }
    let input = try StageInput(directory: directory, expecting: "benchmark")
    var copy: Table?
    let reading = try clock.measure { copy = try input.table(table.kind) }
    guard copy == table else { fatalError("the table read differs from the one written") }
    let stored = input.manifest.outputs.reduce(0) { $0 + $1.bytes }
    let bytes = Double(table.byteCount)
    print(
      "\(table.kind): \(table.rowCount) rows, \(table.byteCount >> 20) MiB in memory, "
        + "\(stored >> 20) MiB in \(input.manifest.outputs.count) shards; "
        + "written at \(Int(bytes / 1e6 / seconds(writing))) MB/s, "
        + "read at \(Int(bytes / 1e6 / seconds(reading))) MB/s")
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }
}

/// Random numbers that are the same in every run.
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
