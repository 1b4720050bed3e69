import ArgumentParser
import Glibc
import Numerics
import Retrieval
import ShardIO

/// Recommendations for many users, beside the bare matrix product on the same machine; ends in one JSON line.
///
/// Users come a block at a time, as in the evaluate stage, and only the time of scoring and choosing is counted. The bound is
/// the rate of the matrix product that scores everybody, measured here on shapes that suit it, between the blocks: in single precision, and
/// beside it with inputs rounded to bfloat16 where the processor has such products. `exactPerUser` is how many scores a user needed besides.
/// `compare_with_torch_and_faiss.py` beside this file times the same work by two other programs.
@main
struct RankingBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "ranking-benchmark")

  @Option(help: "Users to score.")
  var users = 1_000_000

  @Option(help: "Items of the catalogue.")
  var items = 100_000

  @Option(help: "Length of a vector; of a model with both branches, twice its dimension.")
  var width = 128

  @Option(help: "Length of a list.")
  var count = 100

  @Option(help: "Items of each user's history, which are left out.")
  var history = 10

  @Option(help: "Threads.")
  var threads = 2

  @Flag(help: "Time the rank of one target a user too.")
  var ranks = false

  /// Users whose vectors exist at the same time, as in the evaluate stage.
  private static let blockSize = 8192

  func run() {
    let catalogue = matrix(rows: items, stream: 1)
    var (lists, targets) = (Work(), Work())
    var products = Rates()
    products.measure(self)
    for (number, first) in stride(from: 0, to: users, by: Self.blockSize).enumerated() {
      let rows = min(Self.blockSize, users - first)
      let block = matrix(rows: rows, stream: UInt64(2 + first))
      let histories = histories(of: rows, from: first)
      lists.add {
        _ = topK(
          users: block, items: catalogue, count: count, excluded: histories, threads: threads)
      }
      if ranks {
        targets.add {
          _ = midRanks(
            users: block, items: catalogue, targets: (0..<rows).map { UInt32($0 * 13 % items) },
            excluded: histories, threads: threads)
        }
      }
      if number % 8 == 0 { products.measure(self) }
    }
    if ranks { report("ranks", targets, products) }
    report("recommendations", lists, products)
  }

  /// Seconds and arithmetic operations.
  private struct Work {
    var duration = Duration.zero
    var operations = 0

    mutating func add(_ body: () -> Void) {
      let before = ArithmeticCounter.total
      duration += ContinuousClock().measure(body)
      operations += ArithmeticCounter.total - before
    }
  }

  /// Rates of the matrix product at several times, GF/s.
  private struct Rates {
    var single: [Double] = []
    var bfloat16: [Double] = []

    mutating func measure(_ benchmark: RankingBenchmark) {
      single.append(benchmark.productRate(.float32))
      if ProductPrecision.bfloat16.isAvailable { bfloat16.append(benchmark.productRate(.bfloat16)) }
    }

    static func median(_ rates: [Double]) -> Double { rates.sorted()[rates.count / 2] }
  }

  /// Prints one JSON line.
  private func report(_ what: String, _ work: Work, _ products: Rates) {
    let seconds = seconds(work.duration)
    let scores = Double(users) * Double(items) / seconds
    let product = Rates.median(products.single)
    let share = 2 * scores * Double(width) / 1e9
    let exact = Double(work.operations) / Double(2 * width) / Double(users) - Double(items)
    var usage = rusage()
    getrusage(0, &usage)
    var line = """
      {"bench": "\(what)", "users": \(users), "items": \(items), "width": \(width), "count": \(count), \
      "threads": \(threads), "seconds": \(rounded(seconds)), "usersPerSecond": \
      \(Int(Double(users) / seconds)), "scoresPerSecond": \(Int(scores)), "exactPerUser": \(rounded(exact)), \
      "productGigaflops": \(rounded(product)), "share_of_bound": \(rounded(share / product))
      """
    if !products.bfloat16.isEmpty {
      let product = Rates.median(products.bfloat16)
      line += """
        , "bfloat16Gigaflops": \(rounded(product)), "share_of_bfloat16": \(rounded(share / product))
        """
    }
    print(line + ", \"peakMegabytes\": \(usage.ru_maxrss / 1024)}")
  }

  private func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

  private func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }

  /// Vectors whose products are scores with about the spread of a trained model's.
  private func matrix(rows: Int, stream: UInt64) -> Matrix {
    let random = CounterRandom(seed: 1, stream: stream)
    return Matrix(
      rows: rows, columns: width,
      values: (0..<rows * width).map { Float(random.uniform(UInt64($0))) - 0.5 })
  }

  private func histories(of rows: Int, from first: Int) -> RaggedArray<UInt32> {
    RaggedArray(
      (first..<first + rows).map { user in
        (0..<history).map { UInt32((user * 31 + $0 * 977) % items) }
      })
  }

  /// Products of 1024 users with 4096 items on every thread, GF/s: what the library does when nothing else is asked of it.
  private func productRate(_ precision: ProductPrecision) -> Double {
    let (m, n, repeats) = (1024, 4096, 20)
    let a = matrix(rows: m, stream: 3).values
    let b = matrix(rows: n, stream: 4).values
    let (width, threads) = (width, threads)
    let elapsed = ContinuousClock().measure {
      parallelFor(threads, threads: threads) { _ in
        benchmarkProduct(m, n, width, a, b, precision: precision, repeats: repeats)
      }
    }
    return 2 * Double(m * n * width * repeats * threads) / 1e9 / seconds(elapsed)
  }
}
