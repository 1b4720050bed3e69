import ArgumentParser
import Kernels
import Model

/// Times training steps on synthetic sequences and prints one JSON line.
///
/// Items are drawn with Zipf-like popularity; lengths follow a geometric distribution with the given mean, cut at the
/// longest that the model reads. Only the time per real position matters, so nothing is learned that could be learned.
@main
struct TrainingBenchmark: ParsableCommand {
  @Option var items = 12_101
  @Option var dimension = 64
  @Option var maxLength = 50
  @Option var batchSize = 128
  @Option var meanLength = 6.0
  @Option var codes = 256
  @Option var steps = 40
  @Option var warmup = 5
  @Option var threads = 2
  @Option var microBatchTokens = 256
  @Option(help: "h2rec, sasrec or sid.") var model = "h2rec"
  @Option(help: "none, plain, residual or scaled.") var cross = "none"
  @Option(help: "ce or bce.") var loss = "ce"
  @Option(help: "float32 or bfloat16.") var precision = "float32"
  @Option var alignmentWeight: Float = 0.1
  @Option var consistencyWeight: Float = 0.1

  func run() throws {
    let network = makeNetwork()
    let step = TrainingStep(
      network: network, losses: losses, pairs: nil, optimizer: Adam.Settings(),
      tokensPerPart: microBatchTokens, seed: 1, threads: threads)
    let random = CounterRandom(seed: 7, stream: 1)
    let batches = (0..<8).map { makeBatch(random.substream(UInt64($0))) }
    for number in 0..<warmup { _ = step.run(batches[number % 8], number: number) }
    step.phaseTimes = PhaseTimes()
    var positions = 0
    let clock = ContinuousClock()
    let elapsed = clock.measure {
      for number in 0..<steps {
        let batch = batches[number % 8]
        positions += batch.tokenCount
        _ = step.run(batch, number: warmup + number)
      }
    }
    report(seconds(elapsed), positions, step.phaseTimes)
  }

  private func report(_ total: Double, _ positions: Int, _ phases: PhaseTimes) {
    let parts = phases.entries.map { "\"\($0.name)\": \(rounded($0.seconds / total))" }
    print(
      """
      {"bench": "training", "model": "\(model)", "cross": "\(cross)", "loss": "\(loss)", "precision": "\(precision)", \
      "dimension": \(dimension), "maxLength": \(maxLength), "batchSize": \(batchSize), \
      "items": \(items), "threads": \(threads), "positionsPerSecond": \
      \(Int(Double(positions) / total)), "stepsPerSecond": \(rounded(Double(steps) / total)), \
      "positionsPerStep": \(positions / steps), "share": {\(parts.joined(separator: ", "))}}
      """)
  }

  private var losses: LossSettings {
    var losses = LossSettings()
    losses.recommendation = loss == "bce" ? .binary(negativeCount: 1) : .crossEntropy
    losses.precision = CrossEntropy.Precision(rawValue: precision) ?? .float32
    losses.alignmentWeight = alignmentWeight
    losses.consistencyWeight = consistencyWeight
    return losses
  }

  private func makeNetwork() -> Network {
    var hyper = Hyperparameters()
    hyper.architecture = Hyperparameters.Architecture(rawValue: model) ?? .h2rec
    hyper.cross = Hyperparameters.Cross(rawValue: cross) ?? .none
    hyper.dimension = dimension
    hyper.maxLength = maxLength
    hyper.levelSizes = hyper.hasCodes ? [codes, codes, codes, codes] : []
    let random = CounterRandom(seed: 3, stream: 9)
    let rows = (0..<items * hyper.levelCount).map {
      UInt32($0 % 4 * codes + random.integer(below: codes, UInt64($0)))
    }
    let network = Network(hyper, itemCount: items, codeRows: rows)
    network.initialize(hashStart: .random, vectors: nil, codes: nil, seed: 1, threads: threads)
    return network
  }

  private func makeBatch(_ random: CounterRandom) -> TrainingBatch {
    var index: UInt64 = 0
    func uniform() -> Double {
      index += 1
      return random.uniform(index)
    }
    func item() -> UInt32 {
      let place = uniform()
      return UInt32(min(Double(items - 1), Double(items) * place * place * place))
    }
    var histories: [ArraySlice<UInt32>] = []
    var targets: [UInt32] = []
    for _ in 0..<batchSize {
      var length = 1
      while length < maxLength, uniform() < 1 - 1 / meanLength { length += 1 }
      histories.append((0..<length).map { _ in item() }[...])
      targets += (0..<length).map { _ in item() }
    }
    return TrainingBatch(
      histories: histories, targets: targets,
      negatives: loss == "bce" ? targets.map { _ in item() } : [])
  }
}

private func seconds(_ duration: Duration) -> Double {
  let parts = duration.components
  return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
}

private func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
