import ArgumentParser
import Dataset
import Layers
import Models
import Numerics
import Retrieval
import ShardIO
import Tape
import Testing

/// In training every position predicts its next item: no state may know what comes after it.
@Suite struct CausalityTests {
  private static let names = modelRecipes.filter { isSequential($0) }.map { $0.name }

  private static func isSequential<Recipe: ModelRecipe>(_: Recipe.Type) -> Bool {
    Recipe.Model.self == SequentialModel.self
  }

  @Test(arguments: names)
  func `the state of a position is what is read of the items up to it`(name: String) throws {
    let recipe: any ModelRecipe.Type = try #require(modelRecipes.first { $0.name == name })
    try requireCausal(recipe)
  }

  private func requireCausal<Recipe: ModelRecipe>(_ recipe: Recipe.Type) throws {
    let words: [[String]] = [["--dimension", "16"], ["--max-length", "9"]]
    var options = try Recipe.Options.parse(words.flatMap { $0 })
    var data = ModelData(itemCount: 12)
    if Recipe.needs(options).contains(.codes) {
      data.codes = ItemCodes(
        levelSizes: [3, 4], codes: (0..<12).flatMap { [UInt16($0 / 4), UInt16($0 % 4)] },
        codebooks: [], width: 0, usage: [UInt32](repeating: 4, count: 7), center: [])
    }
    if Recipe.needs(options).contains(.itemVectors) {
      data.vectors = Matrix(
        rows: 12, columns: 5, values: (0..<60).map { Float(($0 * 7 + 3) % 11) / 11 })
    }
    options.resolve(data)
    let model = try #require(Recipe.build(options, data) as? SequentialModel)
    model.initialize(data)
    try requireCausal(model)
  }

  private func requireCausal(_ model: SequentialModel) throws {
    let history: [UInt32] = [3, 1, 4, 1, 5, 9, 2, 6, 5]
    let tape = Tape(parameters: model.store.values)
    tape.begin(recording: false, randomness: nil)
    let batch = SequenceBatch([[7, 8], history[...]], maxLength: 9)
    let states = model.states(batch, at: .all, on: tape, random: nil, observe: nil).states.array
    let prefixes = (1...history.count).map { Array(history.prefix($0)) }
    let read = model.read(RaggedArray(prefixes), threads: 2).states
    for position in history.indices {
      let (found, expected) = (
        states[(2 + position) * 16..<(3 + position) * 16], read[row: position]
      )
      #expect(
        zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 }, "position \(position)")
    }
  }
}
