public import Numerics

/// A named block of floats on which the future of a training depends.
public struct StateBlock: Sendable {
  /// What the numbers of a block are; whoever reads them from a file refuses others.
  public enum Content: Sendable {
    /// Any finite numbers.
    case numbers
    /// Finite numbers from 0, as means of squares are.
    case means
    /// Whole numbers from 0 to a number of steps.
    case steps
    /// Counts of 64 bits, 16 bits a float, the highest first; each below 2⁴⁸.
    case counts
    /// Finite doubles from 0 as their 64 bits, 16 bits a float, the highest first.
    case weights
  }

  /// Its name: lower case, with dashes.
  public let name: String
  /// The numbers; a copy of nothing, so that writing to them sets the state.
  public let buffer: AlignedBuffer
  /// Floats in a row.
  public let width: Int
  /// What they are.
  public let content: Content

  /// Names a buffer.
  public init(
    _ name: String, _ buffer: AlignedBuffer, width: Int, content: Content = .numbers
  ) {
    self.name = name
    self.buffer = buffer
    self.width = width
    self.content = content
  }

  /// The first row that cannot be one of this block, and what was expected there.
  ///
  /// - Parameters:
  ///   - values: as many floats as the block has.
  ///   - stepLimit: the largest number of steps.
  /// - Returns: the number found, its row and the rule; nil if all rows are good.
  public func firstFault(
    in values: [Float], stepLimit: Int
  ) -> (found: Float, row: Int, rule: String)? {
    func fault(_ rule: String, where isWrong: (Float) -> Bool) -> (Float, Int, String)? {
      values.firstIndex(where: isWrong).map { (values[$0], $0 / width, rule) }
    }
    switch content {
    case .numbers: return fault("a finite number") { !$0.isFinite }
    case .means: return fault("a mean of squares") { !($0.isFinite && $0 >= 0) }
    case .steps:
      return fault("a whole number of steps, at most \(stepLimit)") {
        !($0 >= 0 && $0 <= Float(stepLimit) && $0 == $0.rounded())
      }
    case .counts, .weights:
      if let found = fault("16 bits in a float", where: { !Self.isDigit($0) }) { return found }
      let rule = content == .counts ? "a count below 2⁴⁸" : "the bits of a finite number from 0"
      for start in stride(from: 0, to: values.count, by: width) {
        let bits = values[start..<start + width].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        let weight = Double(bitPattern: bits)
        let isGood = content == .counts ? bits < 1 << 48 : weight.isFinite && weight >= 0
        if !isGood { return (values[start], start / width, rule) }
      }
      return nil
    }
  }

  private static func isDigit(_ value: Float) -> Bool {
    value >= 0 && value <= 65_535 && value == value.rounded()
  }
}
