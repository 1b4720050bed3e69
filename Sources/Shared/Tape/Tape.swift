internal import CKernels
public import Numerics

/// Reverse-mode differentiation over coarse operations, for one micro-batch of packed sequences.
///
/// An operation computes its values at once and, while the tape records, leaves a step that adds to the gradients of
/// its inputs. ``backward()`` runs the steps in reverse. A tape is used by one thread at a time, and everything in
/// it is single-threaded; a training step has one tape for each micro-batch.
///
/// Gradients of dense parameters are added to ``gradient``, which is the tape's own; gradients of embedding tables
/// are left in ``gathers`` and added to the tables in micro-batch order by ``addGradients(of:threads:)``.
///
/// `@unchecked Sendable`: handed from thread to thread between parallel regions, never shared within one.
@safe public final class Tape: @unchecked Sendable {
  /// The values of all dense parameters, shared by all tapes and not written during a step.
  public let parameters: AlignedBuffer
  /// The gradient of all dense parameters from this tape's micro-batch.
  public let gradient: AlignedBuffer
  /// What the embedding tables receive from this micro-batch, in the order of the backward pass.
  public internal(set) var gathers: [Gather] = []
  /// Whether operations keep what the backward pass needs.
  public private(set) var isRecording = true

  let arena = Arena()
  private let precision: ProductPrecision
  private let halves = ScratchBuffer()
  /// The dense parameters as bfloat16, `[parameters.count]`, while the tape rounds.
  private(set) var roundedParameters: UnsafePointer<UInt16>?
  private var steps: [() -> Void] = []
  /// Memory of gradients that are no longer needed, by the number of floats.
  private var idleGradients: [Int: [UnsafeMutablePointer<Float>]] = unsafe [:]
  private var keys = CounterRandom(seed: 0, stream: 0)
  private var operation: UInt64 = 0
  private var dropoutIsOn = false

  /// Creates an empty tape over a parameter block.
  ///
  /// - Parameters:
  ///   - parameters: the values of all dense parameters.
  ///   - precision: of the products of linear operations while the tape records.
  /// - Precondition: this machine has such products.
  public init(parameters: AlignedBuffer, precision: ProductPrecision = .float32) {
    precondition(precision.isAvailable)
    self.parameters = parameters
    self.precision = precision
    gradient = AlignedBuffer(count: parameters.count)
  }

  /// Forgets the last micro-batch and starts the next.
  ///
  /// - Parameters:
  ///   - recording: whether ``backward()`` will be called.
  ///   - randomness: the stream of the dropout masks; nil switches all dropout off (evaluation).
  public func begin(recording: Bool, randomness: CounterRandom?) {
    arena.reset()
    steps.removeAll(keepingCapacity: true)
    gathers.removeAll(keepingCapacity: true)
    unsafe idleGradients.removeAll(keepingCapacity: true)
    isRecording = recording
    operation = 0
    dropoutIsOn = randomness != nil
    if let randomness { keys = randomness }
    if recording { gradient.fill(0) }
    if isRounding { roundParameters() }
  }

  /// Whether the factors of products are rounded now.
  var isRounding: Bool { isRecording && precision == .bfloat16 }

  private func roundParameters() {
    let count = parameters.count
    let rounded = unsafe halves.reserveHalves(count)
    unsafe h2rec_round_bf16(rounded, count, parameters.base, count, 1, count)
    unsafe roundedParameters = UnsafePointer(rounded)
  }

  /// Adds to all gradients what the gradients already in the outputs imply.
  public func backward() {
    for step in steps.reversed() { step() }
    steps.removeAll(keepingCapacity: true)
  }

  // MARK: - For operations

  /// Memory for a gradient, with unspecified contents.
  func lendGradient(_ count: Int) -> UnsafeMutablePointer<Float> {
    unsafe idleGradients[count]?.popLast() ?? arena.allocate(count)
  }

  /// Takes memory back for the next gradient of as many floats.
  func returnGradient(_ place: UnsafeMutablePointer<Float>, _ count: Int) {
    unsafe idleGradients[count, default: []].append(place)
  }

  /// Leaves a step for the backward pass, the last that reads the gradient of `output`.
  func record(lastFor output: Tensor, _ step: @escaping () -> Void) {
    record {
      step()
      output.endGradient()
    }
  }

  /// Leaves a step for the backward pass.
  func record(_ step: @escaping () -> Void) {
    if isRecording { steps.append(step) }
  }

  /// A new matrix with unspecified values and a gradient of zero.
  public func tensor(rows: Int, columns: Int) -> Tensor {
    let count = rows * columns
    let values = unsafe arena.allocate(count)
    guard isRecording else {
      return unsafe Tensor(rows: rows, columns: columns, values: values, gradient: nil)
    }
    return unsafe Tensor(
      rows: rows, columns: columns, values: values,
      gradient: GradientMemory(count: count, of: self))
  }

  /// A matrix with the given values, for tests and constants.
  public func tensor(rows: Int, columns: Int, values: [Float]) -> Tensor {
    precondition(values.count == rows * columns)
    let result = tensor(rows: rows, columns: columns)
    for index in values.indices { unsafe result.values[index] = values[index] }
    return result
  }

  /// Some rows of data, multiplied by a factor; only a linear operation may read them, and it saves their gradient.
  package func data(_ source: Matrix, rows: ArraySlice<Int>, factor: Float) -> Tensor {
    let columns = source.columns
    let values = unsafe arena.allocate(rows.count * columns)
    unsafe source.values.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      for (place, row) in rows.enumerated() {
        unsafe h2rec_scale(values + place * columns, base + row * columns, factor, columns)
      }
    }
    return unsafe Tensor(rows: rows.count, columns: columns, values: values, gradient: nil)
  }

  /// The dropout of the next operation: its key follows from the stream and the order of the operations.
  func nextDropout(_ rate: Float) -> h2rec_dropout {
    operation += 1
    let key = UInt32(truncatingIfNeeded: keys.bits(operation) >> 32)
    return h2rec_dropout(key: key, rate: dropoutIsOn ? rate : 0)
  }

  func value(_ parameter: Parameter) -> UnsafeMutablePointer<Float> {
    unsafe parameters.base + parameter.offset
  }

  func gradient(_ parameter: Parameter) -> UnsafeMutablePointer<Float> {
    unsafe gradient.base + parameter.offset
  }

  /// Adds numbers to the gradient of a tensor, one for each element.
  func pass(_ numbers: UnsafePointer<Float>, to tensor: Tensor) {
    guard let (elements, adds) = unsafe tensor.gradientToWrite else {
      preconditionFailure("a backward step without a gradient")
    }
    if adds {
      unsafe h2rec_add_scaled(elements, numbers, 1, tensor.count)
    } else {
      unsafe elements.update(from: numbers, count: tensor.count)
    }
  }

  /// The gradient of a tensor in a backward step.
  func grad(_ tensor: Tensor) -> UnsafeMutablePointer<Float> {
    guard let gradient = unsafe tensor.gradient else {
      preconditionFailure("a backward step without a gradient")
    }
    return unsafe gradient
  }
}
