internal import Foundation

// Filters along time by the discrete Fourier transform of their definition, and smooth activations, in Double.

extension Grid {
  /// Each channel of each sequence, at the end of a window of zeros, transformed, changed and transformed back.
  ///
  /// - Parameters:
  ///   - lengths: of the sequences, at most `window` each.
  ///   - window: the positions of a window, L.
  ///   - isCausal: whether a token has what it would have as the last one of its window.
  ///   - factor: what a frequency, from 0 to ⌊L / 2⌋, of a channel is multiplied by.
  /// - Returns: as large as this matrix.
  public func filtered(
    lengths: [Int], window: Int, isCausal: Bool,
    _ factor: (_ frequency: Int, _ channel: Int) -> (real: Double, imaginary: Double)
  ) -> Grid {
    var result = Grid(rows, columns) { _, _ in 0 }
    var first = 0
    for length in lengths {
      for channel in 0..<columns {
        let tokens = (first..<first + length).map { self[$0, channel] }
        for last in isCausal ? Array(1...length) : [length] {
          let padded = [Double](repeating: 0, count: window - last) + tokens.prefix(last)
          let back = transformed(padded) { factor($0, channel) }
          for token in isCausal ? last - 1..<last : 0..<last {
            result.values[(first + token) * columns + channel] = back[window - last + token]
          }
        }
      }
      first += length
    }
    return result
  }

  /// The real inverse transform of a window's spectrum times a factor; the negative frequencies are mirror images.
  private func transformed(
    _ x: [Double], _ factor: (Int) -> (real: Double, imaginary: Double)
  ) -> [Double] {
    let n = x.count
    var back = [Double](repeating: 0, count: n)
    for frequency in 0..<n {
      func turn(_ position: Int) -> Double {
        2 * Double.pi * Double(frequency) * Double(position) / Double(n)
      }
      var (real, imaginary) = (0.0, 0.0)
      for (position, value) in x.enumerated() {
        real += value * cos(turn(position))
        imaginary -= value * sin(turn(position))
      }
      let mirror = frequency <= n / 2 ? frequency : n - frequency
      let (a, own) = factor(mirror)
      let b = frequency == mirror ? own : -own
      (real, imaginary) = (real * a - imaginary * b, real * b + imaginary * a)
      for position in 0..<n {
        back[position] += (real * cos(turn(position)) - imaginary * sin(turn(position))) / Double(n)
      }
    }
    return back
  }

  /// `1 / (1 + e^−x)`.
  public var sigmoid: Grid { Grid(rows, columns, values.map { 1 / (1 + exp(-$0)) }) }

  /// `x · Φ(x)`, Φ being the distribution function of the normal distribution.
  public var gelu: Grid {
    Grid(rows, columns, values.map { $0 * erfc(-$0 / 2.0.squareRoot()) / 2 })
  }
}
