internal import Numerics
internal import Tape
internal import Training

// T rows of a micro-batch, N points.

/// The points of a step.
struct AutoencoderBatch: StepBatch {
  /// A row of the points each.
  let rows: [Int]

  var tokenCount: Int { rows.count }

  func microBatches(tokenLimit: Int) -> [AutoencoderMicroBatch] {
    ranges(rows.count, of: tokenLimit).enumerated().map { index, range in
      AutoencoderMicroBatch(index: index, rows: rows[range], batchCount: rows.count)
    }
  }
}

/// Some points of a batch.
struct AutoencoderMicroBatch: Sendable {
  /// Its number in the batch.
  let index: Int
  /// A row of the points each.
  let rows: ArraySlice<Int>
  /// The rows of the whole batch.
  let batchCount: Int
}

/// What the forward pass of a micro-batch leaves for the losses.
struct AutoencoderOutput {
  let tape: Tape
  let microBatch: AutoencoderMicroBatch
  /// The points, scaled.
  let input: Tensor
  /// `[T, Z]`.
  let latent: Tensor
  let quantized: QuantizedRows
  /// What the decoder makes of the codes.
  let output: Tensor
}

/// All points once an epoch, in random order.
struct AutoencoderExamples: ExampleSource {
  /// N.
  let count: Int
  let random: CounterRandom

  func batches(epoch: Int, size: Int) -> [[Int]] {
    let order = random.substream(1000 + UInt64(epoch - 1)).permutation(count)
    return ranges(count, of: size).map { Array(order[$0]) }
  }

  func batch(_ members: [Int], epoch: Int) -> AutoencoderBatch { AutoencoderBatch(rows: members) }

  /// Every row counts alike, those of a last batch that is smaller, too.
  func lossWeight(of members: [Int]) -> Double { Double(members.count) }
}

/// The losses of an epoch decide when learning ends: a total smaller by 0.1 % is a better one.
struct AutoencoderValidation: ValidationTask {
  /// N.
  let count: Int
  /// The weight of each loss.
  let weights: [String: Double]

  let title = "total loss"
  let metricKey = "total"

  /// Without an epoch there is no loss.
  func measure(until isStopAsked: () -> Bool) -> ValidationOutcome { .nothing }

  func measure(
    after losses: [(name: String, value: Double)], until isStopAsked: () -> Bool
  ) -> ValidationOutcome {
    .measured([(metricKey, losses.reduce(0) { $0 + (weights[$1.name] ?? 0) * $1.value })])
  }

  func isBetter(_ value: Double, than best: Double) -> Bool { value < best * 0.999 }
}
