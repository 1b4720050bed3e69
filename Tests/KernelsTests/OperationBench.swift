import TestSupport
import Testing

@testable import Numerics
@testable import Tape

/// An input of an operation: where the engine finds it.
enum Input {
  /// On the tape.
  case tensor(Grid)
  /// In the parameter block.
  case parameter(Grid)
  /// An embedding table.
  case table(Grid)

  var grid: Grid {
    switch self {
    case .tensor(let grid), .parameter(let grid), .table(let grid): grid
    }
  }
}

/// A tape with the inputs of one operation, and the gradients that they receive.
struct OperationBench {
  let tape: Tape
  private let sources: [Source]

  private enum Source {
    case tensor(Tensor)
    case parameter(Parameter)
    case table(EmbeddingTable)
  }

  /// - Parameters:
  ///   - inputs: values of the inputs.
  ///   - randomness: of the dropout masks; nil for evaluation.
  ///   - isRecording: whether ``differentiate(_:towards:)`` will be called.
  ///   - precision: of the products.
  init(
    _ inputs: [Input], randomness: CounterRandom? = nil, isRecording: Bool = true,
    precision: ProductPrecision = .float32
  ) {
    let block = AlignedBuffer(count: inputs.reduce(0) { $0 + $1.grid.values.count })
    let tape = Tape(parameters: block, precision: precision)
    // Parameters stand before a step begins.
    var offset = 0
    let offsets = inputs.map { input in
      guard case .parameter(let grid) = input else { return offset }
      block.set(grid.floats, at: offset)
      offset += grid.values.count
      return offset - grid.values.count
    }
    tape.begin(recording: isRecording, randomness: randomness)
    sources = zip(inputs, offsets).map { input, offset in
      let grid = input.grid
      switch input {
      case .tensor:
        return .tensor(tape.tensor(rows: grid.rows, columns: grid.columns, values: grid.floats))
      case .parameter:
        return .parameter(Parameter(offset: offset, rows: grid.rows, columns: grid.columns))
      case .table:
        let table = EmbeddingTable(count: grid.rows, width: grid.columns)
        table.values.set(grid.floats)
        return .table(table)
      }
    }
    self.tape = tape
  }

  /// Input number `index`, which is on the tape.
  func tensor(_ index: Int) -> Tensor {
    guard case .tensor(let tensor) = sources[index] else { preconditionFailure("no tensor") }
    return tensor
  }

  /// Input number `index`, which is in the parameter block.
  func parameter(_ index: Int) -> Parameter {
    guard case .parameter(let parameter) = sources[index] else { preconditionFailure("no place") }
    return parameter
  }

  /// Input number `index`, which is a table.
  func table(_ index: Int) -> EmbeddingTable {
    guard case .table(let table) = sources[index] else { preconditionFailure("no table") }
    return table
  }

  /// Runs the backward pass with a gradient of the output; the gradient of every input.
  func differentiate(_ output: Tensor, towards gradient: [Float]) -> [[Float]] {
    output.addGradient(gradient)
    tape.backward()
    addGradients(of: tape.gathers, threads: 2)
    return sources.map { source in
      switch source {
      case .tensor(let tensor): tensor.gradientArray
      case .parameter(let place): tape.gradient.array(place.offset..<place.offset + place.count)
      case .table(let table): table.gradient.array
      }
    }
  }
}

/// A number of the engine that is too far from its reference.
struct ValueMismatch: Error, CustomStringConvertible {
  let description: String

  /// Throws unless all values are within `tolerance` of the largest expected one.
  static func require(_ found: [Float], equal expected: [Double], tolerance: Double) throws {
    guard found.count == expected.count else {
      throw ValueMismatch(description: "\(found.count) values, expected \(expected.count)")
    }
    let scale = expected.reduce(0) { max($0, abs($1)) }
    for (place, pair) in zip(found, expected).enumerated() {
      // Written so that a NaN fails.
      guard abs(Double(pair.0) - pair.1) <= tolerance * scale else {
        throw ValueMismatch(
          description: "value \(place): found \(pair.0), expected \(pair.1), peak \(scale)")
      }
    }
  }
}

