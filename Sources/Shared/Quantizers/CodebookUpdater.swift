internal import CKernels
internal import Numerics
internal import Tape

// Z width of the latent space, K codes of a level.

/// Moves code vectors after a batch.
final class CodebookUpdater {
  private let codebooks: LatentCodebooks
  private let options: AutoencoderOptions
  private let optimizer: Adam
  /// Moving averages of the number of rows with each code and of their sums.
  private var weights: [Double]
  private let averages: AlignedBuffer
  /// The batches since the start in which each code was chosen.
  private(set) var usage: [Int]

  init(_ codebooks: LatentCodebooks, _ options: AutoencoderOptions) {
    self.codebooks = codebooks
    self.options = options
    var settings = Adam.Settings()
    settings.rate = options.learningRate
    optimizer = Adam(parameters: codebooks.values, tables: [], settings: settings)
    weights = Array(repeating: 1, count: codebooks.codeCount)
    averages = AlignedBuffer(count: codebooks.values.count)
    usage = Array(repeating: 0, count: codebooks.codeCount)
  }

  /// Begins moving averages at the code vectors as they are.
  func restart() {
    for index in weights.indices { weights[index] = 1 }
    averages.copy(from: codebooks.values)
  }

  /// Forgets which codes were chosen.
  func beginEpoch() {
    for index in usage.indices { usage[index] = 0 }
  }

  /// Gives a code another vector.
  func place(_ code: Int, _ vector: [Float]) {
    codebooks.values.set(vector, at: code * codebooks.width)
    averages.set(vector, at: code * codebooks.width)
    weights[code] = 1
  }

  /// Learns from a batch; what it left in `sums` is used up.
  func update(_ sums: CodeSums, rowCount: Int) {
    for (code, count) in sums.counts.enumerated() { usage[code] += Int(count) }
    switch options.update {
    case .gradient:
      // Of Σ ‖code − rest before‖² / (rows · Z).
      let factor = -2 / Float(rowCount * codebooks.width)
      unsafe h2rec_scale(sums.rests.base, sums.rests.base, factor, sums.rests.count)
      optimizer.step(gradient: sums.rests, threads: 1)
    case .movingAverage(let decay): average(sums, decay)
    }
  }

  /// The mean of the rows of a batch with a code is the code vector plus the mean of what it left.
  private func average(_ sums: CodeSums, _ decay: Float) {
    let width = codebooks.width
    for (code, count) in sums.counts.enumerated() {
      weights[code] = Double(decay) * weights[code] + Double(1 - decay) * Double(count)
      let scale = Float(1 / max(weights[code], 1e-5))
      for index in code * width..<(code + 1) * width {
        let sum = sums.rests[index] + Float(count) * codebooks.values[index]
        averages[index] = decay * averages[index] + (1 - decay) * sum
        codebooks.values[index] = averages[index] * scale
      }
    }
  }
}
