import Dataset
import Model
import ShardIO
import SystemPackage

/// The outputs of the earlier stages, opened and checked to belong together.
struct EvaluationInputs {
  let data: PreprocessedData
  let negatives: EvaluationNegatives
  let codes: ItemCodes?
  let model: Recommender
  /// What the manifest of this stage records of its inputs.
  let references: [StageReference]
  /// Configuration and counters of each stage, for the report.
  let stages: [String: JSONValue]

  /// Opens the stages.
  ///
  /// - Throws: `PipelineError`: `.missingInput` if a stage has not finished, `.configuration` if they come from different
  ///   runs, `.dataFormat` if a file is damaged, `.usage` if the model needs codes and none are given.
  init(data: FilePath, codes: FilePath?, model: FilePath) throws(PipelineError) {
    let dataInput = try StageInput(directory: data, expecting: "preprocess")
    let modelInput = try StageInput(directory: model, expecting: "train")
    try modelInput.requireInput(dataInput)
    var codesInput: StageInput?
    if let codes {
      let input = try StageInput(directory: codes, expecting: "tokenize")
      try input.requireInput(dataInput)
      if Self.usesCodes(modelInput) { try modelInput.requireInput(input) }
      codesInput = input
    } else if Self.usesCodes(modelInput) {
      throw .codesMissing(stage: "tokenize")
    }
    self.data = try PreprocessedData(dataInput)
    negatives = try EvaluationNegatives(
      dataInput, itemCount: self.data.catalogue.count, userCount: self.data.sequences.count)
    self.codes = if let codesInput { try ItemCodes(codesInput) } else { nil }
    self.model = try Recommender(model: modelInput, data: self.data, codes: self.codes)
    let inputs = [dataInput, codesInput, modelInput].compactMap { $0 }
    references = inputs.map(\.reference)
    stages = Dictionary(
      uniqueKeysWithValues: inputs.map { input in
        (
          input.manifest.stage,
          [
            "configuration": .object(input.manifest.configuration),
            "counters": .object(input.manifest.counters),
            "manifest": .string(input.reference.checksum),
          ]
        )
      })
  }

  /// Whether the model was trained with codes.
  private static func usesCodes(_ model: StageInput) -> Bool {
    model.manifest.inputs.contains { $0.stage == "tokenize" }
  }
}
