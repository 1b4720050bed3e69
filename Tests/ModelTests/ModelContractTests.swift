import ArgumentParser
import CommandSupport
import Dataset
import Models
import Numerics
import Retrieval
import ShardIO
import SystemPackage
import Tape
import TestSupport
import Testing
import Training

/// What every model of ``modelRecipes`` must do; a new one is tested by being in the list.
@Suite struct ModelContractTests {
  static let names = modelRecipes.map { $0.name }

  /// Command lines of a model beside its defaults, tried where it has these options.
  private static let variants = [
    ["--loss", "bce"], ["--loss", "gbce", "--negatives", "3"],
    ["--loss", "sampled-softmax", "--negatives", "12"], ["--targets", "last"],
    ["--cross", "residual", "--cross-heads", "2", "--msg-weight", "0"],
    ["--cross", "scaled", "--gate", "static", "--msg-weight", "0"],
  ]

  /// Those whose loss also holds something constant, so that it is no primitive of its gradient.
  private static let variantsWithTargetsHeldConstant = [
    ["--cross", "plain", "--msg-weight", "0.5"]
  ]

  /// Runs a test on the recipe of a name.
  private func withRecipe(_ name: String, _ body: (any ModelRecipe.Type) throws -> Void) throws {
    try body(#require(modelRecipes.first { $0.name == name }))
  }

  /// Exact products where that is an option, so that the facts are the same on every processor; small sizes where there are
  /// such options; and the words that the model has options for.
  private func allOptions<Recipe: ModelRecipe>(
    of recipe: Recipe.Type, _ variants: [[String]], _ data: ModelData
  ) throws -> [(words: [String], options: Recipe.Options)] {
    let wanted = [
      ["--precision", "float32"], ["--dimension", "16"], ["--max-length", "10"], ["--layers", "1"],
    ]
    let base = wanted.filter { (try? Recipe.Options.parse($0)) != nil }.flatMap { $0 }
    let first = try Recipe.Options.parse(base)
    let others = variants.compactMap { words in
      (try? Recipe.Options.parse(base + words)).map { (base + words, $0) }
    }
    return ([(base, first)] + others).map { words, options in
      var options = options
      options.resolve(data)
      return (words, options)
    }
  }

  private func model<Recipe: ModelRecipe>(
    _ recipe: Recipe.Type, _ options: Recipe.Options, _ data: ModelData
  ) throws -> Recipe.Model {
    let model = try Recipe.build(options, data)
    #expect(
      model.store.stateBlocks.allSatisfy { $0.buffer.array.allSatisfy { $0 == 0 } }, "not zeros")
    model.initialize(data)
    return model
  }

  private func step<Model: TrainableRecommender>(
    _ model: Model, threads: Int
  ) -> TrainingStep<Model> {
    var settings = TrainingStep<Model>.Settings()
    settings.optimizer.rate = 0.01
    settings.precision = model.precision
    settings.microBatchTokens = 16
    settings.seed = 5
    settings.threads = threads
    return TrainingStep(model, settings)
  }

  // MARK: - Gradients

  @Test(arguments: names)
  func `the tape has the slope of the whole objective`(name: String) throws {
    try withTemporaryDirectory { directory in
      let world = try ContractWorld(in: directory.appending("data"))
      try withRecipe(name) { try requireSlopes($0, world) }
    }
  }

  private func requireSlopes<Recipe: ModelRecipe>(
    _ recipe: Recipe.Type, _ world: ContractWorld
  ) throws {
    for (words, options) in try allOptions(of: recipe, Self.variants, world.data) {
      let model = try model(recipe, options, world.data)
      let examples = model.examples(world.sequences, seed: 5)
      let batch = examples.batch(Array(0..<12), epoch: 1)
      let step = step(model, threads: 2)
      // Some steps away from the start, where much is exactly zero.
      for number in 0..<3 { _ = step.run(batch, number: number) }
      func total() -> Double {
        model.storeDidChange()
        let losses = step.gradients(of: batch, number: 7)
        return zip(model.objectives(), losses.parts).reduce(0) {
          $0 + Double($1.0.weight) * $1.1.value
        }
      }
      clearGradients(model)
      _ = total()
      for block in gradientBlocks(model, step) {
        try requireSlope(block, "\(recipe.name) \(words)") {
          defer { clearGradients(model) }
          return total()
        }
      }
    }
  }

  /// A parameter or table, and its gradient.
  private struct GradientBlock {
    let name: String
    let values: AlignedBuffer
    let range: Range<Int>
    let gradient: [Float]
  }

