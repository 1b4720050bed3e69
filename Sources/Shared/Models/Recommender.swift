public import Dataset
public import Numerics
public import ShardIO

/// A trained model, ready to score: a score is the inner product of a user's state and an item's vector.
public struct Recommender: Sendable {
  /// The network with its trained parameters.
  public let network: Network

  /// Reads the output of the train stage.
  ///
  /// - Parameters:
  ///   - model: the output of the train stage.
  ///   - data: the preprocess output that it was trained on.
  ///   - codes: the codes that it was trained on; nil where the model needs none.
  /// - Throws: `PipelineError`: `.configuration` if the model needs codes and there are none, or if the
  ///   numbers of items differ; `.dataFormat` if the model is damaged.
  public init(
    model: StageInput, data: PreprocessedData, codes: ItemCodes?
  ) throws(PipelineError) {
    let path = "\(model.directory)"
    let hyper = try Hyperparameters(model.manifest, directory: path)
    guard !hyper.hasCodes || codes != nil else {
      throw PipelineError(
        .configuration, "the model '\(hyper.architecture.rawValue)' needs item codes",
        at: .init(path: path), note: "name the tokenize output with --codes")
    }
    let itemCount = data.catalogue.count
    if hyper.hasCodes, let codes {
      guard codes.count == itemCount, codes.levelSizes == hyper.levelSizes else {
        throw PipelineError(
          .configuration,
          "the codes have \(codes.count) items at levels \(codes.levelSizes), expected \(itemCount) at \(hyper.levelSizes)",
          at: .init(path: path), note: "name the tokenize output that the model was trained with")
      }
    }
    try Network.requireSizes(hyper, itemCount: itemCount, model)
    network = Network(
      hyper, itemCount: itemCount, codeRows: hyper.hasCodes ? codes?.rows ?? [] : [])
    try network.load(model)
  }

  /// The vector of every item, `[I, w]`.
  public func itemVectors(threads: Int) -> Matrix { network.itemVectors(threads: threads) }

  /// The state after each history, `[histories, w]`; an empty history has a state of zeros.
  public func userVectors(_ histories: RaggedArray<UInt32>, threads: Int) -> Matrix {
    read(histories, threads: threads).vectors
  }

  /// The state after each history, and what the gate says there.
  ///
  /// - Parameters:
  ///   - histories: one row a user, in time order.
  ///   - threads: the largest number of threads; does not change the result.
  /// - Returns: states `[histories, w]` and weights of the levels `[histories, M]`, zeros for an empty history; no
  ///   weights for a model without a gate.
  public func read(
    _ histories: RaggedArray<UInt32>, threads: Int
  ) -> (vectors: Matrix, gates: Matrix?) {
    let present = (0..<histories.count).filter { !histories[$0].isEmpty }
    let reading = network.reading(of: present.map { histories[$0] }, threads: threads)
    guard present.count < histories.count else { return (reading.states, reading.gates) }
    func spread(_ rows: Matrix) -> Matrix {
      var result = Matrix(rows: histories.count, columns: rows.columns)
      for (row, user) in present.enumerated() {
        let first = user * rows.columns
        result.values.replaceSubrange(first..<first + rows.columns, with: rows[row: row])
      }
      return result
    }
    return (spread(reading.states), reading.gates.map(spread))
  }

  /// How much each item of a history counts for the state after it, by branch.
  ///
  /// - Parameter history: not empty, in time order.
  /// - Returns: the name of each branch, `hash` or `semantic`, and a probability for each of the most recent items that
  ///   the model reads; see ``Network/attention(over:)``.
  public func attention(
    over history: ArraySlice<UInt32>
  ) -> [(branch: String, weights: [Float])] {
    let names = [(network.hyper.hasHash, "hash"), (network.hyper.hasCodes, "semantic")]
    return zip(names.filter(\.0).map(\.1), network.attention(over: history)).map { ($0, $1) }
  }
}
