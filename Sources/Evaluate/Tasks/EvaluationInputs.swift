import Dataset
import Models
import Numerics
import Retrieval
import ShardIO
import SystemPackage

/// The outputs of the earlier stages, opened and checked to belong together.
struct EvaluationInputs {
  let data: PreprocessedData
  /// The stored negatives of each protocol that has some.
  let negatives: [RankingProtocol: NegativeWalk]
  let codes: ItemCodes?
  let trained: TrainedModel
  /// The lines of the training log.
  let trainingLog: [JSONValue]
  /// The report of the codes that the model uses.
  let codeReport: JSONValue?
  /// What the manifest of this stage records of its inputs.
  let references: [StageReference]
  /// Where they lie, by stage.
  let directories: [String: FilePath]
  /// Configuration and counters of each stage, for the report.
  let stages: [String: JSONValue]

  /// Opens the stages.
  ///
  /// - Throws: `PipelineError`: `.missingInput` if a stage has not finished, `.configuration` if they come from different
  ///   runs, `.dataFormat` if a file is damaged, `.usage` if the model needs codes and none are given.
  init(_ options: StageOptions, threads: Int) throws(PipelineError) {
    let (data, codes, model) = (options.data, options.codes, options.model)
    let dataInput = try StageInput(directory: data, expecting: "preprocess", threads: threads)
    let modelInput = try StageInput(directory: model, expecting: "train", threads: threads)
    try modelInput.requireInput(dataInput)
    var codesInput: StageInput?
    if let codes {
      let input = try StageInput(directory: codes, expecting: "tokenize", threads: threads)
      try input.requireInput(dataInput)
      if Self.usesCodes(modelInput) { try modelInput.requireInput(input) }
      codesInput = input
    } else if Self.usesCodes(modelInput) {
      throw .codesMissing(stage: "tokenize")
    }
    self.data = try PreprocessedData(dataInput)
    negatives = Self.negatives(dataInput, self.data)
    self.codes = if let codesInput { try ItemCodes(codesInput) } else { nil }
    if let codesInput, let codes = self.codes {
      try codes.requireFit(
        codesInput, itemCount: self.data.catalogue.count, vectors: self.data.vectors)
    }
    trained = try TrainedModel(
      modelInput, itemCount: self.data.catalogue.count, codes: self.codes)
    trainingLog = try Self.log(modelInput)
    codeReport =
      if let codesInput {
        try JSONValue(parsing: try codesInput.file("report.json"), path: "\(codesInput.directory)")
      } else { nil }
    let inputs = [dataInput, codesInput, modelInput].compactMap { $0 }
    references = inputs.map(\.reference)
    directories = Dictionary(
      uniqueKeysWithValues: inputs.map { ($0.manifest.stage, $0.directory) })
    stages = Dictionary(
      uniqueKeysWithValues: inputs.map { input in
        (
          input.manifest.stage,
          [
            "configuration": .object(input.manifest.configuration),
            "counters": .object(input.manifest.counters),
            "manifest": .string(input.reference.checksum),
            "version": .string(input.manifest.programVersion),
          ]
        )
      })
  }

  /// What the model can show of itself beyond scores.
  var diagnostics: Diagnostics { trained.model.diagnostics }

  /// The model as one that has vectors.
  ///
  /// - Parameter command: what needs them, for the message.
  /// - Returns: the model.
  /// - Throws: `PipelineError` `.configuration` if the model scores in another way.
  func vectorModel(for command: String) throws(PipelineError) -> any VectorScoring {
    guard case .vectors(let model) = trained.model.scoring else {
      throw .noVectorsOfModel(trained.name, command: command)
    }
    return model
  }

  /// Whether the log had times; otherwise the times of events are their places in it.
  var hasTimes: Bool {
    stages["preprocess"]?["configuration"]?["timestampFormat"]?.stringValue != "none"
  }

  /// Ranks with the model.
  ///
  /// - Throws: `PipelineError` `.dataFormat` if an element of an item vector is not finite.
  func ranker(threads: Int) throws(PipelineError) -> Ranker {
    let ranker = Ranker(
      trained.model.scoring, itemCount: data.catalogue.count, threads: threads)
    guard ranker.items?.values.allSatisfy(\.isFinite) ?? true else { throw .modelNotFinite("item") }
    return ranker
  }

  /// The stored negatives; a preprocess output may have been made without some.
  private static func negatives(
    _ input: StageInput, _ data: PreprocessedData
  ) -> [RankingProtocol: NegativeWalk] {
    var result: [RankingProtocol: NegativeWalk] = [:]
    for kind in RankingProtocol.allCases {
      guard let stored = kind.negatives, input.hasTable(stored.tableKind) else { continue }
      result[kind] = NegativeWalk(input, stored, data)
    }
    return result
  }

  /// Whether the model was trained with codes.
  private static func usesCodes(_ model: StageInput) -> Bool {
    model.manifest.inputs.contains { $0.stage == "tokenize" }
  }

  /// The training log, one value a line.
  private static func log(_ model: StageInput) throws(PipelineError) -> [JSONValue] {
    let path = model.directory.appending(logName).string
    var lines: [JSONValue] = []
    for line in try model.file(logName).split(separator: UInt8(ascii: "\n")) {
      lines.append(try JSONValue(parsing: Array(line), path: path))
    }
    return lines
  }

  private static let logName = "training-log.jsonl"
}
