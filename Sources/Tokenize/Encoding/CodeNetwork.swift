internal import Clustering
internal import Dataset
internal import Numerics
internal import Quantizers
internal import ShardIO

// D width of the item vectors, Z width of the latent space, M levels, K codes of a level.

/// The network that makes latent vectors of item vectors, and the code vectors among them.
///
/// Everything acts on item vectors minus the centre and minus the code vectors of the levels before the network's;
/// scales and principal components are part of the outer layers.
struct CodeNetwork: Sendable, Equatable {
  /// From `[N, D]` to `[N, Z]`.
  var encoder: DenseLayers
  /// From `[N, Z]` to `[N, D]`.
  var decoder: DenseLayers
  /// One `[K, Z]` matrix for each level from ``firstLevel`` on.
  var codebooks: [Matrix]
  /// The number of levels before, whose codes the vectors themselves decide.
  var firstLevel = 0

  /// The code vectors of a level among latent vectors, `[K, Z]`; nil where the vectors themselves decide.
  func codebook(level: Int) -> Matrix? {
    level < firstLevel ? nil : codebooks[level - firstLevel]
  }

  /// What the decoder makes of the codes of some items.
  ///
  /// - Parameters:
  ///   - codes: shape `[N, M]`.
  ///   - threads: the largest number of threads.
  /// - Returns: what the levels before the network's leave of the vectors, shape `[N, D]`.
  func decode(_ codes: ArraySlice<UInt16>, threads: Int) -> Matrix {
    let (levelCount, width) = (firstLevel + codebooks.count, encoder.outputWidth)
    var sums = Matrix(rows: codes.count / levelCount, columns: width)
    for (place, code) in codes.enumerated() {
      guard let codebook = codebook(level: place % levelCount) else { continue }
      let first = place / levelCount * width
      for (column, value) in codebook[row: Int(code)].enumerated() {
        sums.values[first + column] += value
      }
    }
    return decoder.apply(to: sums, threads: threads)
  }

  /// The same network for vectors minus another centre, which is farther by `move`.
  func moved(by move: [Float]) -> CodeNetwork {
    var moved = self
    let first = encoder.layers[0]
    for output in first.bias.indices {
      moved.encoder.layers[0].bias[output] += zip(first.weight[row: output], move)
        .reduce(0) { $0 + $1.0 * $1.1 }
    }
    let last = decoder.layers.count - 1
    moved.decoder.layers[last].bias = zip(decoder.layers[last].bias, move).map { $0 - $1 }
    return moved
  }
}

extension CodeEncoder {
  /// The mean squared error of what the network's decoder makes of codes; nil where there is no network.
  ///
  /// - Parameters:
  ///   - codes: shape `[N, M]`.
  ///   - vectors: shape `[N, D]`.
  ///   - threads: the largest number of threads.
  /// - Returns: the mean over the items.
  func decoderError(of codes: [UInt16], _ vectors: Matrix, threads: Int) -> Double? {
    guard let network else { return nil }
    let (levelCount, columns) = (codebooks.count, vectors.columns)
    var total = 0.0
    for first in stride(from: 0, to: vectors.rows, by: 8192) {
      let last = min(first + 8192, vectors.rows)
      var rest = network.decode(codes[first * levelCount..<last * levelCount], threads: threads)
      for index in rest.values.indices {
        rest.values[index] -= vectors.values[first * columns + index] - center[index % columns]
      }
      // What is left is the error with its sign turned: the levels before the network's add to it.
      for level in 0..<network.firstLevel {
        rest.add((first..<last).map { codes[$0 * levelCount + level] }, of: codebooks[level])
      }
      total += meanSquaredLength(rest, threads: threads) * Double(last - first)
    }
    return total / Double(vectors.rows)
  }
}

extension Matrix {
  /// Adds to each row the row of a table.
  fileprivate mutating func add(_ indices: [UInt16], of table: Matrix) {
    for (row, index) in indices.enumerated() {
      for (column, value) in table[row: Int(index)].enumerated() {
        values[row * columns + column] += value
      }
    }
  }
}

// MARK: - As a table

extension CodeNetwork {
  /// The kind of the shards that hold a network.
  static let tableKind = "network"

  /// All matrices with their names: weights `[out, in]` and biases `[1, out]` from the outside in, then the codebooks by
  /// the numbers of their levels.
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
      + codebooks.enumerated().map { ("codebook.\(firstLevel + $0.offset + 1)", $0.element) }
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
    let rules = TableRules(input, Self.tableKind)
    try rules.requireUnique(names, "name")
    try rules.requireFinite(values, "values")
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
    let first = levelSizes.indices.first { matrices["codebook.\($0 + 1)"] != nil } ?? 0
    let codebooks = levelSizes.indices.compactMap { matrices["codebook.\($0 + 1)"] }
    guard codebooks.map(\.rows) == Array(levelSizes[first...]),
      codebooks.allSatisfy({ $0.columns == encoder.outputWidth })
    else { throw .badNetwork(input, "its codebooks are not those of the codes") }
    self.init(encoder: encoder, decoder: decoder, codebooks: codebooks, firstLevel: first)
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
