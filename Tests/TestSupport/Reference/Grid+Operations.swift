internal import Foundation

// The operations of Kernels/Tape as their definitions say, in Double, without any packing or blocking.

extension Grid {
  /// `x · weightᵀ + bias`, bias `[1, out]` or nil.
  public func linear(_ weight: Grid, bias: Grid? = nil) -> Grid {
    Grid(rows, weight.rows) { dot($0, weight, $1) + (bias?[0, $1] ?? 0) }
  }

  /// `max(x, 0)`.
  public var rectified: Grid { Grid(rows, columns, values.map { max($0, 0) }) }

  /// Block m of the columns is `views[m] · weight[m]`: `[M · T, d]` and `[M · d, d]` to `[T, M · d]`.
  public func linearOfViews(_ weight: Grid, viewCount: Int) -> Grid {
    let tokens = rows / viewCount
    let width = weight.columns
    return Grid(tokens, viewCount * width) { token, column in
      let view = column / width
      return (0..<columns).reduce(0.0) {
        $0 + self[view * tokens + token, $1] * weight[view * width + $1, column % width]
      }
    }
  }

  /// `scale · mean of some rows of this table + a row of the position table`, for each token.
  ///
  /// - Parameters:
  ///   - indices: `perToken` rows for each token.
  ///   - perToken: rows for each token.
  ///   - scale: the factor of the mean.
  ///   - positions: the position table.
  ///   - places: a row of it for each token.
  /// - Returns: `[T, d]`.
  public func embed(
    _ indices: [UInt32], perToken: Int = 1, scale: Double, positions: Grid, places: [UInt32]
  ) -> Grid {
    Grid(indices.count / perToken, columns) { token, column in
      let rows = indices[token * perToken..<(token + 1) * perToken]
      let sum = rows.reduce(0.0) { $0 + self[Int($1), column] }
      return scale * sum / Double(perToken) + positions[Int(places[token]), column]
    }
  }

  /// The states of a gated recurrent unit, `[T, d]`; x, `[T, 3 d]`, is what the input adds to reset gate, update gate and candidate.
  ///
  /// Cho and others 2014, with the reset gate on the product of the candidate, as PyTorch's GRU documents it.
  public func recurrence(_ weight: Grid, bias: Grid, lengths: [Int]) -> Grid {
    func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    let d = weight.columns
    var states: [Double] = []
    var token = 0
    for length in lengths {
      var state = Grid(1, d) { _, _ in 0 }
      for _ in 0..<length {
        let memory = state.linear(weight, bias: bias)
        state = Grid(1, d) { _, j in
          let reset = sigmoid(self[token, j] + memory[0, j])
          let update = sigmoid(self[token, d + j] + memory[0, d + j])
          let candidate = tanh(self[token, 2 * d + j] + reset * memory[0, 2 * d + j])
          return (1 - update) * candidate + update * state[0, j]
        }
        states += state.values
        token += 1
      }
    }
    return Grid(token, d, states)
  }

  /// `(x − mean) / √(variance + 1e-8) · gain + bias` over the columns.
  public func layerNorm(gain: Grid, bias: Grid) -> Grid {
    let width = Double(columns)
    let moments = (0..<rows).map { row -> (mean: Double, deviation: Double) in
      let part = values[row * columns..<(row + 1) * columns]
      let mean = part.reduce(0, +) / width
      let variance = part.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / width
      return (mean, (variance + 1e-8).squareRoot())
    }
    return Grid(rows, columns) {
      (self[$0, $1] - moments[$0].mean) / moments[$0].deviation * gain[0, $1] + bias[0, $1]
    }
  }

  /// Rows divided by their length.
  public var normalizedRows: Grid {
    let lengths = (0..<rows).map { dot($0, self, $0).squareRoot() }
    return Grid(rows, columns) { lengths[$0] > 0 ? self[$0, $1] / lengths[$0] : 0 }
  }

