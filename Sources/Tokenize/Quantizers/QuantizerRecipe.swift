internal import CommandSupport
internal import Numerics
internal import Quantizers
internal import ShardIO
internal import Training

// N items, D width of their vectors, M levels, K codes of a level.

/// How codes are learned: the options of a quantiser, and its fit.
///
/// A quantiser is one file with one of these, and an entry in ``quantizerRecipes``; everything before and after it
/// knows ``TokenizedItems`` and never the name of a quantiser.
protocol QuantizerRecipe: Sendable {
  /// The options of its subcommand.
  associatedtype Options: QuantizerOptions

  /// The subcommand of `h2rec-tokenize`, and the value of `quantizer` in the manifest.
  static var name: String { get }

  /// One line of help.
  static var abstract: String { get }

  /// The steps that the fit tells to the progress.
  static func stepCount(_ options: Options) -> Int

  /// Learns codes.
  ///
  /// - Parameters:
  ///   - vectors: shape `[N, D]`, not all equal, N at least the largest level size; used up.
  ///   - options: in range.
  ///   - learning: what else there is to learn from.
  /// - Returns: codes and codebooks in the space of the vectors, also where the search ran on principal components. The
  ///   codes are those that the items' ``TokenizedItems/encoder`` gives.
  /// - Throws: `PipelineError`: `.configuration` where options and data do not fit together; what learning throws that
  ///   diverges, or is stopped.
  static func fit(
    _ vectors: consuming Matrix, _ options: Options, _ learning: Learning
  ) throws(PipelineError) -> TokenizedItems
}

extension QuantizerRecipe {
  /// One step a level.
  static func stepCount(_ options: Options) -> Int { options.codes.sizes.count }
}

/// The options of a quantiser.
protocol QuantizerOptions: ConfiguredOptions {
  /// Those that all have.
  var codes: CodebookOptions { get set }
  /// When learning is saved; nil for a quantiser that is not saved while it learns.
  var checkpointing: CheckpointOptions? { get }
}

extension QuantizerOptions {
  /// Learning is over soon, and is not saved.
  var checkpointing: CheckpointOptions? { nil }
}

/// What a quantiser learns from besides the vectors.
struct Learning {
  /// The output of h2rec-preprocess, for messages.
  var data = ""
  /// The seed of every random choice.
  var seed: UInt64 = 42
  /// The largest number of threads; changes no result.
  var threads = 1
  /// The categories of the items, row = item, broadest first; each list may be empty.
  var categories: [[String]] = []
  /// An earlier tokenizer to start from, with vectors of the same width; levels of another size start afresh.
  var start: CodeEncoder?
  /// Where learning goes on from and is saved to; nil for neither.
  var checkpoints: Checkpoints?
  /// Called at each step with words about it.
  var progress: (String) -> Void = { _ in }
}
