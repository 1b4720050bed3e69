internal import CKernels
internal import Numerics
internal import Tape
internal import Training

// T rows of a micro-batch, D width of the points, Z width of the latent space, K codes of a level.

/// A loss that each micro-batch computes by itself.
///
/// `@unchecked Sendable`: the sums of different micro-batches are different objects.
final class RowObjective: Objective, @unchecked Sendable {
  private final class Sum: @unchecked Sendable {
    var value = 0.0
  }

  let name: String
  private let add: @Sendable (AutoencoderOutput) -> Double
  private var sums: [Sum] = []

  /// A loss.
  ///
  /// - Parameters:
  ///   - name: its name.
  ///   - add: adds the gradient of the weighted mean over the rows of the batch, and returns the loss of a micro-batch times its rows.
  init(_ name: String, _ add: @escaping @Sendable (AutoencoderOutput) -> Double) {
    self.name = name
    self.add = add
  }

  func begin(_ microBatches: [AutoencoderMicroBatch]) { sums = microBatches.map { _ in Sum() } }

  func receive(_ output: AutoencoderOutput, from index: Int) { sums[index].value = add(output) }

  func evaluate(
    _ batch: AutoencoderBatch, _ outputs: [AutoencoderOutput], _ context: StepContext
  ) -> Double {
    sums.reduce(0) { $0 + $1.value } / Double(batch.rows.count)
  }
}

/// The squared distances of latent vectors to what their codes stand for; the gradient of the codebooks.
///
/// The commitment of the latent vectors is part of the operation that chooses codes.
final class QuantizationObjective: Objective, Sendable {
  let name = "quantization"
  private let model: AutoencoderModel

  init(_ model: AutoencoderModel) { self.model = model }

  func begin(_ microBatches: [AutoencoderMicroBatch]) { model.reserveSums(microBatches.count) }

  func evaluate(
    _ batch: AutoencoderBatch, _ outputs: [AutoencoderOutput], _ context: StepContext
  ) -> Double {
    let whole = model.sums[0]
    for other in model.sums[1..<outputs.count] { whole.add(other) }
    let width = model.options.latentWidth
    if case .gradient = model.options.update {
      // Of Σ ‖code − rest before‖² / (rows · Z).
      let factor = -2 / Float(batch.rows.count * width)
      let table = model.codebookTable
      unsafe h2rec_scale(table.gradient.base, whole.rests.base, factor, whole.rests.count)
      table.touchAll()
    }
    return whole.errors.reduce(0, +) / Double(width) / Double(batch.rows.count)
  }
}

extension AutoencoderModel {
  func objectives() -> [any Objective<AutoencoderBatch, AutoencoderOutput>] {
    var all: [any Objective<AutoencoderBatch, AutoencoderOutput>] = [
      RowObjective("reconstruction", reconstruct), QuantizationObjective(self),
    ]
    if options.uniqueness > 0 { all.append(RowObjective("uniqueness", separate)) }
    if options.supervision > 0 { all.append(RowObjective("supervision", supervise)) }
    if options.tagAlignment > 0 { all.append(RowObjective("tagAlignment", align)) }
    return all
  }

  /// What each loss is multiplied by in the sum that is minimised; the one of quantisation counts for codebooks and commitment.
  var lossWeights: [String: Double] {
    [
      "reconstruction": 1, "quantization": Double(1 + options.commitment),
      "uniqueness": Double(options.uniqueness), "supervision": Double(options.supervision),
      "tagAlignment": Double(options.tagAlignment),
    ]
  }

  @Sendable private func reconstruct(_ output: AutoencoderOutput) -> Double {
    output.tape.addSquaredError(
      output.output, target: output.input,
      factor: 1 / Float(output.microBatch.batchCount * points.columns)) / Double(points.columns)
  }

  /// Pushes apart different rows of a micro-batch that have equal codes.
  @Sendable private func separate(_ output: AutoencoderOutput) -> Double {
    let rows = output.microBatch.rows.count
    let share = Float(rows) / Float(output.microBatch.batchCount)
    return Double(rows)
      * output.tape.addUniqueness(
        output.latent, codes: output.quantized.codes, margin: 0,
        factor: share * options.uniqueness)
  }

  /// Has the first codes predict the tags of their level.
  @Sendable private func supervise(_ output: AutoencoderOutput) -> Double {
    let tape = output.tape
    var total = 0.0
    for (level, head) in layers.heads.enumerated() {
      let logits = tape.linear(output.quantized.partialSums[level], head.weight, bias: head.bias)
      total += tape.addClassification(
        logits, classes: classes(output.microBatch, level),
        factor: options.supervision / Float(output.microBatch.batchCount))
    }
    return total
  }

  /// Draws what the first codes stand for towards the vectors of the tags of the micro-batch.
  @Sendable private func align(_ output: AutoencoderOutput) -> Double {
    let tape = output.tape
    var total = 0.0
    for (level, projection) in layers.projections.enumerated() {
      let classes = classes(output.microBatch, level)
      let present = Set(classes.filter { $0 >= 0 }).sorted()
      guard present.count > 1 else { continue }
      let places = Dictionary(uniqueKeysWithValues: zip(present, Int32(0)...))
      let vectors = tape.linear(
        tape.data(tagVectors[level], rows: present.map(Int.init)[...], factor: scale),
        projection.weight, bias: projection.bias)
      total += tape.addTagAlignment(
        output.quantized.partialSums[level], tags: vectors,
        classes: classes.map { places[$0] ?? -1 }, temperature: options.tagTemperature,
        factor: options.tagAlignment / Float(output.microBatch.batchCount))
    }
    return total
  }

  /// The tag of each row at a level, negative for none.
  private func classes(_ microBatch: AutoencoderMicroBatch, _ level: Int) -> [Int32] {
    microBatch.rows.map { tags?.classes[level][$0] ?? -1 }
  }
}
