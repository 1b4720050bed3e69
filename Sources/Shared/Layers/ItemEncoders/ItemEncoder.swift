internal import CKernels
public import Numerics
public import Tape

/// A part of a model that gives every item a vector: what a history is read through, and what scores are made of.
///
/// As the input side, ``embed(_:scale:positions:dropout:into:on:)`` puts items of a history on a tape. As the output embedding, the
/// vectors of all items lie in ``vectors``, and losses add to their gradients. A score is the sum over the item encoders of a
/// model of `⟨columns of the state, item vector⟩`.
public protocol ItemEncoder: AnyObject, Sendable {
  /// The number of items, I.
  var itemCount: Int { get }
  /// The number of floats in a vector, d.
  var width: Int { get }
  /// The vectors of all items, `[I, d]`, as of the last ``refresh(threads:)``.
  var vectors: AlignedBuffer { get }
  /// The gradient of the vectors, `[I, d]`; it reaches the parameters by ``scatterGradient()``.
  var gradient: AlignedBuffer { get }

  /// Computes the vectors of all items from the current parameters.
  ///
  /// - Parameter threads: the largest number of threads; does not change the result.
  func refresh(threads: Int)

  /// Passes the gradient of all vectors on to the parameters, and clears it.
  func scatterGradient()

  /// Writes the vectors of some items, from the current parameters, to rows that are `stride` floats apart.
  func copyVectors(
    _ items: ArraySlice<UInt32>, to rows: UnsafeMutablePointer<Float>, stride: Int)

  /// Adds some columns of rows to the gradients of items' vectors, in the order of the items; the first columns also list the rows
  /// of tables that take part.
  ///
  /// - Parameters:
  ///   - rows: the first of the rows; row `t / itemsPerRow` is for item number t.
  ///   - stride: floats from one row to the next.
  ///   - columns: which columns; different threads may add different ones.
  ///   - items: the items.
  ///   - itemsPerRow: how many items in a row receive the same row.
  ///   - factors: a factor for each item; nil for 1.
  func addGradients(
    _ rows: UnsafePointer<Float>, stride: Int, columns: Range<Int>, to items: [UInt32],
    itemsPerRow: Int, factors: [Float]?)

  /// `y[t] = dropout(scale · vector of items[t] + position row of t)`.
  ///
  /// - Parameters:
  ///   - items: the items, `[T]`.
  ///   - scale: the factor of the vectors.
  ///   - positions: the rows of a position table that are added; nil for none.
  ///   - dropout: the dropout probability, in [0, 1).
  ///   - y: where the result goes, `[T, d]`; a new tensor if nil.
  ///   - tape: where the operation goes.
  /// - Returns: `y`.
  func embed(
    _ items: [UInt32], scale: Float, positions: PositionIDs?, dropout: Float, into y: Tensor?,
    on tape: Tape
  ) -> Tensor
}

/// What the vectors of some items receive through one item encoder.
@safe package struct ItemGradients: @unchecked Sendable {
  /// The encoder of the items.
  let encoder: any ItemEncoder
  /// Rows of as many floats as the encoder is wide.
  let rows: UnsafePointer<Float>
  /// Floats from one row to the next.
  let stride: Int

  /// Names the rows of an encoder.
  package init(encoder: any ItemEncoder, rows: UnsafePointer<Float>, stride: Int) {
    self.encoder = encoder
    unsafe self.rows = rows
    self.stride = stride
  }
}

/// Adds to the gradients of items' vectors, in the order of the items.
///
/// - Parameters:
///   - gradients: for each encoder what it passes on, row `t / itemsPerRow` to item number t.
///   - items: the items.
///   - itemsPerRow: how many items in a row receive the same row.
///   - factors: a factor for each item; nil for 1.
///   - threads: the largest number of threads; does not change the result.
package func addItemGradients(
  _ gradients: [ItemGradients], to items: [UInt32], itemsPerRow: Int = 1, factors: [Float]? = nil,
  threads: Int
) {
  let pieces = gradients.flatMap { part in columnPieces(part.encoder.width).map { (part, $0) } }
  parallelFor(pieces.count, threads: threads) { number in
    let (part, columns) = pieces[number]
    unsafe part.encoder.addGradients(
      part.rows, stride: part.stride, columns: columns, to: items, itemsPerRow: itemsPerRow,
      factors: factors)
  }
}
