public import ShardIO

/// The items that count as positives of each item in the alignment loss, with weights in (0, 1].
///
/// Made from train sequences only; items with equal codes are added by the train stage.
public struct PositivePairs: Sendable, Equatable {
  /// How the weight of a pair was computed.
  public enum Kind: String, Sendable, CaseIterable {
    /// Positive pointwise mutual information of the window counts, scaled to [0.3, 1] per item.
    case ppmi
    /// The mean of max(0.3, 0.8^(distance − 1)) over the occurrences.
    case decay

    /// The kind of the shards that hold such pairs.
    public var tableKind: String { "pairs-\(rawValue)" }
  }

  /// The neighbours of each item, in ascending order.
  public var neighbours: RaggedArray<UInt32>
  /// Their weights, in the order of ``neighbours``.
  public var weights: RaggedArray<Float>

  /// Creates pairs from two ragged arrays of equal shape.
  ///
  /// - Precondition: both have the same offsets.
  public init(neighbours: RaggedArray<UInt32>, weights: RaggedArray<Float>) {
    precondition(neighbours.offsets == weights.offsets, "neighbours and weights differ in shape")
    self.neighbours = neighbours
    self.weights = weights
  }
}

extension PositivePairs {
  /// Reads the pairs of a preprocess output.
  ///
  /// - Parameters:
  ///   - input: the output of the preprocess stage.
  ///   - kind: which of the pairs.
  ///   - itemCount: the number of items of its catalogue; nil where it is not known.
  /// - Throws: `PipelineError`: `.dataFormat` if the shapes disagree, a neighbour is no item or a weight is out of range.
  public init(_ input: StageInput, _ kind: Kind, itemCount: Int? = nil) throws(PipelineError) {
    let table = try input.table(kind.tableKind)
    let neighbours = try table.ragged("neighbours", as: UInt32.self)
    let weights = try table.ragged("weights", as: Float.self)
    let rules = TableRules(input, kind.tableKind)
    let itemCount = itemCount ?? table.rowCount
    try rules.requireRows(table.rowCount, itemCount, one: "item")
    try rules.requireSameShape(
      ("neighbours", neighbours.offsets), ("weights", weights.offsets))
    try rules.requireIndices(
      neighbours, "neighbours", below: itemCount, "items", isAscending: true)
    for row in 0..<weights.count {
      if let weight = weights[row].first(where: { !($0 > 0 && $0 <= 1) }) {
        throw rules.broken(
          "\(weight) in 'weights'", row: row, expected: "a number above 0 and at most 1")
      }
    }
    self.init(neighbours: neighbours, weights: weights)
  }

  /// The pairs as a table, row = item; `kind` says how the weights were computed.
  public func table(_ kind: Kind) -> Table {
    Table(
      kind: kind.tableKind, rowCount: neighbours.count,
      columns: [.ragged("neighbours", neighbours), .ragged("weights", weights)])
  }
}
