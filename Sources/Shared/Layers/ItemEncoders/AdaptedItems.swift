internal import CKernels
public import Numerics
public import Tape

/// A network that makes the vectors of items of their text vectors.
public protocol ItemAdapter: Sendable {
  /// Makes vectors of some items.
  ///
  /// - Parameters:
  ///   - x: text vectors, `[n, E]`; data, which linear operations alone may read.
  ///   - tape: where the operations go.
  /// - Returns: `[n, d]`.
  func apply(to x: Tensor, on tape: Tape) -> Tensor
}

/// An item's vector is made of its text vector by a network that is learned, and may have a row of its own added.
///
/// The vectors that were made lie in a table of the store that the optimiser never moves: they are made anew for the whole catalogue
/// whenever the parameters have changed, and a trained model scores without text vectors. Their gradients go back through the network at
/// the end of a step, those of the items that took part.
///
/// `@unchecked Sendable`: written only between the parallel regions of a step (see `AlignedBuffer`).
@safe public final class AdaptedItems: ItemEncoder, @unchecked Sendable {
  private let made: ItemTable
  private let own: EmbeddingTable?
  private let adapter: any ItemAdapter
  private var source: Source?

  /// Text vectors and the memory of the work on them.
  private struct Source {
    let vectors: Matrix
    /// The factor of the text vectors: their mean square length is 1 then.
    let factor: Float
    let tapes: TapePool
    let lanes: [AlignedBuffer]
    let threads: Int
  }

  /// Items in a piece of work.
  private static let blockSize = 256
  /// Sums of gradients that are formed side by side; part of what determines the result.
  private static let laneCount = 8

  /// Takes a table for the vectors; it is zero until ``start(_:parameters:threads:)``.
  ///
  /// - Parameters:
  ///   - made: where the vectors lie, `[I, d]`.
  ///   - own: rows that are learned and added, `[I, d]`; nil for text alone.
  ///   - adapter: the network.
  public init(_ made: EmbeddingTable, own: EmbeddingTable?, adapter: any ItemAdapter) {
    self.made = ItemTable(made)
    self.own = own
    self.adapter = adapter
  }

  /// The factor that gives rows a mean square length of 1; 1 where all are zero.
  public static func factor(of vectors: Matrix) -> Float {
    let square = vectors.values.reduce(0.0) { $0 + Double($1) * Double($1) }
    return square > 0 ? Float((Double(vectors.rows) / square).squareRoot()) : 1
  }

  /// Takes the text vectors, and makes the vectors of all items.
  ///
  /// - Parameters:
  ///   - vectors: `[I, E]`.
  ///   - parameters: of the adapter.
  ///   - threads: the largest number of threads from now on; changes no result.
  public func start(_ vectors: Matrix, parameters: AlignedBuffer, threads: Int) {
    precondition(vectors.rows == itemCount)
    source = Source(
      vectors: vectors, factor: Self.factor(of: vectors), tapes: TapePool(parameters: parameters),
      lanes: (0..<Self.laneCount).map { _ in AlignedBuffer(count: parameters.count) },
      threads: threads)
    makeVectors()
  }

  /// Makes the vectors of all items from the current parameters; does nothing to a model that only scores.
  public func makeVectors() {
    guard let source else { return }
    let blocks = ranges(itemCount, of: Self.blockSize)
    parallelFor(blocks.count, threads: source.threads) { [self] number in
      let block = blocks[number]
      source.tapes.withTape { tape in
        tape.begin(recording: false, randomness: nil)
        let x = tape.data(source.vectors, rows: Array(block)[...], factor: source.factor)
        let y = adapter.apply(to: x, on: tape)
        unsafe (vectors.base + block.lowerBound * width).update(from: y.values, count: y.count)
      }
      guard let own else { return }
      for item in block {
        unsafe h2rec_add_scaled(
          vectors.base + item * width, own.values.base + item * width, 1, width)
      }
    }
  }

  /// Passes the gradients of the vectors on to the parameters of the adapter and to the rows of the items, and clears them.
  ///
  /// - Parameters:
  ///   - parameters: the gradient of all dense parameters, which is added to.
  ///   - threads: the largest number of threads; changes no result.
  public func passGradient(to parameters: AlignedBuffer, threads: Int) {
    guard let source else { return }
    let table = made.table
    let items =
      table.isWhollyTouched ? Array(0..<itemCount) : table.touchedRows.map { Int($0) }.sorted()
    guard !items.isEmpty else { return }
    if let own {
      for item in items {
        unsafe own.add(gradient.base + item * width, factor: 1, toRow: UInt32(item))
      }
    }
    let blocks = ranges(items.count, of: Self.blockSize)
    let lanes = Array(source.lanes.prefix(blocks.count))
    parallelFor(lanes.count, threads: threads) { [self] lane in
      lanes[lane].fill(0)
      source.tapes.withTape { tape in
        for number in stride(from: lane, to: blocks.count, by: Self.laneCount) {
          addGradient(of: items[blocks[number]], source, on: tape)
          lanes[lane].add([tape.gradient], threads: 1)
        }
      }
    }
    parameters.add(lanes, threads: threads)
    for item in items {
      unsafe (gradient.base + item * width).update(repeating: 0, count: width)
    }
    table.endStep()
  }

  private func addGradient(of items: ArraySlice<Int>, _ source: Source, on tape: Tape) {
    tape.begin(recording: true, randomness: nil)
    let y = adapter.apply(
      to: tape.data(source.vectors, rows: items, factor: source.factor), on: tape)
    guard let target = unsafe y.gradient else { return }
    for (row, item) in items.enumerated() {
      unsafe (target + row * width).update(from: gradient.base + item * width, count: width)
    }
    tape.backward()
  }

  // MARK: - The vectors as a table

  /// The number of items, I.
  public var itemCount: Int { made.itemCount }
  /// The number of floats in a vector, d.
  public var width: Int { made.width }
  /// The vectors that were made.
  public var vectors: AlignedBuffer { made.vectors }
  /// Their gradient.
  public var gradient: AlignedBuffer { made.gradient }

  /// Does nothing: the vectors are made when the parameters change.
  public func refresh(threads: Int) {}

  /// Lists every item as part of the gradient.
  public func scatterGradient() { made.scatterGradient() }

  /// Writes the vectors of some items to rows that are `stride` floats apart.
  public func copyVectors(
    _ items: ArraySlice<UInt32>, to rows: UnsafeMutablePointer<Float>, stride: Int
  ) {
    unsafe made.copyVectors(items, to: rows, stride: stride)
  }

  /// Adds some columns of rows to the gradients of items' vectors.
  public func addGradients(
    _ rows: UnsafePointer<Float>, stride: Int, columns: Range<Int>, to items: [UInt32],
    itemsPerRow: Int, factors: [Float]?
  ) {
    unsafe made.addGradients(
      rows, stride: stride, columns: columns, to: items, itemsPerRow: itemsPerRow,
      factors: factors)
  }

  /// Puts items of a history on a tape.
  public func embed(
    _ items: [UInt32], scale: Float, positions: PositionIDs?, dropout: Float, into y: Tensor?,
    on tape: Tape
  ) -> Tensor {
    made.embed(items, scale: scale, positions: positions, dropout: dropout, into: y, on: tape)
  }
}
