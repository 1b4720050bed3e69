/// A matrix on a tape: its values and, while the tape records, the gradient of the loss with respect to them.
///
/// Valid until the tape begins its next micro-batch.
@safe public struct Tensor {
  /// The number of rows, usually tokens.
  public let rows: Int
  /// The number of columns, usually the width of the model.
  public let columns: Int
  package let values: UnsafeMutablePointer<Float>
  package let gradient: UnsafeMutablePointer<Float>?

  /// The number of elements.
  public var count: Int { rows * columns }

  /// Whether nobody asks for the gradient: data, or a tape that does not record.
  public var isConstant: Bool { unsafe gradient == nil }

  /// A copy of the values, row by row.
  public var array: [Float] { unsafe Array(UnsafeBufferPointer(start: values, count: count)) }

  /// A copy of the gradient; zeros where the tape does not record.
  public var gradientArray: [Float] {
    guard let gradient = unsafe gradient else { return Array(repeating: 0, count: count) }
    return unsafe Array(UnsafeBufferPointer(start: gradient, count: count))
  }

  /// Adds to the gradient, as a loss does.
  ///
  /// - Precondition: as many numbers as there are elements, and the tape records.
  public func addGradient(_ numbers: [Float]) {
    precondition(numbers.count == count)
    guard let gradient = unsafe gradient else { preconditionFailure("the tape does not record") }
    for index in 0..<count { unsafe gradient[index] += numbers[index] }
  }

  /// The rows `range` of the same memory.
  public func slice(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows)
    return unsafe Tensor(
      rows: range.count, columns: columns, values: values + range.lowerBound * columns,
      gradient: gradient.map { unsafe $0 + range.lowerBound * columns })
  }
}

/// A matrix in the flat parameter block.
public struct Parameter: Sendable, Equatable {
  /// The first element in the block.
  public let offset: Int
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int

  /// Names a range of the block.
  public init(offset: Int, rows: Int, columns: Int) {
    self.offset = offset
    self.rows = rows
    self.columns = columns
  }

  /// The number of elements.
  public var count: Int { rows * columns }

  /// The rows `range` of the same matrix.
  public func slice(_ range: Range<Int>) -> Parameter {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows)
    return Parameter(
      offset: offset + range.lowerBound * columns, rows: range.count, columns: columns)
  }
}
