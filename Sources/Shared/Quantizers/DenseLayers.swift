internal import CKernels
public import Numerics

// N rows.

/// One affine map, `y = x · weightᵀ + bias`.
public struct DenseLayer: Sendable, Equatable {
  /// Shape `[out, in]`.
  public var weight: Matrix
  /// Shape `[out]`.
  public var bias: [Float]

  /// A map from its parts.
  ///
  /// - Parameters:
  ///   - weight: shape `[out, in]`.
  ///   - bias: shape `[out]`.
  public init(weight: Matrix, bias: [Float]) {
    precondition(weight.rows == bias.count, "\(bias.count) biases of \(weight.rows) outputs")
    self.weight = weight
    self.bias = bias
  }
}

/// Affine maps one after another, with max(x, 0) between them.
public struct DenseLayers: Sendable, Equatable {
  /// The maps, at least one; each takes what the one before gives.
  public var layers: [DenseLayer]

  /// Layers from first to last.
  ///
  /// - Parameter layers: at least one, of widths that fit together.
  public init(_ layers: [DenseLayer]) {
    precondition(!layers.isEmpty, "no layer")
    precondition(
      zip(layers, layers.dropFirst()).allSatisfy { $0.weight.rows == $1.weight.columns }, "widths")
    self.layers = layers
  }

  /// The width of the rows that go in.
  public var inputWidth: Int { layers[0].weight.columns }

  /// The width of the rows that come out.
  public var outputWidth: Int { layers[layers.count - 1].weight.rows }

  /// What comes of some rows.
  ///
  /// - Parameters:
  ///   - rows: shape `[N, in]`.
  ///   - threads: the largest number of threads; the result does not depend on it.
  /// - Returns: shape `[N, out]`.
  public func apply(to rows: Matrix, threads: Int) -> Matrix {
    precondition(rows.columns == inputWidth, "width \(rows.columns), not \(inputWidth)")
    var output = Matrix(rows: rows.rows, columns: outputWidth)
    let widest = layers.map(\.weight.rows).max() ?? 0
    unsafe output.values.withUnsafeMutableBufferPointer { target in
      unsafe rows.values.withUnsafeBufferPointer { source in
        // Blocks write disjoint rows.
        nonisolated(unsafe) let (source, target) = unsafe (source, target)
        parallelFor((rows.rows + rowBlock - 1) / rowBlock, threads: threads) { block in
          guard let x = unsafe source.baseAddress, let y = unsafe target.baseAddress else { return }
          let first = block * rowBlock
          let count = min(rowBlock, rows.rows - first)
          var scratch = [Float](repeating: 0, count: 2 * count * widest)
          unsafe scratch.withUnsafeMutableBufferPointer { scratch in
            guard let scratch = scratch.baseAddress else { return }
            let last = unsafe run(x + first * inputWidth, count, scratch, widest)
            unsafe (y + first * outputWidth).update(from: last, count: count * outputWidth)
          }
        }
      }
    }
    return output
  }

  /// Applies all layers to some rows; `scratch` has room for two results.
  private func run(
    _ rows: UnsafePointer<Float>, _ count: Int, _ scratch: UnsafeMutablePointer<Float>,
    _ widest: Int
  ) -> UnsafePointer<Float> {
    var input = unsafe rows
    for (number, layer) in layers.enumerated() {
      let output = unsafe scratch + number % 2 * count * widest
      let (width, inputWidth) = (layer.weight.rows, layer.weight.columns)
      unsafe matrixMultiply(
        count, width, inputWidth, input, inputWidth, layer.weight.values, inputWidth,
        transposeB: true, output, width)
      if number + 1 < layers.count {
        unsafe h2rec_bias_relu_dropout(
          output, layer.bias, count, width, h2rec_dropout(key: 0, rate: 0))
      } else {
        unsafe h2rec_add_bias(output, layer.bias, count, width)
      }
      unsafe input = UnsafePointer(output)
    }
    return unsafe input
  }
}

/// Rows in a block of work.
private let rowBlock = 1024
