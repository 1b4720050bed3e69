public import Dataset
public import Kernels
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
    network = Network(
      hyper, itemCount: itemCount, codeRows: hyper.hasCodes ? codes?.rows ?? [] : [])
    try network.load(model)
  }

  /// The vector of every item, `[I, w]`.
  public func itemVectors(threads: Int) -> Matrix { network.itemVectors(threads: threads) }

  /// The state after each history, `[histories, w]`; an empty history has a state of zeros.
  public func userVectors(_ histories: RaggedArray<UInt32>, threads: Int) -> Matrix {
    let present = (0..<histories.count).filter { !histories[$0].isEmpty }
    let states = network.states(after: present.map { histories[$0] }, threads: threads)
    guard present.count < histories.count else { return states }
    var result = Matrix(rows: histories.count, columns: states.columns)
    for (row, user) in present.enumerated() {
      let first = user * states.columns
      result.values.replaceSubrange(first..<first + states.columns, with: states[row: row])
    }
    return result
  }
}
