/// A matrix on a tape: its values and, while the tape records, the gradient of the loss with respect to them.
///
/// Valid until the tape begins its next micro-batch.
@safe public struct Tensor {
  /// The number of rows, usually tokens.
  public let rows: Int
  /// The number of columns, usually the width of the model.
  public let columns: Int
  package let values: UnsafeMutablePointer<Float>
  private let gradientMemory: GradientMemory?
  /// Where the rows of this tensor begin in the memory of the gradient.
  private let gradientOffset: Int

  /// A matrix in some memory; without `gradient` a constant.
  init(
    rows: Int, columns: Int, values: UnsafeMutablePointer<Float>, gradient: GradientMemory?
  ) {
    self.rows = rows
    self.columns = columns
    unsafe self.values = values
    gradientMemory = gradient
    gradientOffset = 0
  }

  private init(_ range: Range<Int>, of whole: Tensor) {
    rows = range.count
    columns = whole.columns
    unsafe values = whole.values + range.lowerBound * whole.columns
    gradientMemory = whole.gradientMemory
    gradientOffset = whole.gradientOffset + range.lowerBound * whole.columns
  }

  /// The number of elements.
  public var count: Int { rows * columns }

  /// Whether no operation asks for the gradient: data, or a tape that does not record.
  public var isConstant: Bool { gradientMemory == nil }

  /// The gradient, which is zero where nothing has been added; nil for a constant.
  package var gradient: UnsafeMutablePointer<Float>? {
    unsafe gradientMemory.map { unsafe $0.elements + gradientOffset }
  }

  /// The gradient for an operation that writes to every element, and whether it has to add to what is there; nil for a constant.
  ///
  /// The first of the operations that read a tensor has nothing to add to and saves clearing and reading.
  var gradientToWrite: (elements: UnsafeMutablePointer<Float>, adds: Bool)? {
    guard let memory = gradientMemory else { return nil }
    if count == memory.count, let first = unsafe memory.takeFirst() { return unsafe (first, false) }
    return unsafe (memory.elements + gradientOffset, true)
  }

  /// Says that the gradient will not be asked for again; without effect on a part of a tensor, whose other parts may live on.
  func endGradient() {
    if count == gradientMemory?.count { gradientMemory?.end() }
  }

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
    return Tensor(range, of: self)
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
