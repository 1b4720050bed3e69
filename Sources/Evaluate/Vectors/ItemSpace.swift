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
  ///   - items: the item vectors, `[I, w]`.
  ///   - branches: the columns of each branch of the model.
  ///   - model: its name, for messages.
  /// - Returns: `[I, w]` or `[I, w / 2]`.
  /// - Throws: `PipelineError` `.configuration` if the model has no such branch.
  func directions(
    _ items: Matrix, branches: [(name: String, columns: Range<Int>)], model: String
  ) throws(PipelineError) -> Matrix {
    let branch = branches.first { $0.name == rawValue }?.columns
    guard let columns = self == .joint ? 0..<items.columns : branch else {
      throw .noBranch(rawValue, model: model)
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
