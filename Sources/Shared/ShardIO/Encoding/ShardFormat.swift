/// The constants of the shard format; Documentation/ShardFormat.md is normative.
public enum ShardFormat {
  /// The first eight bytes of the decompressed shard; line ends and a byte above 127 betray a file changed in transit.
  package static let magic: [UInt8] = [0x89, 0x48, 0x32, 0x53, 0x0D, 0x0A, 0x1A, 0x0A]
  /// The version that is written, and the only one that is read.
  public static let version: UInt32 = 1
  /// The extension of shard files.
  public static let fileExtension = "h2s"
  /// The largest decompressed shard, and the most bytes that its columns may decode to.
  package static let maximumByteCount = 1 << 32
  /// The most rows of a shard.
  package static let maximumRowCount = 1 << 32
  /// The most columns of a shard.
  package static let maximumColumnCount = 256
  /// The longest name of a table or a column, in bytes.
  package static let maximumNameByteCount = 64
  /// The most elements a row of a fixed-width column may have.
  package static let maximumWidth = 1 << 20
  /// A table is cut so that the columns of a shard hold about this many bytes.
  package static let targetByteCount = 16 << 20
  /// The bytes before the name of the table.
  package static let fixedHeaderByteCount = 32
  /// Every buffer begins at a multiple of this many bytes.
  package static let alignment = 8

  /// Whether `name` may name a table or a column: 1 to 64 characters of `a–z 0–9 - _`.
  package static func isValidName(_ name: some Collection<UInt8>) -> Bool {
    guard (1...maximumNameByteCount).contains(name.count) else { return false }
    return name.allSatisfy { byte in
      (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x5F
    }
  }

  /// `count` rounded up to a multiple of ``alignment``.
  package static func aligned(_ count: Int) -> Int {
    (count + alignment - 1) / alignment * alignment
  }
}

/// The type of the elements of a column; the raw value is its code in the file.
package enum ElementType: UInt8, Sendable, CaseIterable {
  case uint8 = 1
  case uint16 = 2
  case uint32 = 3
  case uint64 = 4
  case int32 = 5
  case int64 = 6
  case float = 7
  case double = 8

  /// Whether buffers of this type may be packed.
  package var canBePacked: Bool {
    switch self {
    case .uint16, .uint32, .uint64, .int32, .int64: true
    case .uint8, .float, .double: false
    }
  }

  /// The bytes of one element.
  package var byteCount: Int {
    switch self {
    case .uint8: 1
    case .uint16: 2
    case .uint32, .int32, .float: 4
    case .uint64, .int64, .double: 8
    }
  }
}

/// How the rows of a column are cut out of its values; the raw value is the code in the file.
package enum ColumnShape: UInt8, Sendable, CaseIterable {
  /// Every row has the same number of elements.
  case fixed = 0
  /// Offsets, values.
  case ragged = 1
  /// Offsets, bytes of UTF-8.
  case strings = 2
  /// Offsets of lists, offsets of strings, bytes of UTF-8.
  case stringLists = 3

  /// How many offset buffers precede the values.
  package var offsetBufferCount: Int {
    switch self {
    case .fixed: 0
    case .ragged, .strings: 1
    case .stringLists: 2
    }
  }
}

/// How a buffer of integers is stored; the raw value is the code in the file.
package enum BufferEncoding: UInt8, Sendable, CaseIterable {
  /// The elements one after another, little-endian.
  case plain = 0
  /// Blocks of bit-packed values.
  case packed = 1
  /// Blocks of bit-packed differences between neighbours.
  case delta = 2
}
