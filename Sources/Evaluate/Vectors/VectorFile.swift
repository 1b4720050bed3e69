import ShardIO

/// Bytes of vector files that Python and FAISS read.
enum VectorFile {
  /// The header of a NumPy array file, version 1.0: 32-bit floats, little-endian, C order.
  ///
  /// - Parameters:
  ///   - rows: the number of rows.
  ///   - columns: the number of columns.
  /// - Returns: the bytes before the data; their number is a multiple of 64.
  static func numpyHeader(rows: Int, columns: Int) -> [UInt8] {
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
    // Magic, version and length take 10 bytes; a line end closes the text.
    let padding = (64 - (10 + text.utf8.count + 1) % 64) % 64
    let count = text.utf8.count + padding + 1
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(count & 255), UInt8(count >> 8)]
      + Array(text.utf8) + [UInt8](repeating: 0x20, count: padding) + [0x0A]
  }

  /// The header of a safetensors file with matrices of 32-bit floats one after another.
  ///
  /// - Parameter matrices: names and shapes, in the order of the data.
  /// - Returns: the bytes before the data; their number is a multiple of 8.
  /// - Throws: never in practice; the header has no number that JSON cannot hold.
  static func safetensorsHeader(
    _ matrices: [(name: String, rows: Int, columns: Int)]
  ) throws(PipelineError) -> [UInt8] {
    var members: [String: JSONValue] = [:]
    var offset = 0
    for (name, rows, columns) in matrices {
      let end = offset + 4 * rows * columns
      members[name] = [
        "dtype": "F32", "shape": [JSONValue(rows), JSONValue(columns)],
        "data_offsets": [JSONValue(offset), JSONValue(end)],
      ]
      offset = end
    }
    var text = try JSONValue.object(members).json(isPretty: false)
    while !text.count.isMultiple(of: 8) { text.append(0x20) }
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
  }

  /// Floats as little-endian bytes.
  static func bytes(_ values: some Collection<Float>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(4 * values.count)
    for value in values {
      let bits = value.bitPattern
      result.append(UInt8(truncatingIfNeeded: bits))
      result.append(UInt8(truncatingIfNeeded: bits >> 8))
      result.append(UInt8(truncatingIfNeeded: bits >> 16))
      result.append(UInt8(truncatingIfNeeded: bits >> 24))
    }
    return result
  }
}
