import ArgumentParser
import Glibc
import Kernels
import Ranking
import ShardIO

/// Recommendations and ranks for many users, beside the bare matrix product on the same machine.
@main
struct RankingBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "ranking-benchmark")

  @Option(help: "Users to score.")
  var users = 65_536

  @Option(help: "Items of the catalogue.")
  var items = 100_000

  @Option(help: "Length of a vector.")
  var width = 128

  @Option(help: "Length of a list.")
  var count = 100

  @Option(help: "Threads.")
  var threads = 2

  /// Users whose vectors exist at the same time, as in the evaluate stage.
  private static let blockSize = 8192

  func run() {
    let catalogue = matrix(rows: items, stream: 1)
    var (lists, ranks) = (Duration.zero, Duration.zero)
    for first in stride(from: 0, to: users, by: Self.blockSize) {
      let rows = min(Self.blockSize, users - first)
      let block = matrix(rows: rows, stream: UInt64(2 + first))
      let histories = RaggedArray(
        (0..<rows).map { user in (0..<10).map { UInt32((user * 31 + $0 * 977) % items) } })
      let targets = (0..<rows).map { UInt32($0 * 13 % items) }
      lists += ContinuousClock().measure {
        _ = topK(
          users: block, items: catalogue, count: count, excluded: histories, threads: threads)
      }
      ranks += ContinuousClock().measure {
        _ = midRanks(
          users: block, items: catalogue, targets: targets, excluded: histories, threads: threads)
      }
    }
    let work = 2 * Double(users) * Double(items) * Double(width) / 1e9
    let product = productRate()
    print("matrix product alone: \(Int(product)) GF/s")
    for (what, duration) in [("lists of \(count)", lists), ("mid-ranks", ranks)] {
      let rate = work / seconds(duration)
      let speed = Int(Double(users) / seconds(duration))
      print(
        "\(what): \(speed) users/s, \(Int(rate)) GF/s, \(Int(100 * rate / product)) % of the product"
      )
    }
    var usage = rusage()
    getrusage(0, &usage)
    print("peak memory \(usage.ru_maxrss / 1024) MB")
  }

  private func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }

  private func matrix(rows: Int, stream: UInt64) -> Matrix {
    let random = CounterRandom(seed: 1, stream: stream)
    return Matrix(
      rows: rows, columns: width,
      values: (0..<rows * width).map { Float(random.uniform(UInt64($0))) - 0.5 })
  }

  /// Products of 1024 users with 4096 items on every thread, GF/s: what the library does when nothing else is asked of it.
  private func productRate() -> Double {
    let (m, n, repeats) = (1024, 4096, 20)
    let a = matrix(rows: m, stream: 3).values
    let b = matrix(rows: n, stream: 4).values
    let (width, threads) = (width, threads)
    let elapsed = ContinuousClock().measure {
      parallelFor(threads, threads: threads) { _ in
        var c = [Float](repeating: 0, count: m * n)
        for _ in 0..<repeats {
          matrixMultiply(m, n, width, a, width, b, width, transposeB: true, &c, n)
        }
      }
    }
    return 2 * Double(m * n * width * repeats * threads) / 1e9 / seconds(elapsed)
  }
}
