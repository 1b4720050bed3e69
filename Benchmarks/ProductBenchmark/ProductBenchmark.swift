import ArgumentParser
import Glibc
import MultiplyAddRate
import Numerics

/// Matrix products in single precision of the shapes of training and ranking, on one thread, as a share of the rate at which the
/// processor multiplies and adds in registers; other libraries beside them.
///
/// Everything is measured in turn within a shape, and the best pass counts, so that shares can be compared on a machine that does other
/// work too. Times are those of the processor, not of the clock on the wall.
@main
struct ProductBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "product-benchmark")

  @Option(
    help: ArgumentHelp(
      "A library with 'cblas_sgemm', measured beside ours; repeatable.",
      valueName: "file"))
  var library: [String] = []

  @Option(help: "Passes over all contenders for each shape.")
  var passes = 40

  @Option(
    help:
      "MiB that the factors of consecutive products come from; 0 for the same factors."
  )
  var spread = 0

  @Option(help: "Only shapes whose name contains this.")
  var only = ""

  func run() throws {
    let contenders =
      try [Contender(name: "h2rec", multiply: Operands.multiply)] + library.map(Contender.init)
    let names = contenders.map { column($0.name) }.joined()
    print(left("m x n x k, form", 42) + column("GFLOP/s") + names)
    var logarithms = [Double](repeating: 0, count: contenders.count)
    let shapes = ProductShape.all.filter { only.isEmpty || $0.name.contains(only) }
    for shape in shapes {
      let (limit, rates) = measure(shape, contenders)
      let shares = rates.map { $0 / limit }
      for index in shares.indices { logarithms[index] += log(shares[index]) }
      print(
        left(shape.name, 42) + column("\(Int((limit * 1e-9).rounded()))")
          + shares.map(percent).joined())
    }
    let means = logarithms.map { exp($0 / Double(max(1, shapes.count))) }
    print(left("geometric mean", 42) + column("") + means.map(percent).joined())
  }

  /// The best rate of multiply-adds and of each contender, in operations a second.
  private func measure(
    _ shape: ProductShape, _ contenders: [Contender]
  ) -> (limit: Double, rates: [Double]) {
    let operands = Operands(shape, spread: spread << 20)
    // Passes shorter than a time slice of the system.
    let repeats = max(1, Int(5e7 / shape.operations))
    var limit = 0.0
    var rates = [Double](repeating: 0, count: contenders.count)
    for _ in 0..<passes {
      var done = 0.0
      let elapsed = processorSeconds { done = h2rec_multiply_adds(100_000) }
      limit = max(limit, done / elapsed)
      for (index, contender) in contenders.enumerated() {
        let elapsed = processorSeconds {
          for turn in 0..<repeats { contender.multiply(operands, turn) }
        }
        rates[index] = max(rates[index], shape.operations * Double(repeats) / elapsed)
      }
    }
    return (limit, rates)
  }

  /// The time that this thread ran, in seconds.
  private func processorSeconds(_ body: () -> Void) -> Double {
    func now() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
    let start = now()
    body()
    return now() - start
  }

  private func percent(_ share: Double) -> String { column("\(Int((100 * share).rounded())) %") }

  private func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private func column(_ text: String) -> String {
    String(repeating: " ", count: max(1, 12 - text.count)) + text
  }
}
