internal import Dataset
internal import Layers
internal import Numerics
public import ShardIO
internal import Tape

/// H2Rec (arXiv 2512.10388): a branch of Hash IDs and a branch of Semantic IDs that inform each other.
public enum H2Rec: ModelRecipe {
  /// The subcommand, and the name in manifests and reports.
  public static let name = "h2rec"
  /// One line of help.
  public static let abstract = "H2Rec: hash IDs and semantic IDs, aligned (arXiv 2512.10388)."

  /// What the model reads besides the sequences.
  public static func needs(_ options: H2RecOptions) -> ModelNeeds {
    options.items.hashInit.needs.union([.codes, .itemVectorsIfPresent])
  }

  /// Declares the parts and composes them.
  public static func build(
    _ options: H2RecOptions, _ data: ModelData
  ) throws(PipelineError) -> H2RecModel {
    let codes = try data.requiredCodes(for: name)
    if codes.levelCount == 1, let option = options.optionOfSeveralLevels {
      throw PipelineError(
        .configuration, "these codes have one level, so '--\(option)' has no use",
        note: "leave it out, or run h2rec-tokenize with several --codebooks")
    }
    let pairs = try alignmentPairs(options, codes, data)
    return H2RecModel(options, codes: codes, pairs: pairs, data)
  }

  /// The positives of the alignment; nil where a model is built to score, or without that loss.
  private static func alignmentPairs(
    _ options: H2RecOptions, _ codes: ItemCodes, _ data: ModelData
  ) throws(PipelineError) -> AlignmentPairs? {
    guard let input = data.preprocessed, options.alignmentWeight > 0 else { return nil }
    let behaviour: PositivePairs? =
      switch options.pairs ?? .ppmi {
      case .none: nil
      case .ppmi: try PositivePairs(input, .ppmi, itemCount: data.itemCount)
      case .decay: try PositivePairs(input, .decay, itemCount: data.itemCount)
      }
    return AlignmentPairs(
      behaviour: behaviour, codeRows: codes.rows, levelCount: codes.levelCount,
      random: CounterRandom(seed: data.seed, stream: 0x5041_4952))
  }
}
