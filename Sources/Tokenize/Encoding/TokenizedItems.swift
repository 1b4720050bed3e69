internal import Dataset
internal import Numerics
internal import Quantizers

// N items, D width of their vectors, M levels, K codes of a level.

/// How the search of one level went.
struct LevelFit: Sendable, Equatable {
  var iterationCount: Int
  var revivalCount: Int
  var relocationCount: Int
}

/// Item vectors as sums of one code vector a level.
struct TokenizedItems: Sendable, Equatable {
  var levelSizes: [Int]
  /// The code of each item at each level, shape `[N, M]`.
  var codes: [UInt16]
  /// One `[K, D]` matrix a level, in the space of the vectors minus ``center``.
  var codebooks: [Matrix]
  /// What is subtracted from the vectors before the first level, shape `[D]`; empty for codes without vectors.
  var center: [Float]
  /// Mean squared length of the centred vectors.
  var variance: Double
  /// Mean squared length of what is left of them after each level.
  var residuals: [Double]
  /// How the search of each level went; empty where codes were not learned in this run.
  var fits: [LevelFit] = []
  /// The share of ``variance`` that the search saw; less than 1 after a reduction to principal components.
  var visibleShare = 1.0
  /// What made a code the nearest one at each level; nil for the Euclidean distance at all.
  var distances: [CodeDistance]?
  /// Whether a vector is the mean of its code vectors, each the nearest to all of it; else the sum of residual ones.
  var isParallel = false
  /// Whether the last level is a number that tells items with equal codes apart.
  var isNumbered = false
  /// The network whose latent vectors the codes were chosen for; nil where the vectors themselves decide.
  var network: CodeNetwork?
  /// How the network was learned; empty where it was not in this run.
  var epochs: [AutoencoderEpoch] = []
  /// Mean squared error of what the network's decoder makes of the codes, as a share of the variance.
  var decoderError: Double?

  /// The tokenizer that gives these codes.
  var encoder: CodeEncoder {
    CodeEncoder(
      codebooks: codebooks, center: center, distances: distances, isParallel: isParallel,
      network: network)
  }

  /// Whether learning came to an end with numbers.
  var isFinite: Bool {
    (epochs.last?.total.isFinite ?? true) && (decoderError?.isFinite ?? true)
  }

  /// Gives all items of a catalogue the codes that the tokenizer has for their vectors.
  mutating func encode(_ vectors: Matrix, threads: Int) {
    let encoding = encoder.encode(vectors, threads: threads)
    codes = encoding.codes
    variance = encoding.variance
    residuals = encoding.residuals
    if decoderError != nil {
      decoderError = encoder.decoderError(of: codes, vectors, threads: threads)
        .map { $0 / variance }
    }
  }

  /// Whether there are item vectors that the codes stand for.
  var hasVectors: Bool { !center.isEmpty }

  /// Mean squared error of centre plus codes, as a share of the variance; 0 without vectors.
  var relativeError: Double { hasVectors ? (residuals.last ?? variance) / variance : 0 }
}

extension ItemCodes {
  /// The codes in the form that the stages exchange.
  init(_ items: TokenizedItems) {
    let statistics = CodeStatistics(items.codes, levelSizes: items.levelSizes)
    self.init(
      levelSizes: items.levelSizes, codes: items.codes,
      codebooks: items.codebooks.flatMap(\.values), width: items.center.count,
      usage: statistics.levels.flatMap { $0.usage.map(UInt32.init) }, center: items.center,
      isTextSpace: items.hasVectors)
  }

  /// One matrix a level.
  var codebookMatrices: [Matrix] {
    levelSizes.indices.map { level in
      let first = firstRow(of: level)
      let rows = first * width..<(first + levelSizes[level]) * width
      return Matrix(rows: levelSizes[level], columns: width, values: Array(codebooks[rows]))
    }
  }
}
