internal import Glibc

/// A number type that columns can hold.
public protocol ShardElement: BitwiseCopyable, Sendable {
  /// The values of a column of this type, as the type-erased array that columns hold.
  static func erased(_ values: [Self]) -> ColumnValues
  /// The values of a column, or `nil` if they have another type.
  static func values(of column: ColumnValues) -> [Self]?
}

/// The values of a column: an array of one of eight number types, never copied on the way in or out.
public enum ColumnValues: Sendable {
  /// Unsigned bytes.
  case uint8([UInt8])
  /// Unsigned 16-bit integers.
  case uint16([UInt16])
  /// Unsigned 32-bit integers.
  case uint32([UInt32])
  /// Unsigned 64-bit integers.
  case uint64([UInt64])
  /// Signed 32-bit integers.
  case int32([Int32])
  /// Signed 64-bit integers.
  case int64([Int64])
  /// IEEE 754 binary32.
  case float([Float])
  /// IEEE 754 binary64.
  case double([Double])
}

extension ColumnValues {
  /// The type of the elements.
  package var type: ElementType {
    switch self {
    case .uint8: .uint8
    case .uint16: .uint16
    case .uint32: .uint32
    case .uint64: .uint64
    case .int32: .int32
    case .int64: .int64
    case .float: .float
    case .double: .double
    }
  }

  /// The number of elements.
  package var count: Int {
    switch self {
    case .uint8(let values): values.count
    case .uint16(let values): values.count
    case .uint32(let values): values.count
    case .uint64(let values): values.count
    case .int32(let values): values.count
    case .int64(let values): values.count
    case .float(let values): values.count
    case .double(let values): values.count
    }
  }

  /// Calls `body` with the bytes of the elements.
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    switch self {
    case .uint8(let values): unsafe values.withUnsafeBytes { unsafe body($0) }
    case .uint16(let values): unsafe values.withUnsafeBytes { unsafe body($0) }
    case .uint32(let values): unsafe values.withUnsafeBytes { unsafe body($0) }
    case .uint64(let values): unsafe values.withUnsafeBytes { unsafe body($0) }
    case .int32(let values): unsafe values.withUnsafeBytes { unsafe body($0) }
    case .int64(let values): unsafe values.withUnsafeBytes { unsafe body($0) }
    case .float(let values): unsafe values.withUnsafeBytes { unsafe body($0) }
    case .double(let values): unsafe values.withUnsafeBytes { unsafe body($0) }
    }
  }

  /// Creates `count` elements of `type`; `fill` must write all of their bytes.
  package init(
    _ type: ElementType, count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void
  ) {
    self =
      switch type {
      case .uint8: .uint8(unsafe filled(count, fill))
      case .uint16: .uint16(unsafe filled(count, fill))
      case .uint32: .uint32(unsafe filled(count, fill))
      case .uint64: .uint64(unsafe filled(count, fill))
      case .int32: .int32(unsafe filled(count, fill))
      case .int64: .int64(unsafe filled(count, fill))
      case .float: .float(unsafe filled(count, fill))
      case .double: .double(unsafe filled(count, fill))
      }
  }
}

/// An array of `count` elements whose bytes `fill` writes.
package func filled<Element: BitwiseCopyable>(
  _ count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void
) -> [Element] {
  unsafe [Element](unsafeUninitializedCapacity: count) { buffer, initializedCount in
    unsafe fill(
      UnsafeMutableRawBufferPointer(
        rebasing: UnsafeMutableRawBufferPointer(buffer)[..<(count * MemoryLayout<Element>.stride)]))
    initializedCount = count
  }
}

extension ColumnValues: Equatable {
  /// Whether the types and all bits are equal; NaN equals the same NaN, and 0 differs from −0.
  public static func == (left: ColumnValues, right: ColumnValues) -> Bool {
    guard left.type == right.type, left.count == right.count else { return false }
    return unsafe left.withBytes { first in
      unsafe right.withBytes { second in
        guard let left = first.baseAddress, let right = second.baseAddress else {
          return true
        }
        return unsafe memcmp(left, right, first.count) == 0
      }
    }
  }
}

extension UInt8: ShardElement {
  /// See ``ShardElement``.
  public static func erased(_ values: [UInt8]) -> ColumnValues { .uint8(values) }
  /// See ``ShardElement``.
  public static func values(of column: ColumnValues) -> [UInt8]? {
    if case .uint8(let values) = column { values } else { nil }
  }
}

extension UInt16: ShardElement {
  /// See ``ShardElement``.
  public static func erased(_ values: [UInt16]) -> ColumnValues { .uint16(values) }
  /// See ``ShardElement``.
  public static func values(of column: ColumnValues) -> [UInt16]? {
    if case .uint16(let values) = column { values } else { nil }
  }
}

extension UInt32: ShardElement {
  /// See ``ShardElement``.
  public static func erased(_ values: [UInt32]) -> ColumnValues { .uint32(values) }
  /// See ``ShardElement``.
  public static func values(of column: ColumnValues) -> [UInt32]? {
    if case .uint32(let values) = column { values } else { nil }
  }
}

extension UInt64: ShardElement {
  /// See ``ShardElement``.
  public static func erased(_ values: [UInt64]) -> ColumnValues { .uint64(values) }
  /// See ``ShardElement``.
  public static func values(of column: ColumnValues) -> [UInt64]? {
    if case .uint64(let values) = column { values } else { nil }
  }
}

extension Int32: ShardElement {
  /// See ``ShardElement``.
  public static func erased(_ values: [Int32]) -> ColumnValues { .int32(values) }
  /// See ``ShardElement``.
  public static func values(of column: ColumnValues) -> [Int32]? {
    if case .int32(let values) = column { values } else { nil }
  }
}

extension Int64: ShardElement {
  /// See ``ShardElement``.
  public static func erased(_ values: [Int64]) -> ColumnValues { .int64(values) }
  /// See ``ShardElement``.
  public static func values(of column: ColumnValues) -> [Int64]? {
    if case .int64(let values) = column { values } else { nil }
  }
}

extension Float: ShardElement {
  /// See ``ShardElement``.
  public static func erased(_ values: [Float]) -> ColumnValues { .float(values) }
  /// See ``ShardElement``.
  public static func values(of column: ColumnValues) -> [Float]? {
    if case .float(let values) = column { values } else { nil }
  }
}

extension Double: ShardElement {
  /// See ``ShardElement``.
  public static func erased(_ values: [Double]) -> ColumnValues { .double(values) }
  /// See ``ShardElement``.
  public static func values(of column: ColumnValues) -> [Double]? {
    if case .double(let values) = column { values } else { nil }
  }
}
