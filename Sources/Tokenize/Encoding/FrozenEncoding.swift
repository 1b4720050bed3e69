internal import Dataset
internal import Numerics
internal import Quantizers
internal import ShardIO

/// What a frozen tokenizer made of a catalogue.
struct FrozenEncoding: Sendable, Equatable {
  /// How well the frozen codebooks fit new items.
  struct Drift: Sendable, Equatable {
    var knownCount: Int
    var newCount: Int
    /// Known items that would get other codes now, because their vectors changed.
    var movedCount: Int
    /// Mean squared error of the known items and of the new ones.
    var knownError: Double
    var newError: Double
    /// Mean squared error when the codebooks were fitted; that of the known items where it is not known.
    var fitError: Double
    /// The ratio from which a new fit is advised.
    var limit: Double

    /// The share of known items that would get other codes now, from which a new fit is advised.
    static let movedLimit = 0.1

    /// Whether the frozen codebooks fit items too badly, or too many known ones have moved.
    var isRefitAdvised: Bool { ratio > limit || movedShare > Self.movedLimit }

    /// The share of the known items that would get other codes now.
    var movedShare: Double { Double(movedCount) / Double(max(1, knownCount)) }

    /// The error of new items, or of known ones where it is larger, as a multiple of that at the fit; 1 where nothing is
    /// known of that.
    var ratio: Double { fitError > 0 ? max(newError, knownError) / fitError : 1 }
  }

  var items: TokenizedItems
  var drift: Drift

  /// Keeps the codes of known items and gives new ones theirs.
  ///
  /// Where the last level numbers items with equal codes, new ones get the next numbers.
  ///
  /// - Parameters:
  ///   - vectors: the item vectors, row = item.
  ///   - previous: the earlier run.
  ///   - rows: the row of each item in the earlier run; nil for new items.
  ///   - limit: the ratio of errors from which a new fit is advised.
  ///   - threads: the largest number of threads.
  init(_ vectors: Matrix, _ previous: PreviousRun, rows: [Int?], limit: Double, threads: Int) {
    let encoder = previous.encoder
    var encoding = encoder.encode(vectors, threads: threads)
    let levelCount = previous.codes.levelCount
    let decidedCount = previous.isNumbered ? levelCount - 1 : levelCount
    drift = Drift(
      knownCount: 0, newCount: 0, movedCount: 0, knownError: 0, newError: 0, fitError: 0,
      limit: limit)
    for (item, row) in rows.enumerated() {
      guard let row else {
        drift.newCount += 1
        drift.newError += encoding.errors[item]
        continue
      }
      let place = item * levelCount..<(item + 1) * levelCount
      let stored = previous.codes.tuple(of: row)
      if encoding.codes[place].prefix(decidedCount) != stored.prefix(decidedCount) {
        drift.movedCount += 1
      }
      drift.knownCount += 1
      drift.knownError += encoding.errors[item]
      encoding.codes.replaceSubrange(place, with: stored)
    }
    drift.knownError /= Double(max(1, drift.knownCount))
    drift.newError /= Double(max(1, drift.newCount))
    drift.fitError = previous.fitError ?? drift.knownError
    items = TokenizedItems(
      levelSizes: previous.codes.levelSizes, codes: encoding.codes, codebooks: encoder.codebooks,
      center: encoder.center, variance: encoding.variance, residuals: encoding.residuals,
      distances: encoder.distances, isParallel: encoder.isParallel, network: encoder.network)
    if previous.isNumbered { items.number(after: previous.codes, rows: rows) }
  }
}

extension TokenizedItems {
  /// Numbers new items after the earlier ones with the same codes; the last level grows where it must.
  ///
  /// - Parameters:
  ///   - previous: the codes of the earlier run, with its numbers.
  ///   - rows: the row of each item in the earlier run; nil for new items.
  fileprivate mutating func number(after previous: ItemCodes, rows: [Int?]) {
    isNumbered = true
    let levelCount = levelSizes.count
    var next: [[UInt16]: Int] = [:]
    for row in 0..<previous.count {
      let tuple = previous.tuple(of: row)
      next[Array(tuple.dropLast()), default: 0].formMax(Int(tuple[tuple.endIndex - 1]) + 1)
    }
    for item in rows.indices where rows[item] == nil {
      let place = (item + 1) * levelCount - 1
      let prefix = Array(codes[place - levelCount + 1..<place])
      let number = min(next[prefix] ?? 0, LevelSizes.largestSize - 1)
      codes[place] = UInt16(number)
      next[prefix] = number + 1
      levelSizes[levelCount - 1].formMax(number + 1)
    }
    let size = levelSizes[levelCount - 1]
    codebooks[levelCount - 1] = Matrix(rows: size, columns: center.count)
    if let network {
      self.network?.codebooks[network.codebooks.count - 1] = Matrix(
        rows: size, columns: network.encoder.outputWidth)
    }
  }
}

extension Int {
  fileprivate mutating func formMax(_ other: Int) { self = Swift.max(self, other) }
}

extension FrozenEncoding.Drift {
  /// The drift for reports, with stable keys.
  var json: JSONValue {
    .object([
      "knownItems": JSONValue(knownCount),
      "newItems": JSONValue(newCount),
      "movedItems": JSONValue(movedCount),
      "knownError": JSONValue(knownError),
      "newError": JSONValue(newError),
      "fitError": JSONValue(fitError),
      "movedShare": JSONValue(movedShare),
      "ratio": JSONValue(ratio),
      "refitAdvised": .bool(isRefitAdvised),
    ])
  }
}
