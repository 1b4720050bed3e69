public import ShardIO

/// The numbers of an array in a file, always little-endian.
public enum NumberType: Sendable {
  /// IEEE 754, 32 bits.
  case float32
  /// Whole numbers from 0 to 65,535.
  case uint16

  /// The bytes of one number.
  var byteCount: Int { self == .float32 ? 4 : 2 }
  /// The type as NumPy calls it.
  var numpyName: String { self == .float32 ? "<f4" : "<u2" }
  /// The type as safetensors calls it.
  var safetensorsName: String { self == .float32 ? "F32" : "U16" }
}

/// What the headers of .npy and safetensors files say of an array; its numbers follow row by row.
public struct ArrayLayout: Sendable, Equatable {
  /// The name; .npy files have none.
  public var name: String
  /// The length of each dimension, the slowest first.
  public var shape: [Int]
  /// The type of the numbers.
  public var type: NumberType

  /// Describes an array.
  public init(_ name: String, shape: [Int], type: NumberType = .float32) {
    self.name = name
    self.shape = shape
    self.type = type
  }

  /// The bytes of all numbers.
  public var byteCount: Int { shape.reduce(type.byteCount, *) }

  /// The header of a NumPy array file, format version 1.0, C order.
  ///
  /// - Returns: the bytes before the numbers; their count is a multiple of 64.
  public var npyHeader: [UInt8] {
    let dimensions = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let text =
      "{'descr': '\(type.numpyName)', 'fortran_order': False, 'shape': (\(dimensions)), }"
    // Magic, version and length take 10 bytes; a line end closes the text.
    let padding = (64 - (10 + text.utf8.count + 1) % 64) % 64
    let count = text.utf8.count + padding + 1
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(count & 255), UInt8(count >> 8)]
      + Array(text.utf8) + [UInt8](repeating: 0x20, count: padding) + [0x0A]
  }

  /// The header of a safetensors file: its length, then JSON that says where each array lies.
  ///
  /// - Parameter arrays: in the order of their numbers.
  /// - Returns: the bytes before the numbers; their count is a multiple of 8.
  /// - Throws: `PipelineError` `.internalError` if the header is no JSON.
  public static func safetensorsHeader(_ arrays: [ArrayLayout]) throws(PipelineError) -> [UInt8] {
    var members: [String: JSONValue] = [:]
    var start = 0
    for array in arrays {
      members[array.name] = [
        "dtype": .string(array.type.safetensorsName),
        "shape": .array(array.shape.map { JSONValue($0) }),
        "data_offsets": [JSONValue(start), JSONValue(start + array.byteCount)],
      ]
      start += array.byteCount
    }
    var header = try JSONValue.object(members).json(isPretty: false)
    header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
    return littleEndianBytes([UInt64(header.count)]) + header
  }
}

/// Whole numbers as little-endian bytes, one after another.
public func littleEndianBytes<Number: FixedWidthInteger>(
  _ numbers: some Collection<Number>
) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(numbers.count * Number.bitWidth / 8)
  for number in numbers {
    for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }
  return bytes
}

/// Floats as little-endian bytes, one after another.
public func littleEndianBytes(_ numbers: some Collection<Float>) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(4 * numbers.count)
  for number in numbers {
    let bits = number.bitPattern
    for shift in [0, 8, 16, 24] as [UInt32] {
      bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
    }
  }
  return bytes
}