/// Compares an operation with its definition: values, and the gradient of a random weighting of the output.
///
/// - Parameters:
///   - operation: which one; says how much may differ.
///   - inputs: the inputs.
///   - randomness: of the dropout masks; nil for none.
///   - engine: runs the operation on the tape.
///   - reference: the definition, in Double.
/// - Throws: ``ValueMismatch`` or `GradientMismatch`.
func check(
  _ operation: Operation, _ inputs: [Input], randomness: CounterRandom? = nil,
  engine: (OperationBench) -> Tensor, reference: ([Grid]) -> Grid
) throws {
  let bench = OperationBench(inputs, randomness: randomness)
  let output = engine(bench)
  let grids = inputs.map(\.grid)
  let tolerance = operation.tolerance
  try ValueMismatch.require(
    output.array, equal: reference(grids).values, tolerance: tolerance.values)
  let weights = Grid.noise(output.rows, output.columns, seed: 7)
  let gradients = bench.differentiate(output, towards: weights.floats)
  try requireGradients(of: grids, equal: gradients, tolerance: tolerance.gradients) {
    (reference($0) * weights).values.reduce(0, +)
  }
}

/// A row count and a width.
struct Shape: CustomTestStringConvertible, Sendable {
  let rows: Int
  let width: Int

  var testDescription: String { "\(rows) x \(width)" }

  /// Around the widths of vectors and blocks, and far from any multiple.
  static let awkward = [(1, 1), (2, 7), (15, 16), (17, 17), (33, 7), (50, 1), (3, 64)]
    .map { Shape(rows: $0.0, width: $0.1) }
}

/// The operations under test and how far each may be from its reference.
enum Operation {
  case linear, linearReLUDropout, linearDropoutAdd, linearOfViews, embed, rows, attention
  case recurrence, filter, linearGELU, blend, gate, insertRows, pointwiseAttention
  case layerNorm, normalizeRows, add, addTimesFactor, copy, appendColumns, concatenateColumns
  case softmax, broadcast, scaleViews, sumOfViews, addMixture, mixViews
  case crossEntropy, binaryCrossEntropy, alignment, maskedGranularity

  /// Largest differences, relative to the largest value and to the largest gradient element of an input.
  var tolerance: (values: Double, gradients: Double) {
    switch self {
    // Nothing is rounded.
    case .rows, .copy, .appendColumns, .concatenateColumns, .broadcast, .insertRows: (0, 1e-6)
    // One or two roundings.
    case .add, .addTimesFactor, .scaleViews, .sumOfViews, .blend: (5e-7, 2e-6)
    // Sums of up to 64 products.
    case .linear, .linearReLUDropout, .linearDropoutAdd, .linearOfViews: (1e-6, 5e-6)
    case .embed, .addMixture, .mixViews: (5e-7, 5e-6)
    // Sums of up to 12 products, with kernels that are sums of as many; the spectrum's gradient is a sum over all of them.
    case .filter: (2e-6, 1e-5)
    // A distribution function within 1.5e-7.
    case .linearGELU: (2e-6, 1e-5)
    // Differences from a mean, divided by a root.
    case .layerNorm, .normalizeRows: (2e-6, 1e-5)
    // e^x with a relative error below 3e-7 in both.
    case .softmax, .attention, .gate, .pointwiseAttention: (2e-6, 2e-5)
    // Nine steps of it, each with three such sums.
    case .recurrence: (5e-6, 5e-5)
    case .crossEntropy, .binaryCrossEntropy, .maskedGranularity: (2e-6, 2e-5)
    case .alignment: (2e-6, 5e-5)
    }
  }
}
