import ArgumentParser
import Glibc
import Models
import Numerics
import Tape
import Training

/// Times training steps of a model and prints one JSON line.
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
  @Option(help: "A model of h2rec-train.") var model = "h2rec"
  @Option(help: "none, plain, residual or scaled (h2rec).") var cross = "none"
  @Option(help: "ce, bce, or the number of negatives of a sampled softmax.") var loss = "ce"
  @Option(help: "float32 or bfloat16.") var precision = "float32"
  @Argument(parsing: .postTerminator, help: "More options of the model, after --.")
  var more: [String] = []

  func validate() throws {
    guard ["ce", "bce"].contains(loss) || (Int(loss) ?? 0) > 0 else {
      throw ValidationError("--loss is '\(loss)'; expected ce, bce or a number above 0")
    }
    guard let precision = ProductPrecision(rawValue: precision), precision.isAvailable else {
      throw ValidationError("this machine has no \(precision) products")
    }
    guard modelRecipes.contains(where: { $0.name == model }) else {
      throw ValidationError("there is no model '\(model)'")
    }
  }

  func run() throws {
    for recipe in modelRecipes where recipe.name == model { try time(recipe) }
  }

  /// The command line of the model.
  private var words: [String] {
    let cross = model == "h2rec" ? ["--cross", cross] : []
    let loss =
      Int(loss).map { ["--loss", "sampled-softmax", "--negatives", "\($0)"] } ?? ["--loss", loss]
    return [
      "--dimension", "\(dimension)", "--max-length", "\(maxLength)", "--precision", precision,
    ]
      + cross + (model == "tiger" ? [] : loss + ["--windows", "last"]) + more
  }

  private func time<Recipe: ModelRecipe>(_ recipe: Recipe.Type) throws {
    var options = try Recipe.Options.parse(words)
    let workload = try workload(Recipe.needs(options))
    options.resolve(workload.model)
    let model = try Recipe.build(options, workload.model)
    model.initialize(workload.model)
    var settings = TrainingStep<Recipe.Model>.Settings()
    settings.precision = model.precision
    settings.microBatchTokens = microBatchTokens
    settings.seed = 1
    settings.threads = threads
    let step = TrainingStep(model, settings)
    let examples = model.examples(workload.sequences, seed: 1)
    let batches = examples.batches(epoch: 1, size: batchSize).prefix(Workload.batchCount).map {
      examples.batch($0, epoch: 1)
    }
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
    report(seconds(elapsed), positions, step.phaseTimes, itemCount: workload.model.itemCount)
  }

  private func report(_ total: Double, _ positions: Int, _ phases: PhaseTimes, itemCount: Int) {
    let single = productRate(.float32, threads: threads)
    let precision = ProductPrecision(rawValue: precision) ?? .float32
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
      {"bench": "training", "model": "\(model)", "cross": "\(cross)", "loss": "\(loss)", \
      "precision": "\(precision.rawValue)", "dimension": \(dimension), "maxLength": \(maxLength), \
      "batchSize": \(batchSize), "items": \(itemCount), "threads": \(threads), \
      "positionsPerSecond": \(Int(Double(positions) / total)), "stepsPerSecond": \(rounded(Double(steps) / total)), \
      "positionsPerStep": \(positions / steps), "peakMegabytes": \(usage.ru_maxrss / 1024), \
      "productGigaflops": \(Int(single / 1e9)), "roundedProductGigaflops": \(Int(chosen / 1e9)), \
      "share_of_bound": \(rounded(bound / total)), "phases": {\(parts.joined(separator: ", "))}}
      """)
  }

  private func workload(_ needs: ModelNeeds) throws -> Workload {
    guard let data else {
      return Workload(
        itemCount: items, codes: levelSize, meanLength: meanLength, maxLength: maxLength,
        users: batchSize * Workload.batchCount, threads: threads)
    }
    return try Workload(data: data, codes: codes, needs, threads: threads)
  }
}

private func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
