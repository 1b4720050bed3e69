public import Numerics
public import Tape

/// Where each dense parameter lies in the flat block, and how it starts.
public struct ParameterLayout: Sendable {
  /// How a parameter starts.
  public enum Start: Sendable {
    /// Zeros.
    case zero
    /// Ones.
    case one
    /// Normal with the standard deviation `√(2 / (fanIn + fanOut))` (Glorot and Bengio 2010).
    case xavier(fanIn: Int, fanOut: Int)
    /// Normal with a standard deviation.
    case normal(Double)
    /// Uniform in ±`1 / √fanIn`, PyTorch's start of a bias.
    case uniform(fanIn: Int)
  }

  /// A named parameter.
  public struct Entry: Sendable {
    /// Dotted path, for example `encoder.0.query.weight`.
    public let name: String
    /// Its place and shape.
    public let parameter: Parameter
    /// How it starts.
    public let start: Start
  }

  /// All parameters, in the order of the block.
  public private(set) var entries: [Entry] = []
  /// Floats in the block; every parameter starts at a multiple of 16.
  public private(set) var count = 0

  /// Creates an empty layout.
  public init() {}

  /// Adds a parameter at the end.
  public mutating func add(
    _ name: String, _ rows: Int, _ columns: Int, _ start: Start
  ) -> Parameter {
    let parameter = Parameter(offset: count, rows: rows, columns: columns)
    entries.append(Entry(name: name, parameter: parameter, start: start))
    count += (rows * columns + 15) & ~15
    return parameter
  }

  /// Adds a weight matrix `[outputs, inputs]` with Xavier's start.
  public mutating func addWeight(_ name: String, _ outputs: Int, _ inputs: Int) -> Parameter {
    add(name, outputs, inputs, .xavier(fanIn: inputs, fanOut: outputs))
  }

  /// The parameter of a name.
  public subscript(name: String) -> Parameter? {
    entries.first { $0.name == name }?.parameter
  }

  /// Writes the start values of all parameters; each parameter has a random stream of its own.
  public func initialize(_ block: AlignedBuffer, random: CounterRandom) {
    for (index, entry) in entries.enumerated() {
      let stream = random.substream(UInt64(index))
      block.set(entry.start.values(entry.parameter.count, stream), at: entry.parameter.offset)
    }
  }
}

extension ParameterLayout.Start {
  /// The start values of `count` elements.
  public func values(_ count: Int, _ random: CounterRandom) -> [Float] {
    switch self {
    case .zero: Array(repeating: 0, count: count)
    case .one: Array(repeating: 1, count: count)
    case .xavier(let fanIn, let fanOut):
      Self.normal((2 / Double(fanIn + fanOut)).squareRoot()).values(count, random)
    case .normal(let deviation):
      (0..<count).map { Float(deviation * random.normal(UInt64($0))) }
    case .uniform(let fanIn):
      (0..<count).map {
        Float((2 * random.uniform(UInt64($0)) - 1) / Double(fanIn).squareRoot())
      }
    }
  }
}