  /// Softmax of each row after adding `shift` to it.
  public func softmax(shift: [Double]? = nil) -> Grid {
    var result: [Double] = []
    for row in 0..<rows {
      let shifted = (0..<columns).map { self[row, $0] + (shift?[$0] ?? 0) }
      let peak = shifted.max() ?? 0
      let powers = shifted.map { exp($0 - peak) }
      let sum = powers.reduce(0, +)
      result += powers.map { $0 / sum }
    }
    return Grid(rows, columns, result)
  }

  /// The columns of this matrix and then the same constants in every row.
  public func appending(_ constants: [Double]) -> Grid {
    Grid(rows, columns + constants.count) {
      $1 < columns ? self[$0, $1] : constants[$1 - columns]
    }
  }

  /// The columns of several matrices side by side.
  public static func concatenated(_ parts: [Grid]) -> Grid {
    let rows = (0..<parts[0].rows).map { row in
      parts.flatMap { part in (0..<part.columns).map { part[row, $0] } }
    }
    return Grid(rows.count, rows.first?.count ?? 0, rows.flatMap { $0 })
  }

  /// The rows of several matrices one below the other.
  public static func stacked(_ parts: [Grid]) -> Grid {
    Grid(parts.reduce(0) { $0 + $1.rows }, parts[0].columns, parts.flatMap(\.values))
  }

  /// View m of every token times `weights[t, m]`: `[T, M · d]`.
  public func scalingViews(_ weights: Grid) -> Grid {
    let width = columns / weights.columns
    return Grid(rows, columns) { self[$0, $1] * weights[$0, $1 / width] }
  }

  /// The sum of the `count` views of every token: `[T, d]`.
  public func summingViews(_ count: Int) -> Grid {
    let width = columns / count
    return Grid(rows, width) { row, column in
      (0..<count).reduce(0) { $0 + self[row, $1 * width + column] }
    }
  }

  /// The mixture of the views of each token with the weights of its sequence; hidden views are replaced.
  ///
  /// - Parameters:
  ///   - weights: `[sequences, M]`.
  ///   - hidden: `[sequences · M]`, not 0 where a view is replaced.
  ///   - masks: what replaces them, `[M, d]`.
  ///   - offsets: the token range of sequence s is `offsets[s] ..< offsets[s + 1]`.
  /// - Returns: `[T, d]`, this matrix being `[M · T, d]`.
  public func mixingViews(
    _ weights: Grid, hidden: [UInt8], masks: Grid, offsets: [UInt32]
  ) -> Grid {
    let tokens = rows / weights.columns
    return Grid(tokens, columns) { token, column in
      let sequence = (0..<weights.rows).first { token < Int(offsets[$0 + 1]) } ?? 0
      return (0..<weights.columns).reduce(0.0) { sum, view in
        let isHidden = hidden[sequence * weights.columns + view] != 0
        let value = isHidden ? masks[view, column] : self[view * tokens + token, column]
        return sum + weights[sequence, view] * value
      }
    }
  }
}

/// Multi-head attention within each sequence; `q`, `k`, `v` are `[T, heads · headWidth]`.
///
/// - Parameters:
///   - q: queries.
///   - k: keys.
///   - v: values.
///   - offsets: the token range of sequence s is `offsets[s] ..< offsets[s + 1]`.
///   - heads: the number of heads.
///   - causal: whether a position sees only itself and earlier ones.
///   - mask: factors of the probabilities, for (token, head, place of the key in the sequence); 1 if nil.
/// - Returns: `[T, heads · headWidth]`.
public func referenceAttention(
  q: Grid, k: Grid, v: Grid, offsets: [UInt32], heads: Int, causal: Bool,
  mask: ((_ token: Int, _ head: Int, _ key: Int) -> Double)? = nil
) -> Grid {
  referenceAttention(
    q: q, k: k, v: v, queryOffsets: offsets, keyOffsets: offsets, heads: heads, causal: causal,
    mask: mask)
}

