import CommandSupport
import Dataset
import Models
import Numerics
import ShardIO
import SystemPackage

/// The outputs of the earlier stages, opened and checked to belong together.
struct EarlierOutputs {
  /// The preprocess output.
  let data: StageInput
  /// The tokenize output; nil where the model needs none.
  let codes: StageInput?

  /// Opens them.
  ///
  /// - Throws: `PipelineError`: `.missingInput`, `.configuration` if they do not belong together.
  init(data: String, codes: String?, threads: Int) throws(PipelineError) {
    self.data = try StageInput(
      directory: FilePath(data), expecting: "preprocess", threads: threads)
    guard let codes else {
      self.codes = nil
      return
    }
    let input = try StageInput(directory: FilePath(codes), expecting: "tokenize")
    try input.requireInput(self.data)
    self.codes = input
  }

  /// What the manifest records of them.
  var references: [StageReference] { [data.reference] + (codes.map { [$0.reference] } ?? []) }
}

/// What a model is trained on.
struct TrainingInputs {
  /// What the manifest records of the outputs that were read.
  let references: [StageReference]
  /// The preprocess output.
  let data: PreprocessedData
  /// What models are built from.
  let model: ModelData

  /// Reads the earlier outputs.
  ///
  /// - Throws: `PipelineError`: `.dataFormat`; `.configuration` if the codes are of other items, or if there are no item vectors and
  ///   the model needs some.
  init(
    _ outputs: EarlierOutputs, needs: ModelNeeds, shared: SharedOptions
  ) throws(PipelineError) {
    let directory = outputs.data.directory.string
    let codes: ItemCodes? = if let input = outputs.codes { try ItemCodes(input) } else { nil }
    let wantsVectors = !needs.isDisjoint(with: [.itemVectors, .itemVectorsIfPresent])
    data = try PreprocessedData(outputs.data, includesVectors: wantsVectors)
    if needs.contains(.itemVectors), data.vectors == nil { throw .noVectors(directory) }
    let itemCount = data.catalogue.count
    if let codes, codes.count != itemCount {
      throw .codesOfOtherItems(
        outputs.codes?.directory.string ?? "", found: codes.count, expected: itemCount)
    }
    if let codes, let input = outputs.codes {
      try codes.requireFit(input, itemCount: itemCount, vectors: data.vectors)
    }
    references = outputs.references
    var model = ModelData(itemCount: itemCount, codes: codes)
    model.vectors = data.vectors.map {
      Matrix(rows: $0.count, columns: $0.width, values: $0.values)
    }
    model.trainCounts = data.catalogue.trainCounts
    let sequences = data.sequences
    model.trainLengths = (0..<sequences.count).map { sequences.train(of: $0).count }
    model.preprocessed = outputs.data
    model.seed = shared.seed
    model.threads = shared.threads
    self.model = model
  }
}
