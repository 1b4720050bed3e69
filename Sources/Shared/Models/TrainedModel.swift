internal import CommandSupport
public import Dataset
public import ShardIO
internal import Tape

/// A trained model, ready to score.
public struct TrainedModel: Sendable {
  /// The model with its parameters.
  public let model: any RecommendationModel
  /// The name of its recipe.
  public let name: String
  /// Whether it was built from codes.
  public let usesCodes: Bool

  /// Reads the output of the train stage.
  ///
  /// - Parameters:
  ///   - input: the output of the train stage.
  ///   - itemCount: the number of items that it was trained on.
  ///   - codes: the codes that it was trained on; nil where the model needs none.
  /// - Throws: `PipelineError`: `.configuration` if the model needs codes and there are none, or if the
  ///   numbers of items differ; `.dataFormat` if the model is damaged.
  public init(
    _ input: StageInput, itemCount: Int, codes: ItemCodes?
  ) throws(PipelineError) {
    let path = "\(input.directory)/\(Manifest.fileName)"
    let entries = input.manifest.configuration
    let name = entries["model"]?.stringValue ?? ""
    guard let recipe = modelRecipes.first(where: { $0.name == name }) else {
      throw PipelineError(
        .dataFormat, "there is no model '\(name)'", at: .init(path: path),
        note: "train again with this version of the programs")
    }
    self = try Self.read(recipe, input, path, itemCount, codes)
  }

  private static func read<Recipe: ModelRecipe>(
    _ recipe: Recipe.Type, _ input: StageInput, _ path: String, _ itemCount: Int,
    _ codes: ItemCodes?
  ) throws(PipelineError) -> TrainedModel {
    let options = try Recipe.Options(input.manifest.configuration, path: path)
    let usesCodes = Recipe.needs(options).contains(.codes)
    if usesCodes {
      guard let codes else {
        throw PipelineError(
          .configuration, "the model '\(Recipe.name)' needs item codes",
          at: .init(path: "\(input.directory)"),
          note: "name the tokenize output with --codes")
      }
      let trained = levelSizes(input.manifest)
      guard codes.count == itemCount, codes.levelSizes == trained ?? codes.levelSizes else {
        throw PipelineError(
          .configuration,
          "the codes have \(codes.count) items at levels \(codes.levelSizes), expected \(itemCount) at \(trained ?? [])",
          at: .init(path: "\(input.directory)"),
          note: "name the tokenize output that the model was trained with")
      }
    }
    if let width = input.manifest.configuration["dimension"]?.integerValue {
      try ParameterStore.requireWidth(Int(width), input)
    }
    if let count = input.manifest.configuration["prefixRows"]?.integerValue {
      try ParameterStore.requirePrefixRows(Int(count), input)
    }
    var data = ModelData(itemCount: itemCount, codes: usesCodes ? codes : nil)
    data.storedTextWidth = try ParameterStore.textWidth(of: input)
    let model = try Recipe.build(options, data)
    try model.store.load(input)
    return TrainedModel(model: model, name: Recipe.name, usesCodes: usesCodes)
  }

  private init(model: any RecommendationModel, name: String, usesCodes: Bool) {
    self.model = model
    self.name = name
    self.usesCodes = usesCodes
  }

  private static func levelSizes(_ manifest: Manifest) -> [Int]? {
    manifest.configuration["levelSizes"]?.arrayValue?.compactMap { $0.integerValue.map { Int($0) } }
  }
}
