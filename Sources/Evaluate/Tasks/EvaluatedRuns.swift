import Dataset
import Metrics
import ShardIO
import SystemPackage

/// Evaluated runs of one or more models on the same data, with the cases that all of them ranked.
struct EvaluatedRuns {
  let data: PreprocessedData
  let cases: EvaluationCases
  /// The cutoffs that all runs have, ascending.
  let cutoffs: [Int]
  /// The outputs of the evaluate stage, one a path, in the order of the paths.
  let inputs: [StageInput]
  /// The ranks of each.
  let ranks: [CaseRanks]

  /// Reads the ranks of runs.
  ///
  /// - Parameters:
  ///   - paths: outputs of the evaluate stage, at least one.
  ///   - data: the output of the preprocess stage that all are about.
  ///   - ranking: whose ranks.
  /// - Throws: `PipelineError` `.configuration` if a run is about other data or users, or was not ranked under the protocol;
  ///   what reading the outputs throws.
  init(_ paths: [FilePath], data: FilePath, ranking: RankingProtocol) throws(PipelineError) {
    let dataInput = try StageInput(directory: data, expecting: "preprocess")
    let preprocessed = try PreprocessedData(dataInput)
    let inputs = try paths.map { path throws(PipelineError) in
      try StageInput(directory: path, expecting: "evaluate")
    }
    let (cases, cutoffs) = try Self.common(inputs, dataInput, preprocessed.sequences)
    let ranked = try inputs.map { input throws(PipelineError) in
      guard let ranks = try StoredRanks(input, for: cases).ranks[ranking] else {
        throw .noSuchRanks(ranking, input.directory)
      }
      return ranks
    }
    for (input, ranks) in zip(inputs, ranked)
    where ranks.candidateCounts != ranked[0].candidateCounts {
      throw .otherTestSet(input.directory)
    }
    self.data = preprocessed
    self.cases = cases
    self.cutoffs = cutoffs
    self.inputs = inputs
    ranks = ranked
  }

  /// All users, kinds of targets by popularity, and seen and unseen steps.
  var groups: [CaseGroup] {
    let sections: Set<CaseGroup.Section> = [.overall, .popularity, .transition]
    return CaseGroup.all(
      cases, in: data.sequences, catalogue: data.catalogue, hasTimes: false
    ).filter { sections.contains($0.section) }
  }

  /// The cases and the cutoffs that all runs have.
  private static func common(
    _ inputs: [StageInput], _ data: StageInput, _ sequences: UserSequences
  ) throws(PipelineError) -> (EvaluationCases, [Int]) {
    let first = inputs[0].manifest.configuration
    for input in inputs {
      let configuration = input.manifest.configuration
      guard input.manifest.inputs.contains(data.reference),
        ["split", "heldOut", "allowRepeats"].allSatisfy({ configuration[$0] == first[$0] })
      else { throw .otherTestSet(input.directory) }
    }
    let cutoffs = inputs.map { input in
      Set((input.manifest.configuration["cutoffs"]?.arrayValue ?? []).compactMap(\.integerValue))
    }
    let shared = cutoffs.reduce(cutoffs[0]) { $0.intersection($1) }
    guard let split = Split(rawValue: first["split"]?.stringValue ?? ""),
      let heldOut = HeldOut(rawValue: first["heldOut"]?.stringValue ?? "")
    else { throw .otherTestSet(inputs[0].directory) }
    return (
      EvaluationCases(sequences, split: split, heldOut: heldOut), shared.map { Int($0) }.sorted()
    )
  }
}