/// Multi-head attention where the queries of a sequence are at the last of its positions, and each position has a key.
///
/// - Parameters:
///   - q: queries, `[Q, heads · headWidth]`.
///   - k: keys, `[K, heads · headWidth]`.
///   - v: values, likewise.
///   - queryOffsets: the queries of sequence s are `queryOffsets[s] ..< queryOffsets[s + 1]`.
///   - keyOffsets: its keys, likewise.
///   - heads: the number of heads.
///   - causal: whether a position sees only itself and earlier ones.
///   - bias: added to the scores, `[2 · reach + 1, heads]`, by the position of the key less that of the query; nil for none.
///   - mask: factors of the probabilities, for (query, head, place of the key in the sequence); 1 if nil.
/// - Returns: `[Q, heads · headWidth]`; zeros where there are no keys.
public func referenceAttention(
  q: Grid, k: Grid, v: Grid, queryOffsets: [UInt32], keyOffsets: [UInt32], heads: Int,
  causal: Bool, bias: Grid? = nil,
  mask: ((_ query: Int, _ head: Int, _ key: Int) -> Double)? = nil
) -> Grid {
  let width = q.columns / heads
  var result = [Double](repeating: 0, count: q.values.count)
  for sequence in queryOffsets.indices.dropLast() {
    let (firstQuery, endQuery) = (Int(queryOffsets[sequence]), Int(queryOffsets[sequence + 1]))
    let (firstKey, endKey) = (Int(keyOffsets[sequence]), Int(keyOffsets[sequence + 1]))
    for head in 0..<heads {
      let columns = head * width..<(head + 1) * width
      let (query, key) = (q.columns(columns), k.columns(columns))
      for row in firstQuery..<endQuery {
        let position = (endKey - firstKey) - (endQuery - row)
        let keys = firstKey..<(causal ? firstKey + position + 1 : endKey)
        let scores = keys.map { other in
          let score = query.dot(row, key, other) / Double(width).squareRoot()
          guard let bias else { return score }
          let reach = bias.rows / 2
          let distance = other - firstKey - position
          return score + bias[max(-reach, min(reach, distance)) + reach, head]
        }
        let peak = scores.max() ?? 0
        let sum = scores.reduce(0) { $0 + exp($1 - peak) }
        for (place, other) in keys.enumerated() {
          let share = exp(scores[place] - peak) / sum * (mask?(row, head, place) ?? 1)
          for column in columns { result[row * q.columns + column] += share * v[other, column] }
        }
      }
    }
  }
  return Grid(q.rows, q.columns, result)
}

/// Attention with weights `silu(q · k + bias) / divisor`; parameters as above, heads as many as the bias has columns.
public func referencePointwiseAttention(
  q: Grid, k: Grid, v: Grid, queryOffsets: [UInt32], keyOffsets: [UInt32], causal: Bool,
  bias: Grid, divisor: Double
) -> Grid {
  let width = q.columns / bias.columns
  let reach = bias.rows / 2
  return Grid(q.rows, q.columns) { row, column in
    let head = column / width
    let columns = head * width..<(head + 1) * width
    let sequence = queryOffsets.lastIndex { Int($0) <= row } ?? 0
    let (firstKey, endKey) = (Int(keyOffsets[sequence]), Int(keyOffsets[sequence + 1]))
    let position = (endKey - firstKey) - (Int(queryOffsets[sequence + 1]) - row)
    return (firstKey..<(causal ? firstKey + position + 1 : endKey)).reduce(0.0) { sum, key in
      let distance = max(-reach, min(reach, key - firstKey - position))
      let score =
        columns.reduce(0.0) { $0 + q[row, $1] * k[key, $1] } + bias[reach + distance, head]
      return sum + score / (1 + exp(-score)) / divisor * v[key, column]
    }
  }
}
