/// How a matrix lies in a binary file: little-endian numbers, row by row.
struct NumericLayout: Sendable, Equatable {
  /// The types of numbers that can be read.
  enum Element: String, Sendable {
    case float16
    case bfloat16
    case float32
    case float64

    var byteCount: Int {
      switch self {
      case .float16, .bfloat16: 2
      case .float32: 4
      case .float64: 8
      }
    }

    /// The number with the given bits, in 32 bits.
    func value(_ bits: UInt64) -> Float {
      switch self {
      case .float16: Float(Float16(bitPattern: UInt16(truncatingIfNeeded: bits)))
      case .bfloat16: Float(bitPattern: UInt32(truncatingIfNeeded: bits) << 16)
      case .float32: Float(bitPattern: UInt32(truncatingIfNeeded: bits))
      case .float64: Float(Double(bitPattern: bits))
      }
    }
  }

  var element: Element
  var rowCount: Int
  var width: Int
  /// The bytes before the first number.
  var byteOffset: Int

  /// The largest number accepted: beyond it squares and their sums leave the range of 32-bit numbers.
  static let maximumMagnitude: Float = 1e15

  /// The widest vectors accepted.
  static let maximumWidth = 1 << 20

  var rowByteCount: Int { width * element.byteCount }

  /// Whether the size of the matrix fits in a number of bytes.
  var isRepresentable: Bool {
    rowCount >= 0 && (1...Self.maximumWidth).contains(width)
      && !rowCount.multipliedReportingOverflow(by: width * 8).overflow
  }
}
