public import ArgumentParser
import Glibc
public import Models
public import Numerics
import Tape

/// Times training steps and prints one JSON line.
///
/// `share_of_bound` is the time that the matrix products and attentions of the steps would take at the rate of large
/// products on this machine, divided by the time that the steps took; `phases` says the same of each phase, and its part
/// of the time.
@main
struct TrainingBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "training-benchmark")

  @Option(help: "Preprocess output to take sequences from; synthetic ones if absent.")
  var data: String?
  @Option(help: "Tokenize output that goes with --data.") var codes: String?
  @Option(help: "Items of the synthetic catalogue.") var items = 12_101
  @Option(help: "Mean length of a synthetic history.") var meanLength = 6.0
  @Option(help: "Codes of a synthetic level.") var levelSize = 256
  @Option var dimension = 64
  @Option var maxLength = 50
  @Option var batchSize = 128
  @Option var steps = 40
  @Option var warmup = 5
  @Option var threads = 2
  @Option var microBatchTokens = 256
  @Option(help: "h2rec, sasrec or sid.") var model = Hyperparameters.Architecture.h2rec
  @Option(help: "none, plain, residual or scaled.") var cross = Hyperparameters.Cross.none
  @Option(help: "ce, bce, or the number of negatives of a sampled softmax.") var loss = "ce"
  @Option(help: "float32 or bfloat16.") var precision = ProductPrecision.float32
  @Option var alignmentWeight: Float = 0.1
  @Option var consistencyWeight: Float = 0.1

  func validate() throws {
    guard ["ce", "bce"].contains(loss) || (Int(loss) ?? 0) > 0 else {
      throw ValidationError("--loss is '\(loss)'; expected ce, bce or a number above 0")
    }
    guard precision.isAvailable else {
      throw ValidationError("this machine has no \(precision.rawValue) products")
    }
  }

  func run() throws {
    let workload = try workload()
    let network = makeNetwork(workload)
    let step = TrainingStep(
      network: network, losses: losses, pairs: workload.pairs, optimizer: Adam.Settings(),
      tokensPerPart: microBatchTokens, seed: 1, threads: threads)
    let batches = workload.batches
    for number in 0..<warmup { _ = step.run(batches[number % batches.count], number: number) }
    step.phaseTimes = PhaseTimes()
    var positions = 0
    let elapsed = ContinuousClock().measure {
      for number in warmup..<warmup + steps {
        let batch = batches[number % batches.count]
        positions += batch.tokenCount
        _ = step.run(batch, number: number)
      }
    }
    report(seconds(elapsed), positions, step.phaseTimes, itemCount: workload.itemCount)
  }

  private func report(_ total: Double, _ positions: Int, _ phases: PhaseTimes, itemCount: Int) {
    let single = productRate(.float32, threads: threads)
    let chosen = precision == .float32 ? single : productRate(precision, threads: threads)
    var bound = 0.0
    let parts = phases.entries.map { phase in
      let needed = Double(phase.operations) / chosen
      bound += needed
      return
        "\"\(phase.name)\": {\"time\": \(rounded(phase.seconds / total)), \"share_of_bound\": \(rounded(needed / phase.seconds))}"
    }
    var usage = rusage()
    getrusage(0, &usage)
    print(
      """
      {"bench": "training", "model": "\(model.rawValue)", "cross": "\(cross.rawValue)", "loss": "\(loss)", \
      "precision": "\(precision.rawValue)", "dimension": \(dimension), "maxLength": \(maxLength), \
      "batchSize": \(batchSize), "items": \(itemCount), "threads": \(threads), \
      "positionsPerSecond": \(Int(Double(positions) / total)), "stepsPerSecond": \(rounded(Double(steps) / total)), \
      "positionsPerStep": \(positions / steps), "peakMegabytes": \(usage.ru_maxrss / 1024), \
      "productGigaflops": \(Int(single / 1e9)), "roundedProductGigaflops": \(Int(chosen / 1e9)), \
      "share_of_bound": \(rounded(bound / total)), "phases": {\(parts.joined(separator: ", "))}}
      """)
  }

  private var losses: LossSettings {
    var losses = LossSettings()
    losses.recommendation =
      loss == "bce"
      ? .binary(negativeCount: 1)
      : Int(loss).map { .sampledSoftmax(negativeCount: $0) } ?? .crossEntropy
    losses.precision = precision
    losses.alignmentWeight = alignmentWeight
    losses.consistencyWeight = consistencyWeight
    return losses
  }

  private func workload() throws -> Workload {
    guard let data else {
      return Workload(
        itemCount: items, codes: levelSize, meanLength: meanLength, maxLength: maxLength,
        batchSize: batchSize, negatives: loss == "bce")
    }
    return try Workload(
      data: data, codes: codes, maxLength: maxLength, batchSize: batchSize,
      negatives: loss == "bce")
  }

  private func makeNetwork(_ workload: Workload) -> Network {
    var hyper = Hyperparameters()
    hyper.architecture = model
    hyper.cross = cross
    hyper.dimension = dimension
    hyper.maxLength = maxLength
    hyper.levelSizes = hyper.hasCodes ? workload.levelSizes : []
    let network = Network(
      hyper, itemCount: workload.itemCount, codeRows: hyper.hasCodes ? workload.codeRows : [])
    network.initialize(hashStart: .random, vectors: nil, codes: nil, seed: 1, threads: threads)
    return network
  }
}

extension Hyperparameters.Architecture: ExpressibleByArgument {}
extension Hyperparameters.Cross: ExpressibleByArgument {}
extension ProductPrecision: ExpressibleByArgument {}

private func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
