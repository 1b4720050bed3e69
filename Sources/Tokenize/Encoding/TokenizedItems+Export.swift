internal import Numerics
internal import ShardIO
internal import TextOutput

extension TokenizedItems {
  /// Everything a program needs to use or to repeat the tokenizer: names, shapes and numbers.
  var exportArrays: [(layout: ArrayLayout, bytes: [UInt8])] {
    let levelCount = levelSizes.count
    let codeLayout = ArrayLayout(
      "codes", shape: [codes.count / levelCount, levelCount], type: .uint16)
    let matrices =
      codebooks.enumerated().map { ("codebook_\($0 + 1)", $1) }
      + (network?.matrices ?? []).map { ("network.\($0)", $1) }
    return [
      (codeLayout, littleEndianBytes(codes)),
      (ArrayLayout("center", shape: [center.count]), littleEndianBytes(center)),
    ]
      + matrices.map { name, matrix in
        (
          ArrayLayout(name, shape: [matrix.rows, matrix.columns]),
          littleEndianBytes(matrix.values)
        )
      }
  }

  /// Writes the arrays in some formats.
  ///
  /// - Throws: `PipelineError` `.inputOutput`.
  func export(_ formats: [ExportFormat], to stage: inout StageOutput) throws(PipelineError) {
    let arrays = exportArrays
    if formats.contains(.npy) {
      for (layout, bytes) in arrays {
        try stage.writeFile("\(layout.name).npy", layout.npyHeader + bytes)
      }
    }
    if formats.contains(.safetensors) {
      let header = try ArrayLayout.safetensorsHeader(arrays.map(\.layout))
      try stage.writeFile("codes.safetensors", header + arrays.flatMap(\.bytes))
    }
  }
}
