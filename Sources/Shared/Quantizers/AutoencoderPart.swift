internal import Numerics
internal import Tape

// T rows of a part, D width of the points, Z width of the latent space.

/// One part of a batch: forwards, backwards, on one thread.
///
/// `@unchecked Sendable`: used by one thread at a time, between regions by the trainer.
final class AutoencoderPart: @unchecked Sendable {
  /// The rows of a part; a constant, so that sums do not depend on the number of threads.
  static let rowCount = 512

  let tape: Tape
  let sums: CodeSums
  private let layout: AutoencoderLayout
  private let codebooks: LatentCodebooks
  private let points: Matrix
  private let scale: Float
  private let options: AutoencoderOptions
  private let tags: AutoencoderTags?
  private let tagVectors: [Matrix]
  private var squaredError = 0.0
  private var uniqueness = 0.0
  private var supervision = 0.0
  private var tagAlignment = 0.0

  init(_ trainer: AutoencoderTrainer) {
    tape = Tape(parameters: trainer.parameters, precision: trainer.options.precision)
    sums = CodeSums(trainer.codebooks)
    layout = trainer.layout
    codebooks = trainer.codebooks
    points = trainer.points
    scale = trainer.scale
    options = trainer.options
    tags = trainer.tags
    tagVectors = trainer.tagVectors
  }

  /// Leaves gradients and sums for some points of a batch of `batchCount`.
  func run(_ rows: ArraySlice<Int>, batchCount: Int) {
    tape.begin(recording: true, randomness: nil)
    sums.clear()
    let input = tape.data(points, rows: rows, factor: scale)
    let latent = forward(input, layout.encoder)
    let quantized = tape.quantize(
      latent, codebooks, into: sums,
      commitment: options.commitment / Float(batchCount * options.latentWidth),
      passing: options.passing, partialCount: tags?.counts.count ?? 0)
    let output = forward(quantized.sums, layout.decoder)
    squaredError = tape.addSquaredError(
      output, target: input, factor: 1 / Float(batchCount * points.columns))
    supervision = supervise(quantized, rows, batchCount)
    tagAlignment = align(quantized, rows, batchCount)
    uniqueness = 0
    if options.uniqueness > 0 {
      let share = Float(rows.count) / Float(batchCount)
      uniqueness = tape.addUniqueness(
        latent, codes: quantized.codes, margin: 0, factor: share * options.uniqueness)
      uniqueness *= Double(rows.count)
    }
    tape.backward()
  }

  /// Has the first codes predict the tags of their level; the loss times the rows.
  private func supervise(
    _ quantized: QuantizedRows, _ rows: ArraySlice<Int>, _ batchCount: Int
  ) -> Double {
    var total = 0.0
    for (level, head) in layout.heads.enumerated() {
      let logits = tape.linear(quantized.partialSums[level], head.weight, bias: head.bias)
      let classes = rows.map { tags?.classes[level][$0] ?? -1 }
      total += tape.addClassification(
        logits, classes: classes, factor: options.supervision / Float(batchCount))
    }
    return total
  }

  /// Draws what the first codes stand for towards the vectors of the tags of the part; the loss times the rows.
  private func align(
    _ quantized: QuantizedRows, _ rows: ArraySlice<Int>, _ batchCount: Int
  ) -> Double {
    var total = 0.0
    for (level, projection) in layout.projections.enumerated() {
      let classes = rows.map { tags?.classes[level][$0] ?? -1 }
      let present = Set(classes.filter { $0 >= 0 }).sorted()
      guard present.count > 1 else { continue }
      let places = Dictionary(uniqueKeysWithValues: zip(present, Int32(0)...))
      let vectors = tape.linear(
        tape.data(tagVectors[level], rows: present.map(Int.init)[...], factor: scale),
        projection.weight, bias: projection.bias)
      total += tape.addTagAlignment(
        quantized.partialSums[level], tags: vectors, classes: classes.map { places[$0] ?? -1 },
        temperature: options.tagTemperature, factor: options.tagAlignment / Float(batchCount))
    }
    return total
  }

  private func forward(_ input: Tensor, _ layers: [AutoencoderLayout.Layer]) -> Tensor {
    var rows = input
    for layer in layers.dropLast() {
      rows = tape.linearReLUDropout(rows, layer.weight, bias: layer.bias, rate: 0)
    }
    return tape.linear(
      rows, layers[layers.count - 1].weight, bias: layers[layers.count - 1].bias)
  }

  /// Adds the losses and sums of another part of the same batch.
  func add(_ other: AutoencoderPart) {
    squaredError += other.squaredError
    uniqueness += other.uniqueness
    supervision += other.supervision
    tagAlignment += other.tagAlignment
    sums.add(other.sums)
  }

  /// The losses of the batch, times its rows.
  func losses(_ rowCount: Int) -> AutoencoderEpoch {
    let reconstruction = squaredError / Double(points.columns)
    let quantization = sums.errors.reduce(0, +) / Double(options.latentWidth)
    let total =
      reconstruction + Double(1 + options.commitment) * quantization
      + Double(options.uniqueness) * uniqueness + Double(options.supervision) * supervision
      + Double(options.tagAlignment) * tagAlignment
    return AutoencoderEpoch(
      reconstruction: reconstruction, quantization: quantization, uniqueness: uniqueness,
      supervision: supervision, tagAlignment: tagAlignment, total: total)
  }
}
