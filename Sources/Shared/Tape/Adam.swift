internal import CKernels
public import Numerics

/// Adam (Kingma and Ba 2015) over the flat block of dense parameters and over embedding tables.
///
/// A table's rule is the lazy one: a row that a step does not touch keeps its value and its moments, as if the step
/// had not happened to it, while the bias correction counts all steps. With a softmax over the whole catalogue every
/// row is touched and the rule is the dense one.
public final class Adam {
  /// The number of steps taken.
  public internal(set) var stepCount = 0
  /// Step size and decay rates.
  public struct Settings: Sendable {
    /// The learning rate.
    public var rate: Float = 1e-3
    /// Decay of the first moment.
    public var beta1: Float = 0.9
    /// Decay of the second moment.
    public var beta2: Float = 0.999
    /// Added to the root of the second moment.
    public var epsilon: Float = 1e-8
    /// Decoupled weight decay: values are multiplied by 1 − rate · decay (Loshchilov and Hutter 2019); 0 for none.
    public var weightDecay: Float = 0
    /// The largest Euclidean norm of the gradient of all parameters together; longer ones are scaled down; 0 for none.
    public var largestNorm: Float = 0

    /// The defaults of the paper.
    public init() {}
  }

  /// Step size and decay rates; may change between steps.
  public var settings: Settings
  private let parameters: AlignedBuffer
  let first: AlignedBuffer
  let second: AlignedBuffer
  let tables: [(table: EmbeddingTable, first: AlignedBuffer, second: AlignedBuffer)]

  /// Touched rows of a table that one thread moves at a time.
  private static let rowBlock = 128

  /// Creates moments of zero.
  public init(parameters: AlignedBuffer, tables: [EmbeddingTable], settings: Settings) {
    self.settings = settings
    self.parameters = parameters
    first = AlignedBuffer(count: parameters.count)
    second = AlignedBuffer(count: parameters.count)
    self.tables = tables.map {
      ($0, AlignedBuffer(count: $0.values.count), AlignedBuffer(count: $0.values.count))
    }
  }

  /// Moves all parameters by one step and sets all gradients to zero.
  ///
  /// - Parameters:
  ///   - gradient: of the dense parameters, as long as the block.
  ///   - threads: the largest number of threads.
  public func step(gradient: AlignedBuffer, threads: Int) {
    stepCount += 1
    let update = AdamUpdate(settings, step: stepCount, factor: clipFactor(gradient))
    unsafe update.apply(
      to: parameters.base, gradient.base, first.base, second.base, parameters.count,
      threads: threads)
    for entry in tables {
      let table = entry.table
      if table.isWhollyTouched {
        unsafe update.apply(
          to: table.values.base, table.gradient.base, entry.first.base, entry.second.base,
          table.values.count, threads: threads)
      } else {
        let rows = table.touchedRows
        let blocks = ranges(rows.count, of: Self.rowBlock)
        parallelFor(blocks.count, threads: threads) { block in
          for row in rows[blocks[block]] {
            let start = Int(row) * table.width
            unsafe update.apply(
              to: table.values.base + start, table.gradient.base + start, entry.first.base + start,
              entry.second.base + start, table.width, threads: 1)
          }
        }
      }
      table.endStep()
    }
  }
}

extension Adam {
  /// What the gradient is multiplied by so that its norm is at most ``Settings/largestNorm``.
  private func clipFactor(_ gradient: AlignedBuffer) -> Float {
    guard settings.largestNorm > 0 else { return 1 }
    var squares = unsafe h2rec_sum_of_squares(gradient.base, gradient.count)
    for entry in tables {
      let table = entry.table
      for row in table.touchedRows {
        squares += unsafe h2rec_sum_of_squares(
          table.gradient.base + Int(row) * table.width, table.width)
      }
    }
    return min(1, settings.largestNorm / Float(squares.squareRoot()))
  }
}

/// The constants of one step.
private struct AdamUpdate: Sendable {
  let settings: Adam.Settings
  let c1: Float
  let c2: Float
  let factor: Float

  init(_ settings: Adam.Settings, step: Int, factor: Float) {
    self.settings = settings
    self.factor = factor
    c1 = Float(1 / (1 - power(Double(settings.beta1), step)))
    c2 = Float(1 / (1 - power(Double(settings.beta2), step)))
  }

  func apply(
    to values: UnsafeMutablePointer<Float>, _ gradient: UnsafeMutablePointer<Float>,
    _ first: UnsafeMutablePointer<Float>, _ second: UnsafeMutablePointer<Float>, _ count: Int,
    threads: Int
  ) {
    nonisolated(unsafe) let (values, gradient, first, second) = unsafe (
      values, gradient, first, second
    )
    let blocks = (count + 65_535) / 65_536
    parallelFor(blocks, threads: threads) { block in
      let start = block * 65_536
      unsafe h2rec_adam(
        values + start, gradient + start, first + start, second + start,
        min(65_536, count - start), settings.rate, settings.beta1, settings.beta2,
        settings.epsilon, c1, c2, factor, 1 - settings.rate * settings.weightDecay)
    }
  }
}

private func power(_ base: Double, _ exponent: Int) -> Double {
  var result = 1.0
  var factor = base
  var rest = exponent
  while rest > 0 {
    if rest & 1 == 1 { result *= factor }
    factor *= factor
    rest >>= 1
  }
  return result
}
