internal import Dataset
internal import Kernels
internal import ShardIO

// D width of the item vectors, Z width of the latent space, M levels, K codes of a level.

/// The network that makes latent vectors of item vectors, and the code vectors among them.
///
/// Everything acts on item vectors minus the centre; scales and principal components are part of the outer layers.
struct CodeNetwork: Sendable, Equatable {
  /// From `[N, D]` to `[N, Z]`.
  var encoder: DenseLayers
  /// From `[N, Z]` to `[N, D]`.
  var decoder: DenseLayers
  /// One `[K, Z]` matrix a level.
  var codebooks: [Matrix]

  /// What the decoder makes of the codes of some items.
  ///
  /// - Parameters:
  ///   - codes: shape `[N, M]`.
  ///   - threads: the largest number of threads.
  /// - Returns: shape `[N, D]`.
  func decode(_ codes: ArraySlice<UInt16>, threads: Int) -> Matrix {
    let (levelCount, width) = (codebooks.count, encoder.outputWidth)
    var sums = Matrix(rows: codes.count / levelCount, columns: width)
    for (place, code) in codes.enumerated() {
      let (row, level) = (place / levelCount, place % levelCount)
      for (column, value) in codebooks[level][row: Int(code)].enumerated() {
        sums.values[row * width + column] += value
      }
    }
    return decoder.apply(to: sums, threads: threads)
  }

  /// The mean squared error of the decoder.
  ///
  /// - Parameters:
  ///   - codes: shape `[N, M]`.
  ///   - vectors: shape `[N, D]`.
  ///   - center: what is taken from the vectors.
  ///   - threads: the largest number of threads.
  /// - Returns: the mean over the items.
  func error(of codes: [UInt16], _ vectors: Matrix, center: [Float], threads: Int) -> Double {
    let (levelCount, columns) = (codebooks.count, vectors.columns)
    var total = 0.0
    for first in stride(from: 0, to: vectors.rows, by: 8192) {
      let last = min(first + 8192, vectors.rows)
      var rest = decode(codes[first * levelCount..<last * levelCount], threads: threads)
      for index in rest.values.indices {
        rest.values[index] -= vectors.values[first * columns + index] - center[index % columns]
      }
      total += meanSquaredLength(rest, threads: threads) * Double(last - first)
    }
    return total / Double(vectors.rows)
  }
}

// MARK: - As a table

extension CodeNetwork {
  /// The kind of the shards that hold a network.
  static let tableKind = "network"

  /// All matrices with their names: weights `[out, in]` and biases `[1, out]` from the outside in, then the codebooks.
  var matrices: [(name: String, matrix: Matrix)] {
    var matrices: [(String, Matrix)] = []
    for (part, layers) in [("encoder", encoder.layers), ("decoder", decoder.layers)] {
      for (number, layer) in layers.enumerated() {
        let bias = Matrix(rows: 1, columns: layer.bias.count, values: layer.bias)
        matrices.append(("\(part).\(number + 1).weight", layer.weight))
        matrices.append(("\(part).\(number + 1).bias", bias))
      }
    }
    return matrices
      + codebooks.enumerated().map { ("codebook.\($0.offset + 1)", $0.element) }
  }

  /// All matrices by name.
  var table: Table {
    let shapes = matrices.map { [UInt32($0.matrix.rows), UInt32($0.matrix.columns)] }
    return Table(
      kind: Self.tableKind, rowCount: matrices.count,
      columns: [
        .strings("name", matrices.map(\.name)), .ragged("shape", RaggedArray(shapes)),
        .ragged("values", RaggedArray(matrices.map(\.matrix.values))),
      ])
  }

  /// Reads the network of an output; nil where it has none.
  ///
  /// - Throws: `PipelineError` `.dataFormat` if it is damaged or does not fit the codes.
  init?(_ input: StageInput, levelSizes: [Int], width: Int) throws(PipelineError) {
    guard input.hasTable(Self.tableKind) else { return nil }
    let table = try input.table(Self.tableKind)
    let names = try table.strings("name")
    let shapes = try table.ragged("shape", as: UInt32.self)
    let values = try table.ragged("values", as: Float.self)
    var matrices: [String: Matrix] = [:]
    for (row, name) in names.enumerated() {
      let shape = shapes[row].map(Int.init)
      guard shape.count == 2, shape[0].multipliedReportingOverflow(by: shape[1]).overflow == false,
        shape[0] * shape[1] == values[row].count
      else { throw .badNetwork(input, "'\(name)' has \(values[row].count) values, shape \(shape)") }
      matrices[name] = Matrix(rows: shape[0], columns: shape[1], values: Array(values[row]))
    }
    guard let encoder = layers("encoder", matrices), let decoder = layers("decoder", matrices),
      encoder.inputWidth == width, decoder.outputWidth == width,
      encoder.outputWidth == decoder.inputWidth
    else { throw .badNetwork(input, "layers are missing or their widths do not fit together") }
    let codebooks = levelSizes.indices.compactMap { matrices["codebook.\($0 + 1)"] }
    guard codebooks.map(\.rows) == levelSizes,
      codebooks.allSatisfy({ $0.columns == encoder.outputWidth })
    else { throw .badNetwork(input, "its codebooks are not those of the codes") }
    self.init(encoder: encoder, decoder: decoder, codebooks: codebooks)
  }
}

/// The layers of a part by their names; nil where there are none or they do not fit together.
private func layers(_ part: String, _ matrices: [String: Matrix]) -> DenseLayers? {
  var layers: [DenseLayer] = []
  while let weight = matrices["\(part).\(layers.count + 1).weight"] {
    guard let bias = matrices["\(part).\(layers.count + 1).bias"], bias.values.count == weight.rows,
      layers.last.map({ $0.weight.rows == weight.columns }) ?? true
    else { return nil }
    layers.append(DenseLayer(weight: weight, bias: bias.values))
  }
  return layers.isEmpty ? nil : DenseLayers(layers)
}
