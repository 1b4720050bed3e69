internal import CKernels
public import Numerics

/// An average of all parameters over the steps, in which late steps count more.
///
/// `average ← d_t · average + (1 − d_t) · values` after step t, with `d_t = 1 − 1/t` for the first ⌊1 / (1 − decay)⌋ steps, the plain
/// mean so far, and `decay` from then on (Polyak and Juditsky 1992; the exponential form as usual). The start values
/// take no part.
///
/// A row of a table keeps its value between two steps that touch it, so what those steps do to its average is one
/// blend with the product of their `d_t`, made up when the row is next touched: a step's cost does not grow with the
/// catalogue.
@safe public final class ParameterAverage {
  private struct Entry {
    let table: EmbeddingTable
    let average: AlignedBuffer
    /// For each row, how many steps after ``base`` its average contains.
    let steps: AlignedBuffer
  }

  private let decay: Double
  private let meanSteps: Int
  private let parameters: AlignedBuffer
  private let average: AlignedBuffer
  private let entries: [Entry]
  /// The last step that is in the averages of all rows.
  private var base = 0

  /// Creates the average of no step.
  ///
  /// - Parameters:
  ///   - parameters: the dense parameters.
  ///   - tables: the tables.
  ///   - decay: in (0, 1).
  public init(parameters: AlignedBuffer, tables: [EmbeddingTable], decay: Double) {
    precondition(decay > 0 && decay < 1)
    self.decay = decay
    meanSteps = Int((1 / (1 - decay)).rounded(.down))
    self.parameters = parameters
    average = AlignedBuffer(count: parameters.count)
    entries = tables.map {
      Entry(
        table: $0, average: AlignedBuffer(count: $0.values.count),
        steps: AlignedBuffer(count: $0.count))
    }
  }

  /// The averages and their bookkeeping: one block for the dense parameters, two for each table.
  public var blocks: [AlignedBuffer] {
    [average] + entries.flatMap { [$0.average, $0.steps] }
  }

  /// Goes on with ``blocks`` that the caller has set; ``catchUp(to:)`` was last called for `step`.
  public func resume(base step: Int) { base = step }

  /// The product of d_t over the steps after `first` up to `last`.
  func share(after first: Int, to last: Int) -> Double {
    guard last > first else { return 1 }
    // (1 − 1/t) for t = a + 1 ... b multiplies to a / b.
    let meanEnd = min(last, max(first, meanSteps))
    let mean = Double(first) / Double(max(1, meanEnd))
    var share = first < meanEnd ? mean : 1
    var power = decay
    var rest = last - meanEnd
    while rest > 0 {
      if rest & 1 == 1 { share *= power }
      power *= power
      rest >>= 1
    }
    return share
  }

  /// Prepares the tables for step `step`: rows that it touches take in the steps before, in which they did not change.
  public func prepare(step: Int) {
    for entry in entries {
      for row in entry.table.touchedRows { catchUp(entry, Int(row), to: step - 1) }
    }
  }

  /// Takes the dense parameters of step `step` in, when it has been made.
  public func follow(step: Int, threads: Int) {
    let share = Float(share(after: step - 1, to: step))
    let (average, parameters) = (average, parameters)
    let blocks = ranges(parameters.count, of: 65_536)
    parallelFor(blocks.count, threads: threads) { block in
      let range = blocks[block]
      unsafe h2rec_blend(
        average.base + range.lowerBound, parameters.base + range.lowerBound, share, range.count)
    }
  }

  /// Brings the averages of all rows up to a step that has been made.
  public func catchUp(to step: Int) {
    for entry in entries {
      for row in 0..<entry.table.count { catchUp(entry, row, to: step) }
      entry.steps.fill(0)
    }
    base = step
  }

  private func catchUp(_ entry: Entry, _ row: Int, to step: Int) {
    let last = base + Int(entry.steps[row])
    guard last < step else { return }
    let first = row * entry.table.width
    unsafe h2rec_blend(
      entry.average.base + first, entry.table.values.base + first,
      Float(share(after: last, to: step)), entry.table.width)
    // A float counts exactly up to 2²⁴ steps; an epoch has fewer.
    precondition(step - base < 1 << 24)
    entry.steps[row] = Float(step - base)
  }

  /// Exchanges the parameters and their averages.
  public func exchange() {
    unsafe h2rec_exchange(parameters.base, average.base, parameters.count)
    for entry in entries {
      unsafe h2rec_exchange(
        entry.table.values.base, entry.average.base, entry.table.values.count)
    }
  }
}
