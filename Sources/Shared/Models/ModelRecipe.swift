public import CommandSupport
public import Dataset
public import Numerics
public import Retrieval
public import ShardIO
public import Tape
public import Training

/// How a model is made: its options, what it needs, and its parts.
///
/// A model is one file (or a folder) with one of these, and an entry in
/// ``modelRecipes``; everything before and after it knows `Scoring` and never the name of a model.
public protocol ModelRecipe: Sendable {
  /// The options of its subcommand.
  associatedtype Options: ModelOptions
  /// The model.
  associatedtype Model: TrainableRecommender

  /// The subcommand of `h2rec-train`, the value in the manifest, and the word in the report.
  static var name: String { get }

  /// One line of help.
  static var abstract: String { get }

  /// What a model with these options reads besides the sequences.
  static func needs(_ options: Options) -> ModelNeeds

  /// Declares the parts of a model in its store and seals it.
  ///
  /// - Parameters:
  ///   - options: in range.
  ///   - data: what the model reads.
  /// - Returns: the model, all zeros.
  /// - Throws: `PipelineError` `.configuration` where options and data do not fit together.
  static func build(_ options: Options, _ data: ModelData) throws(PipelineError) -> Model
}

/// The options of a model.
public protocol ModelOptions: ConfiguredOptions {
  /// Puts what the data and the processor decide in place of `auto`, so that the manifest says what ran.
  mutating func resolve(_ data: ModelData)
}

/// What a model reads besides the sequences.
public struct ModelNeeds: OptionSet, Sendable {
  /// The bits.
  public let rawValue: Int

  /// Needs from their bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// The codes of the items.
  public static let codes = ModelNeeds(rawValue: 1)
  /// The text vectors of the items, which must be there.
  public static let itemVectors = ModelNeeds(rawValue: 2)
  /// The text vectors of the items, where there are some.
  public static let itemVectorsIfPresent = ModelNeeds(rawValue: 4)
}

/// What the programs know of the data when they build a model.
public struct ModelData: Sendable {
  /// The number of items, I.
  public var itemCount: Int
  /// The codes of the items; nil where the model needs none.
  public var codes: ItemCodes?
  /// The text vectors, row = item; nil where there are none, or to score with a trained model.
  public var vectors: Matrix?
  /// The width of the text vectors that a stored model was trained with, E; nil in training, and where none were read.
  public var storedTextWidth: Int?
  /// How often each item occurs in train sequences, `[I]`; empty to score with a trained model.
  public var trainCounts: [UInt32] = []
  /// The number of train events of each user; empty to score with a trained model.
  public var trainLengths: [Int] = []
  /// The output of the preprocess stage, for tables that one model alone needs; nil to score with a trained model.
  public var preprocessed: StageInput?
  /// The seed of every random choice.
  public var seed: UInt64 = 42
  /// The largest number of threads; changes no result.
  public var threads = 1

  /// Data of so many items.
  public init(itemCount: Int, codes: ItemCodes? = nil) {
    self.itemCount = itemCount
    self.codes = codes
  }

  /// The width of the text vectors, E.
  ///
  /// - Throws: `PipelineError` `.configuration` if there are none.
  func requiredTextWidth(for model: String) throws(PipelineError) -> Int {
    guard let width = vectors?.columns ?? storedTextWidth else {
      throw PipelineError(
        .configuration, "the model '\(model)' needs item vectors",
        note: "run the preprocess stage with --vectors, or with items that have texts")
    }
    return width
  }

  /// The share of the train events, each user's first left out, that are among the last ones of their users; 1 without any.
  ///
  /// - Parameter maxLength: how many of each user.
  /// - Returns: from 0 to 1.
  func shareOfTargets(within maxLength: Int) -> Double {
    let counts = trainLengths.map { max(0, $0 - 1) }
    let all = counts.reduce(0, +)
    return all == 0 ? 1 : Double(counts.reduce(0) { $0 + min($1, maxLength) }) / Double(all)
  }
}

/// A model that can be saved, read and asked.
public protocol RecommendationModel: AnyObject, Sendable {
  /// Everything that was learned.
  var store: ParameterStore { get }

  /// How it scores.
  var scoring: Scoring { get }

  /// What it can show of itself beyond scores.
  var diagnostics: Diagnostics { get }
}

/// A model that a recipe makes and `h2rec-train` trains.
public protocol TrainableRecommender: TrainableModel, RecommendationModel {
  /// The inputs of the products of the layers in training.
  var precision: ProductPrecision { get }

  /// Gives every parameter its initial value.
  func initialize(_ data: ModelData)

  /// What is trained on.
  func examples(_ sequences: UserSequences, seed: UInt64) -> any ExampleSource<Batch>

  /// What is validated on.
  ///
  /// - Parameters:
  ///   - sequences: the histories of all users.
  ///   - userCount: the users of a sample that is drawn from the seed; nil for all.
  ///   - seed: of the sample.
  ///   - threads: the largest number of threads; changes no result.
  /// - Returns: the task.
  func validation(
    _ sequences: UserSequences, userCount: Int?, seed: UInt64, threads: Int
  ) -> any ValidationTask
}

/// What only some models can show.
public struct Diagnostics: Sendable {
  /// For each branch the weights of the most recent items of a history, which add up to 1; nil for a model without attention.
  ///
  /// The history is not empty.
  public var attention: (@Sendable (ArraySlice<UInt32>) -> [(branch: String, weights: [Float])])?
  /// The columns of a model's vectors that each of its branches has, by the name of the branch.
  public var branches: [(name: String, columns: Range<Int>)] = []
  /// The vectors of items that the model was not trained with, from their codes; nil for a model that cannot score such items.
  public var newItemVectors: (@Sendable (ItemCodes, Int) -> Matrix)?

  /// How well each digit of some targets is predicted where those before it are known; nil for a model that makes no digits.
  public var digits: (@Sendable (RaggedArray<UInt32>, [UInt32], Int) -> [DigitReading])?

  /// Nothing.
  public init() {}
}

/// How well one digit of the targets is predicted where the digits before it are known.
public struct DigitReading: Sendable, Equatable {
  /// The share of the targets whose digit has the greatest score.
  public var accuracy: Double
  /// The mean rank of the true digit among the codes of its level, from 1 (GLASS's CRP).
  public var meanRank: Double

  /// A reading from its parts.
  public init(accuracy: Double, meanRank: Double) {
    self.accuracy = accuracy
    self.meanRank = meanRank
  }
}
