internal import Clustering
public import Numerics
public import Tape

/// How codebooks follow the rows that chose them.
public enum CodebookUpdate: Sendable, Equatable {
  /// By the gradient of `Σ ‖rest‖²`, through Adam.
  case gradient
  /// As moving averages of the rows (van den Oord et al. 2017, appendix A.1); the decay is below 1.
  case movingAverage(decay: Float)
}

/// How to learn a residual-quantised autoencoder.
public struct AutoencoderOptions: Sendable, Equatable {
  /// The number of codes of each level, coarsest first.
  public var levelSizes: [Int]
  /// Whether a level takes the smallest angle instead of the smallest distance, one a level.
  public var isAngular: [Bool]
  /// The widths of the encoder's hidden layers; the decoder has them in reverse.
  public var hiddenWidths = [512, 256]
  /// The width of the latent space.
  public var latentWidth = 64
  /// The largest number of passes over the points.
  public var epochCount = 100
  /// The rows of a step.
  public var batchSize = 1024
  /// Adam's step size.
  public var learningRate: Float = 1e-3
  /// The weight of the rows' commitment to their codes.
  public var commitment: Float = 0.25
  /// The weight of the loss of rows of a part that differ and have equal codes (HiD-VAE); 0 for none.
  public var uniqueness: Float = 0
  /// The weight of the prediction of tags from the first codes; 0 for none.
  public var supervision: Float = 0
  /// The weight of the alignment of what the first codes stand for with the vectors of their tags; 0 for none.
  public var tagAlignment: Float = 0
  /// The temperature of that alignment.
  public var tagTemperature: Float = 0.1
  /// The inputs of the layers' products while they are learned; codes are chosen and items encoded in 32-bit floats.
  public var precision = ProductPrecision.float32
  /// How the gradient gets past the choice of codes.
  public var passing = QuantizerGradient.straightThrough
  /// How the codebooks learn.
  public var update = CodebookUpdate.gradient
  /// The epochs without a loss smaller by 0.1 % after which learning ends; 0 to go on to the last epoch.
  public var patience = 0
  /// The random numbers.
  public var random: CounterRandom

  /// The options of a search with the defaults of the reference.
  ///
  /// - Parameters:
  ///   - levelSizes: the number of codes of each level.
  ///   - random: the random numbers.
  public init(levelSizes: [Int], random: CounterRandom) {
    self.levelSizes = levelSizes
    self.random = random
    isAngular = levelSizes.map { _ in false }
  }

  /// Whether a loss needs tags.
  public var needsTags: Bool { supervision > 0 || tagAlignment > 0 }
}

/// What the first code, the first two, … are to tell of the points (HiD-VAE: one level of tags a level of codes).
public struct AutoencoderTags: Sendable, Equatable {
  /// The number of tags of each level, at most as many levels as codes have.
  public var counts: [Int]
  /// The tag of each point at each level, negative for none, level by level, `[N]` each.
  public var classes: [[Int32]]

  /// Tags by level.
  ///
  /// - Parameters:
  ///   - counts: the number of tags of each level.
  ///   - classes: the tag of each point at each level, below its count, or negative for none.
  public init(counts: [Int], classes: [[Int32]]) {
    precondition(counts.count == classes.count, "levels")
    precondition(zip(counts, classes).allSatisfy { pair in pair.1.allSatisfy { $0 < pair.0 } })
    self.counts = counts
    self.classes = classes
  }

  /// The mean of the points of each tag, level by level, `[tags, D]`.
  func means(of points: Matrix, threads: Int) -> [Matrix] {
    zip(counts, classes).map { count, classes in
      let named = classes.indices.filter { classes[$0] >= 0 }
      return clusterMeans(
        points.gathering(named), named.map { UInt32(classes[$0]) }, clusterCount: count,
        threads: threads)
    }
  }
}
