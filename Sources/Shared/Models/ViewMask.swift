internal import Numerics

/// Which levels the masked-granularity loss hides.
public enum ViewMaskStrategy: String, Sendable, CaseIterable {
  /// The half of the levels with the smallest gate weights (the published default).
  case low
  /// The half with the largest gate weights.
  case high
  /// A random half for each sequence.
  case random
}

extension ViewMaskStrategy {
  /// One flag for each sequence and level.
  ///
  /// - Parameters:
  ///   - weights: the gate weights, `[sequences · M]`; ties go to the coarser level.
  ///   - levelCount: M; ⌊M / 2⌋ levels are hidden, at least one.
  ///   - random: draws for ``random``.
  /// - Returns: `[sequences · M]`, 1 where the level is hidden.
  func hidden(weights: [Float], levelCount: Int, random: CounterRandom) -> [UInt8] {
    var hidden = [UInt8](repeating: 0, count: weights.count)
    let hiddenCount = max(1, levelCount / 2)
    for first in stride(from: 0, to: weights.count, by: levelCount) {
      let levels = 0..<levelCount
      let keys: [Double] =
        switch self {
        case .low: levels.map { Double(weights[first + $0]) }
        case .high: levels.map { -Double(weights[first + $0]) }
        case .random: levels.map { random.uniform(UInt64(first + $0)) }
        }
      let order = levels.sorted { (keys[$0], $0) < (keys[$1], $1) }
      for level in order.prefix(hiddenCount) { hidden[first + level] = 1 }
    }
    return hidden
  }
}
