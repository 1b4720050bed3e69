internal import Numerics
internal import Tape

// Z width of the latent space, K codes of a level.

/// Keeps count of the rows of each code, and moves code vectors that are averages of their rows.
final class CodebookUpdater {
  private let codebooks: LatentCodebooks
  private let update: CodebookUpdate
  /// Moving averages of the number of rows with each code and of their sums.
  private var weights: WideNumbers
  private let averages: AlignedBuffer
  /// The rows since the start of the epoch that chose each code.
  private var counts: WideNumbers

  init(_ codebooks: LatentCodebooks, _ options: AutoencoderOptions) {
    self.codebooks = codebooks
    update = options.update
    weights = WideNumbers(count: codebooks.codeCount)
    averages = AlignedBuffer(count: codebooks.values.count)
    counts = WideNumbers(count: codebooks.codeCount)
    restart()
  }

  /// The rows since the start of the epoch that chose each code.
  var usage: [Int] { (0..<codebooks.codeCount).map { Int(counts[$0]) } }

  /// What the next steps depend on.
  var stateBlocks: [StateBlock] {
    let usage = StateBlock(
      "codebooks-usage", counts.block, width: WideNumbers.width, content: .counts)
    guard case .movingAverage = update else { return [usage] }
    return [
      usage, StateBlock("codebooks-sums", averages, width: codebooks.width),
      StateBlock("codebooks-weights", weights.block, width: WideNumbers.width, content: .weights),
    ]
  }

  /// Begins moving averages at the code vectors as they are.
  func restart() {
    for code in 0..<codebooks.codeCount { weights[code] = Double(1).bitPattern }
    averages.copy(from: codebooks.values)
  }

  /// Forgets which codes were chosen.
  func endEpoch() { counts.block.fill(0) }

  /// Gives a code another vector.
  func place(_ code: Int, _ vector: [Float]) {
    codebooks.values.set(vector, at: code * codebooks.width)
    averages.set(vector, at: code * codebooks.width)
    weights[code] = Double(1).bitPattern
  }

  /// Counts the rows of a batch, and moves the averages.
  func follow(_ sums: CodeSums) {
    for (code, count) in sums.counts.enumerated() where count > 0 { counts[code] += UInt64(count) }
    if case .movingAverage(let decay) = update { average(sums, decay) }
  }

  /// The mean of the rows of a batch with a code is the code vector plus the mean of what it left.
  private func average(_ sums: CodeSums, _ decay: Float) {
    let width = codebooks.width
    for (code, count) in sums.counts.enumerated() {
      let weight =
        Double(decay) * Double(bitPattern: weights[code]) + Double(1 - decay) * Double(count)
      weights[code] = weight.bitPattern
      let scale = Float(1 / max(weight, 1e-5))
      for index in code * width..<(code + 1) * width {
        let sum = sums.rests[index] + Float(count) * codebooks.values[index]
        averages[index] = decay * averages[index] + (1 - decay) * sum
        codebooks.values[index] = averages[index] * scale
      }
    }
  }
}

/// Numbers of 64 bits in a block of floats, 16 bits a float, so that a checkpoint keeps every bit of them.
private struct WideNumbers {
  /// Floats a number.
  static let width = 4
  let block: AlignedBuffer

  /// Creates zeros.
  init(count: Int) { block = AlignedBuffer(count: Self.width * count) }

  subscript(index: Int) -> UInt64 {
    get {
      (0..<Self.width).reduce(0) { $0 << 16 | UInt64(block[Self.width * index + $1]) }
    }
    nonmutating set {
      for place in 0..<Self.width {
        let part = newValue >> UInt64(16 * (Self.width - 1 - place)) & 0xFFFF
        block[Self.width * index + place] = Float(part)
      }
    }
  }
}
