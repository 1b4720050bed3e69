internal import Clustering
internal import Numerics
internal import Tape
internal import Training

// N points, D their width, Z width of the latent space, M levels, K codes of a level.

/// An autoencoder that is being learned.
///
/// `@unchecked Sendable`: written between the parallel regions of a step; within one, each micro-batch has sums of its own.
final class AutoencoderModel: TrainableModel, @unchecked Sendable {
  /// The rows of a micro-batch; a constant, so that sums do not depend on the number of threads.
  static let microBatchRows = 512

  let store = ParameterStore()
  let layers: AutoencoderLayers
  let codebookTable: EmbeddingTable
  let codebooks: LatentCodebooks
  let points: Matrix
  let tags: AutoencoderTags?
  /// What stands for each tag among the points, level by level; empty where nothing is aligned with it.
  let tagVectors: [Matrix]
  let options: AutoencoderOptions
  let threads: Int
  /// What brings the points to a variance of 1 a coordinate.
  let scale: Float
  let updater: CodebookUpdater
  /// What the codebooks learn from, one for each micro-batch; after the losses, the first one is that of the batch.
  private(set) var sums: [CodeSums] = []
  /// Whether the codebooks are those of an earlier autoencoder.
  private(set) var isWarm = false

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
    layers = AutoencoderLayers(
      store, pointWidth: points.columns, options: options, tagCounts: self.tags?.counts ?? [])
    codebookTable = store.addTable(
      "codebooks", rows: options.levelSizes.reduce(0, +), width: options.latentWidth)
    codebooks = LatentCodebooks(
      sizes: options.levelSizes, width: options.latentWidth, isAngular: options.isAngular,
      values: codebookTable.values)
    updater = CodebookUpdater(codebooks, options)
    store.seal()
  }

  // MARK: - Start

  /// Sets layers and codebooks.
  ///
  /// Weights and biases are uniform within ±1/√inputs unless there is a start of the same widths.
  func initialize(_ start: ResidualAutoencoder?) {
    let stacks = layers.encoder + layers.decoder
    let given = (start?.encoder.layers ?? []) + (start?.decoder.layers ?? [])
    let fits =
      given.count == stacks.count
      && zip(given, stacks).allSatisfy {
        $0.weight.rows == $1.weight.rows && $0.weight.columns == $1.weight.columns
      }
    for (number, head) in layers.heads.enumerated() {
      draw(head, options.random.substream(50 + UInt64(number)))
    }
    for (number, projection) in layers.projections.enumerated() {
      draw(projection, options.random.substream(200 + UInt64(number)))
    }
    for (number, layer) in stacks.enumerated() {
      if fits {
        let factor = number == 0 ? 1 / scale : number == stacks.count - 1 ? scale : 1
        store.values.set(given[number].weight.values.map { $0 * factor }, at: layer.weight.offset)
        let biasFactor = number == stacks.count - 1 ? scale : 1
        store.values.set(given[number].bias.map { $0 * biasFactor }, at: layer.bias.offset)
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

  private func draw(_ layer: AutoencoderLayers.Layer, _ random: CounterRandom) {
    let bound = 1 / Double(layer.weight.columns).squareRoot()
    let uniform = { (index: Int) in Float(bound * (2 * random.uniform(UInt64(index)) - 1)) }
    let count = layer.weight.count
    store.values.set((0..<count).map(uniform), at: layer.weight.offset)
    store.values.set((0..<layer.bias.count).map { uniform(count + $0) }, at: layer.bias.offset)
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
    return denseLayers(layers.encoder, scalesInput: true).apply(to: sample, threads: threads)
  }

  /// Layers for points as they are: the scale is part of the first weights, or of the last layer.
  func denseLayers(_ places: [AutoencoderLayers.Layer], scalesInput: Bool) -> DenseLayers {
    DenseLayers(
      places.enumerated().map { number, place in
        let isFirst = scalesInput && number == 0
        let isLast = !scalesInput && number == places.count - 1
        let weightFactor = isFirst ? scale : isLast ? 1 / scale : 1
        let biasFactor = isLast ? 1 / scale : 1
        return DenseLayer(
          weight: Matrix(
            rows: place.weight.rows, columns: place.weight.columns,
            values: store.array(of: place.weight).map { $0 * weightFactor }),
          bias: store.array(of: place.bias).map { $0 * biasFactor })
      })
  }

  // MARK: - Steps

  /// Has sums for so many micro-batches.
  func reserveSums(_ count: Int) {
    while sums.count < count { sums.append(CodeSums(codebooks)) }
  }

  func forward(
    _ microBatch: AutoencoderMicroBatch, on tape: Tape, random: CounterRandom
  ) -> AutoencoderOutput {
    let sums = sums[microBatch.index]
    sums.clear()
    let input = tape.data(points, rows: microBatch.rows, factor: scale)
    let latent = apply(layers.encoder, to: input, on: tape)
    let quantized = tape.quantize(
      latent, codebooks, into: sums,
      commitment: options.commitment / Float(microBatch.batchCount * options.latentWidth),
      passing: options.passing, partialCount: tags?.counts.count ?? 0)
    let output = apply(layers.decoder, to: quantized.sums, on: tape)
    return AutoencoderOutput(
      tape: tape, microBatch: microBatch, input: input, latent: latent, quantized: quantized,
      output: output)
  }

  private func apply(
    _ layers: [AutoencoderLayers.Layer], to input: Tensor, on tape: Tape
  ) -> Tensor {
    var rows = input
    for layer in layers.dropLast() {
      rows = tape.linearReLUDropout(rows, layer.weight, bias: layer.bias, rate: 0)
    }
    return tape.linear(rows, layers[layers.count - 1].weight, bias: layers[layers.count - 1].bias)
  }

  func finishStep() { updater.follow(sums[0]) }

  func storeDidChange() { codebooks.refresh() }

  var stateBlocks: [StateBlock] { updater.stateBlocks }
}
