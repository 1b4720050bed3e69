import ArgumentParser
import Numerics
import ShardIO

/// The space in which items are compared.
enum ItemSpace: String, CaseIterable, Sendable, ExpressibleByArgument {
  /// The whole item vector.
  case joint
  /// The half that comes from the hash ID.
  case hash
  /// The half that comes from the semantic ID.
  case semantic

  /// Item vectors of length 1 in this space; a vector of zeros stays one.
  ///
  /// - Parameters:
  ///   - items: the item vectors, `[I, w]`; of a model with both branches, the hash half comes first.
  ///   - model: the kind of the model, as its manifest says it.
  /// - Returns: `[I, w]` or `[I, w / 2]`.
  /// - Throws: `PipelineError` `.configuration` if the model has no such branch.
  func directions(_ items: Matrix, model: String) throws(PipelineError) -> Matrix {
    let columns =
      switch (self, model) {
      case (.joint, _), (.hash, "sasrec"), (.semantic, "sid"): 0..<items.columns
      case (.hash, "h2rec"): 0..<items.columns / 2
      case (.semantic, "h2rec"): items.columns / 2..<items.columns
      default: throw .noBranch(rawValue, model: model)
      }
    var result = Matrix(rows: items.rows, columns: columns.count)
    for item in 0..<items.rows {
      let first = item * items.columns
      let row = items.values[first + columns.lowerBound..<first + columns.upperBound]
      let length = row.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
      guard length > 0 else { continue }
      for (column, value) in row.enumerated() {
        result.values[item * columns.count + column] = value / length
      }
    }
    return result
  }
}