  private func gradientBlocks<Model: TrainableRecommender>(
    _ model: Model, _ step: TrainingStep<Model>
  ) -> [GradientBlock] {
    let store = model.store
    let dense = step.denseGradient?.array ?? []
    return store.entries.map { entry in
      let first = entry.parameter.offset
      let range = first..<first + entry.parameter.count
      return GradientBlock(
        name: entry.name, values: store.values, range: range, gradient: Array(dense[range]))
    }
      + store.namedTables.map { named in
        GradientBlock(
          name: named.name, values: named.table.values, range: 0..<named.table.values.count,
          gradient: named.table.gradient.array)
      }
  }

  private func clearGradients(_ model: some TrainableRecommender) {
    for table in model.store.tables { table.endStep() }
  }

  /// Compares gradients with central differences along a random direction and along one that leans to the gradient.
  private func requireSlope(
    _ block: GradientBlock, _ what: String, _ total: () -> Double
  ) throws {
    let gradient = block.gradient.map(Double.init)
    let length = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
    try #require(length.isFinite, "\(what): \(block.name)")
    let noise = unit(Grid.noise(1, gradient.count, seed: 11).values)
    let leaning = length == 0 ? noise : unit(zip(noise, gradient).map { $0 + $1 / length })
    // What a random direction typically finds of the gradient.
    let share = length / Double(gradient.count).squareRoot()
    for direction in [noise, leaning] {
      let found = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
      let expected = slope(block, direction, total)
      #expect(
        abs(found - expected) <= 0.02 * max(abs(expected), 3 * share) + 2e-4,
        "\(what), \(block.name): found \(found), expected \(expected)")
    }
  }

  private func unit(_ values: [Double]) -> [Double] {
    let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length > 0 ? values.map { $0 / length } : values.map { _ in 1 }
  }

  private func slope(
    _ block: GradientBlock, _ direction: [Double], _ total: () -> Double
  ) -> Double {
    let start = block.values.array(block.range)
    defer { block.values.set(start, at: block.range.lowerBound) }
    func value(_ step: Double) -> Double {
      block.values.set(
        zip(start, direction).map { Float(Double($0) + step * $1) }, at: block.range.lowerBound)
      return total()
    }
    // Small enough that few rectified units change sides on the way, large enough for losses of 32 bits.
    let size = 1e-3
    return (value(size) - value(-size)) / (2 * size)
  }

  // MARK: - Determinism

  @Test(arguments: names)
  func `one thread and two train to the same bytes`(name: String) throws {
    try withTemporaryDirectory { directory in
      let world = try ContractWorld(in: directory.appending("data"))
      try withRecipe(name) { try requireSameBytes($0, world) }
    }
  }

  private func requireSameBytes<Recipe: ModelRecipe>(
    _ recipe: Recipe.Type, _ world: ContractWorld
  ) throws {
    let variants = Self.variants + Self.variantsWithTargetsHeldConstant
    for (words, options) in try allOptions(of: recipe, variants, world.data) {
      let results = try [1, 2, 2].map { threads in
        let model = try model(recipe, options, world.data)
        let start = bits(model)
        let step = step(model, threads: threads)
        let examples = model.examples(world.sequences, seed: 5)
        for (number, members) in examples.batches(epoch: 1, size: 16).enumerated() {
          let losses = step.run(examples.batch(members, epoch: 1), number: number)
          #expect(losses.parts.allSatisfy { $0.value.isFinite })
        }
        let end = bits(model)
        #expect(end != start, "\(recipe.name) \(words) learns nothing")
        return end
      }
      #expect(results[0] == results[1] && results[1] == results[2], "\(recipe.name) \(words)")
    }
  }

  private func bits(_ model: some TrainableRecommender) -> [[UInt32]] {
    model.store.stateBlocks.map { $0.buffer.array.map(\.bitPattern) }
  }

  // MARK: - Saving and scoring

  @Test(arguments: names)
  func `a saved model that is read again scores alike`(name: String) throws {
    try withTemporaryDirectory { directory in
      let world = try ContractWorld(in: directory.appending("data"))
      try withRecipe(name) { try requireSameScores($0, world, in: directory) }
    }
  }

  private func requireSameScores<Recipe: ModelRecipe>(
    _ recipe: Recipe.Type, _ world: ContractWorld, in directory: FilePath
  ) throws {
    let variants = Self.variants + Self.variantsWithTargetsHeldConstant
    let all = try allOptions(of: recipe, variants, world.data)
    for (number, (words, options)) in all.enumerated() {
      let model = try model(recipe, options, world.data)
      let examples = model.examples(world.sequences, seed: 5)
      _ = step(model, threads: 2).run(examples.batch([0, 3, 5], epoch: 1), number: 0)
      let output = directory.appending("\(number)")
      var stage = try StageOutput(directory: output, stage: "train")
      for table in model.store.savedTables { try stage.write(table) }
      var configuration = options.configuration
      configuration["model"] = JSONValue(Recipe.name)
      configuration["levelSizes"] = .array(world.codes.levelSizes.map { JSONValue($0) })
      try stage.commit(configuration: configuration, inputs: [], counters: [:])
      let input = try StageInput(directory: output, expecting: "train")
      let read = try TrainedModel(input, itemCount: ContractWorld.itemCount, codes: world.codes)
      #expect(read.name == Recipe.name)
      #expect(read.usesCodes == Recipe.needs(options).contains(.codes))
      #expect(
        scores(read.model.scoring, world, threads: 1) == scores(model.scoring, world, threads: 2),
        "\(recipe.name) \(words)")
      try requireLists(model.scoring, world, "\(recipe.name) \(words)")
    }
  }

  /// The bits of the scores of all items, or of pairs, whatever the kind of scoring.
  private func scores(_ scoring: Scoring, _ world: ContractWorld, threads: Int) -> [UInt32] {
    let histories = world.histories
    let all = Array(0..<UInt32(ContractWorld.itemCount))
    let candidates = RaggedArray((0..<histories.count).map { _ in all })
    let values =
      switch scoring {
      case .vectors(let model):
        model.itemVectors(threads: threads).values
          + model.read(histories, threads: threads).states.values
      case .lists(let model):
        model.scores(histories, candidates: candidates, threads: threads).values
      case .pairs(let model):
        model.scores(histories, candidates: candidates, threads: threads).values
      }
    return values.map(\.bitPattern)
  }

  /// Lists have existing items outside the history, without repeats and best first.
  private func requireLists(_ scoring: Scoring, _ world: ContractWorld, _ what: String) throws {
    let histories = world.histories
    let ranker = Ranker(scoring, itemCount: ContractWorld.itemCount, threads: 2)
    guard let top = ranker.users(histories).top(7, excluded: histories) else {
      guard case .pairs = scoring else {
        Issue.record("\(what) makes no lists")
        return
      }
      return
    }
    #expect(top.items.count == histories.count && top.items.offsets == top.scores.offsets)
    for user in 0..<histories.count {
      let list = Array(top.items[user])
      #expect(!list.isEmpty && list.count <= 7, "\(what)")
      if case .vectors = scoring { #expect(list.count == 7, "\(what)") }
      #expect(Set(list).count == list.count, "\(what)")
      #expect(list.allSatisfy { $0 < UInt32(ContractWorld.itemCount) }, "\(what)")
      #expect(Set(list).isDisjoint(with: histories[user]), "\(what)")
      let scores = top.scores[user]
      #expect(zip(scores, scores.dropFirst()).allSatisfy { $0 >= $1 }, "\(what)")
    }
  }

  // MARK: - Options

  @Test(arguments: names)
  func `the options of a model are read back from its manifest`(name: String) throws {
    try withTemporaryDirectory { directory in
      let world = try ContractWorld(in: directory.appending("data"))
      try withRecipe(name) { try requireRoundTrip($0, world) }
    }
  }

  private func requireRoundTrip<Recipe: ModelRecipe>(
    _ recipe: Recipe.Type, _ world: ContractWorld
  ) throws {
    let variants = Self.variants + Self.variantsWithTargetsHeldConstant
    for (words, options) in try allOptions(of: recipe, variants, world.data) {
      let bytes = try JSONValue.object(options.configuration).json()
      let entries = try #require(try JSONValue(parsing: bytes, path: "m").objectValue)
      let read = try Recipe.Options(entries, path: "m")
      #expect(
        try JSONValue.object(read.configuration).json() == bytes, "\(recipe.name) \(words)")
      // What the data decide is decided.
      var again = read
      again.resolve(world.data)
      #expect(
        try JSONValue.object(again.configuration).json() == bytes, "\(recipe.name) \(words)")
      #expect(!entries.values.contains("auto"), "\(recipe.name) \(words)")
    }
  }

  @Test func `models have names of their own, and say what they are`() {
    #expect(Set(Self.names).count == Self.names.count && !Self.names.isEmpty)
    for recipe in modelRecipes {
      #expect(recipe.name.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" })
      #expect(recipe.abstract.hasSuffix(".") && recipe.abstract.contains(": "))
    }
  }
}
