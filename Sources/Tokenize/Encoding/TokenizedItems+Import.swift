internal import Clustering
internal import Dataset
internal import Numerics
internal import ShardIO

extension TokenizedItems {
  /// Codes of another program for the items of a catalogue; code vectors are the means of what the levels before left.
  ///
  /// Without item vectors there are no code vectors.
  ///
  /// - Parameters:
  ///   - foreign: the codes.
  ///   - path: their file, for messages.
  ///   - catalogue: the items; each must have codes, and no other item may.
  ///   - vectors: the item vectors, row = item; nil where there are none.
  ///   - threads: the largest number of threads.
  /// - Throws: `PipelineError` `.dataFormat` for an item that is unknown or has no codes.
  init(
    _ foreign: ForeignCodes, path: String, _ catalogue: Catalogue, _ vectors: Matrix?, threads: Int
  ) throws(PipelineError) {
    let rows = Dictionary(uniqueKeysWithValues: zip(catalogue.itemIDs, 0...))
    var codes = [UInt16](repeating: 0, count: catalogue.count * foreign.levelCount)
    var isCoded = [Bool](repeating: false, count: catalogue.count)
    for (row, id) in foreign.itemIDs.enumerated() {
      guard let item = rows[id] else {
        throw PipelineError(
          .dataFormat, "item \(quoted(id)) is not in the catalogue",
          at: foreign.location(path, row: row))
      }
      isCoded[item] = true
      let tuple = foreign.codes[row * foreign.levelCount..<(row + 1) * foreign.levelCount]
      codes.replaceSubrange(
        item * foreign.levelCount..<(item + 1) * foreign.levelCount, with: tuple)
    }
    if let item = isCoded.firstIndex(of: false) {
      throw PipelineError(
        .dataFormat,
        "\(isCoded.count { !$0 }) items of the catalogue have no codes, for example \(quoted(catalogue.itemIDs[item]))",
        at: .init(path: path))
    }
    if let vectors {
      self.init(codes, levelSizes: foreign.levelSizes, vectors, threads: threads)
    } else {
      self.init(
        levelSizes: foreign.levelSizes, codes: codes,
        codebooks: foreign.levelSizes.map { Matrix(rows: $0, columns: 0) }, center: [],
        variance: 0, residuals: [])
    }
  }

  /// Items with given codes; code vectors are the means of what the levels before left, except for first levels
  /// that have code vectors already, with the centre that belongs to them.
  init(
    _ codes: [UInt16], levelSizes: [Int], _ vectors: Matrix, center: [Float]? = nil,
    first: [Matrix] = [], threads: Int
  ) {
    var rest = vectors
    let center = center ?? columnMeans(vectors, threads: threads)
    subtract(center, fromRowsOf: &rest, threads: threads)
    self.init(
      levelSizes: levelSizes, codes: codes, codebooks: [], center: center,
      variance: meanSquaredLength(rest, threads: threads), residuals: [])
    for (level, size) in levelSizes.enumerated() {
      let indices = stride(from: level, to: codes.count, by: levelSizes.count)
        .map { UInt32(codes[$0]) }
      let codebook =
        first.indices.contains(level)
        ? first[level] : clusterMeans(rest, indices, clusterCount: size, threads: threads)
      subtract(indices, of: codebook, from: &rest, threads: threads)
      codebooks.append(codebook)
      residuals.append(meanSquaredLength(rest, threads: threads))
    }
  }
}
