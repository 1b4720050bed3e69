internal import Clustering
internal import Numerics
internal import Tape

// N points, D their width, Z width of the latent space, M levels, K codes of a level.

/// The state of learning an autoencoder.
///
/// A batch is cut into parts of 512 rows, each with a tape of its own; gradients and sums are added in the order of
/// the parts.
final class AutoencoderTrainer {
  let layout: AutoencoderLayout
  let codebooks: LatentCodebooks
  let points: Matrix
  let tags: AutoencoderTags?
  /// What stands for each tag among the points, level by level; empty where nothing is aligned with it.
  let tagVectors: [Matrix]
  let options: AutoencoderOptions
  let threads: Int
  /// What brings the points to a variance of 1 a coordinate.
  let scale: Float
  let parameters: AlignedBuffer
  var updater: CodebookUpdater
  var parts: [AutoencoderPart] = []
  /// Whether the codebooks are those of an earlier autoencoder.
  private(set) var isWarm = false
  private let optimizer: Adam

  init(
    _ points: Matrix, _ options: AutoencoderOptions, tags: AutoencoderTags? = nil, threads: Int
  ) {
    self.points = points
    self.tags = options.needsTags ? tags : nil
    tagVectors =
      options.tagAlignment > 0 ? tags?.means(of: points, threads: threads) ?? [] : []
    self.options = options
    self.threads = threads
    let variance = meanSquaredLength(points, threads: threads) / Double(points.columns)
    scale = variance > 0 ? Float(1 / variance.squareRoot()) : 1
    layout = AutoencoderLayout(
      pointWidth: points.columns, options: options, tagCounts: self.tags?.counts ?? [])
    parameters = AlignedBuffer(count: layout.count)
    codebooks = LatentCodebooks(
      sizes: options.levelSizes, width: options.latentWidth, isAngular: options.isAngular)
    updater = CodebookUpdater(codebooks, options)
    var settings = Adam.Settings()
    settings.rate = options.learningRate
    optimizer = Adam(parameters: parameters, tables: [], settings: settings)
  }

  // MARK: - Start

  /// Sets layers and codebooks.
  ///
  /// Weights and biases are uniform within ±1/√inputs unless there is a start of the same widths.
  func initialize(_ start: ResidualAutoencoder?) {
    let layers = layout.encoder + layout.decoder
    let given = (start?.encoder.layers ?? []) + (start?.decoder.layers ?? [])
    let fits =
      given.count == layers.count
      && zip(given, layers).allSatisfy {
        $0.weight.rows == $1.weight.rows && $0.weight.columns == $1.weight.columns
      }
    for (number, head) in layout.heads.enumerated() {
      draw(head, options.random.substream(50 + UInt64(number)))
    }
    for (number, projection) in layout.projections.enumerated() {
      draw(projection, options.random.substream(200 + UInt64(number)))
    }
    for (number, layer) in layers.enumerated() {
      if fits {
        let factor = number == 0 ? 1 / scale : number == layers.count - 1 ? scale : 1
        parameters.set(given[number].weight.values.map { $0 * factor }, at: layer.weight.offset)
        let biasFactor = number == layers.count - 1 ? scale : 1
        parameters.set(given[number].bias.map { $0 * biasFactor }, at: layer.bias.offset)
      } else {
        draw(layer, options.random.substream(UInt64(number)))
      }
    }
    // An earlier run may have added a level that numbers items with equal codes.
    let codes = start?.codebooks.prefix(options.levelSizes.count) ?? []
    if fits, codes.map(\.rows) == options.levelSizes {
      for (level, codebook) in codes.enumerated() { codebooks[level: level] = codebook }
      updater.restart()
      isWarm = true
    } else {
      startCodebooks(0)
    }
    codebooks.refresh()
  }

  private func draw(_ layer: AutoencoderLayout.Layer, _ random: CounterRandom) {
    let bound = 1 / Double(layer.weight.columns).squareRoot()
    let uniform = { (index: Int) in Float(bound * (2 * random.uniform(UInt64(index)) - 1)) }
    let count = layer.weight.count
    parameters.set((0..<count).map(uniform), at: layer.weight.offset)
    parameters.set((0..<layer.bias.count).map { uniform(count + $0) }, at: layer.bias.offset)
  }

  /// Puts the codebooks where k-means on the latent vectors of a sample has its clusters, level by level.
  func startCodebooks(_ round: Int) {
    let random = options.random.substream(100 + UInt64(round))
    var rest = latents(
      sample: max(options.batchSize, 20 * (options.levelSizes.max() ?? 1)), random)
    for (level, size) in options.levelSizes.enumerated() {
      var search = KMeansOptions(
        clusterCount: size, iterationCount: 10, random: random.substream(UInt64(level)))
      search.isRelocating = false
      search.isSpherical = options.isAngular[level]
      let found = KMeans(
        search.isSpherical ? normalizedRows(rest) : rest, options: search, threads: threads)
      // Directions get the mean length of what they stand for.
      let codebook =
        search.isSpherical
        ? clusterMeans(rest, found.nearest.indices, clusterCount: size, threads: threads)
        : found.centroids
      codebooks[level: level] = codebook
      subtract(found.nearest.indices, of: codebook, from: &rest, threads: threads)
    }
    updater.restart()
    codebooks.refresh()
  }

  /// The latent vectors of a sample of the points.
  func latents(sample count: Int, _ random: CounterRandom) -> Matrix {
    let sample = samplePoints(points, count: min(count, points.rows), random)
    return layers(of: layout.encoder, scalesInput: true).apply(to: sample, threads: threads)
  }

  /// Layers for points as they are: the scale is part of the first weights, or of the last layer.
  func layers(of places: [AutoencoderLayout.Layer], scalesInput: Bool) -> DenseLayers {
    DenseLayers(
      places.enumerated().map { number, place in
        let isFirst = scalesInput && number == 0
        let isLast = !scalesInput && number == places.count - 1
        let weightFactor = isFirst ? scale : isLast ? 1 / scale : 1
        let biasFactor = isLast ? 1 / scale : 1
        return DenseLayer(
          weight: Matrix(
            rows: place.weight.rows, columns: place.weight.columns,
            values: parameters.array(
              place.weight.offset..<place.weight.offset + place.weight.count
            ).map { $0 * weightFactor }),
          bias: parameters.array(place.bias.offset..<place.bias.offset + place.bias.count)
            .map { $0 * biasFactor })
      })
  }

  // MARK: - Steps

  /// One step of all parameters; the losses of the batch, added up over its rows.
  func step(_ rows: ArraySlice<Int>) -> AutoencoderEpoch {
    let pieces = ranges(rows.count, of: AutoencoderPart.rowCount)
    while parts.count < pieces.count { parts.append(AutoencoderPart(self)) }
    let working = Array(parts.prefix(pieces.count))
    parallelFor(pieces.count, threads: threads) { piece in
      let range = pieces[piece]
      working[piece].run(
        rows[rows.startIndex + range.lowerBound..<rows.startIndex + range.upperBound],
        batchCount: rows.count)
    }
    let whole = working[0]
    whole.tape.gradient.add(working.dropFirst().map(\.tape.gradient), threads: threads)
    for part in working.dropFirst() { whole.add(part) }
    optimizer.step(gradient: whole.tape.gradient, threads: threads)
    updater.update(whole.sums, rowCount: rows.count)
    codebooks.refresh()
    return whole.losses(rows.count)
  }
}
