internal import ArgumentParser
internal import Numerics
internal import ShardIO

/// Formats in which codes and codebooks are written for other programs.
enum ExportFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
  /// `codes.npy`, `center.npy`, `codebook_1.npy`, `codebook_2.npy`, …, and `network.encoder.1.weight.npy` and so on where
  /// latent vectors decide.
  case npy
  /// `codes.safetensors` with the same arrays by name.
  case safetensors
}

/// A named array of numbers, row-major.
struct ExportArray {
  var name: String
  var shape: [Int]
  /// Little-endian.
  var bytes: [UInt8]
  /// The type of its numbers, as NumPy and as safetensors call it.
  var numpyType: String
  var tensorType: String

  init(_ name: String, _ shape: [Int], _ values: [Float]) {
    self.name = name
    self.shape = shape
    (numpyType, tensorType) = ("<f4", "F32")
    bytes = littleEndianBytes(values.map(\.bitPattern))
  }

  init(_ name: String, _ shape: [Int], _ values: [UInt16]) {
    self.name = name
    self.shape = shape
    (numpyType, tensorType) = ("<u2", "U16")
    bytes = littleEndianBytes(values)
  }

  /// A .npy file, format version 1.0, with its numbers at a multiple of 64 bytes.
  var npy: [UInt8] {
    let dimensions = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let header =
      "{'descr': '\(numpyType)', 'fortran_order': False, 'shape': (\(dimensions)), }"
    let length = (10 + header.utf8.count + 1 + 63) / 64 * 64 - 10
    let padding = [UInt8](repeating: 0x20, count: length - header.utf8.count - 1)
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)]
      + Array(header.utf8) + padding + [0x0A] + bytes
  }
}

/// A safetensors file: the length of a JSON header, the header, then all numbers.
///
/// - Throws: `PipelineError` `.internalError` if the header is no JSON.
func safetensors(_ arrays: [ExportArray]) throws(PipelineError) -> [UInt8] {
  var members: [String: JSONValue] = [:]
  var start = 0
  for array in arrays {
    members[array.name] = .object([
      "dtype": .string(array.tensorType),
      "shape": .array(array.shape.map { JSONValue($0) }),
      "data_offsets": .array([JSONValue(start), JSONValue(start + array.bytes.count)]),
    ])
    start += array.bytes.count
  }
  var header = try JSONValue.object(members).json(isPretty: false)
  header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
  return littleEndianBytes([UInt64(header.count)]) + header + arrays.flatMap(\.bytes)
}

extension TokenizedItems {
  /// Everything a program needs to use or to repeat the tokenizer.
  var exportArrays: [ExportArray] {
    let levelCount = levelSizes.count
    return [
      ExportArray("codes", [codes.count / levelCount, levelCount], codes),
      ExportArray("center", [center.count], center),
    ]
      + codebooks.enumerated().map { level, codebook in
        ExportArray("codebook_\(level + 1)", [codebook.rows, codebook.columns], codebook.values)
      }
      + (network?.matrices ?? []).map { name, matrix in
        ExportArray("network.\(name)", [matrix.rows, matrix.columns], matrix.values)
      }
  }

  /// Writes the arrays in some formats.
  ///
  /// - Throws: `PipelineError` `.inputOutput`.
  func export(_ formats: [ExportFormat], to stage: inout StageOutput) throws(PipelineError) {
    if formats.contains(.npy) {
      for array in exportArrays { try stage.writeFile("\(array.name).npy", array.npy) }
    }
    if formats.contains(.safetensors) {
      try stage.writeFile("codes.safetensors", try safetensors(exportArrays))
    }
  }
}

private func littleEndianBytes<Number: FixedWidthInteger>(_ numbers: [Number]) -> [UInt8] {
  let width = Number.bitWidth / 8
  var bytes = [UInt8](repeating: 0, count: numbers.count * width)
  for (index, number) in numbers.enumerated() {
    for byte in 0..<width {
      bytes[index * width + byte] = UInt8(truncatingIfNeeded: number >> (8 * byte))
    }
  }
  return bytes
}
