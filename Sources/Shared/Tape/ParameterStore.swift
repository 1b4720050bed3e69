public import Numerics

/// Everything that a network learns: named dense parameters in one flat block, and named tables whose rows are touched one by one.
///
/// Parts of a network declare what they need; ``seal()`` then allocates the block. Saving, checkpoints, Adam, averages and checks for
/// divergence go over the store and know no network.
///
/// `@unchecked Sendable`: declared by one thread, then written only between the parallel regions of a step (see `AlignedBuffer`).
public final class ParameterStore: @unchecked Sendable {
  /// A named dense parameter.
  public struct Entry: Sendable {
    /// Dotted path, for example `encoder.0.query.weight`.
    public let name: String
    /// Its place in the block, and its shape.
    public let parameter: Parameter
    /// Its initialisation.
    public let initialization: Initialization
  }

  /// A named row-sparse table.
  public struct NamedTable: Sendable {
    /// Lower case with dashes, for example `hash`.
    public let name: String
    /// The rows.
    public let table: EmbeddingTable
  }

  /// All dense parameters, in the order of the block.
  public private(set) var entries: [Entry] = []
  /// All tables, in the order of their declaration.
  public private(set) var namedTables: [NamedTable] = []
  /// Floats in the block; every parameter begins at a multiple of 16.
  public private(set) var count = 0
  private var block: AlignedBuffer?

  /// Creates a store of nothing.
  public init() {}

  /// Declares a dense parameter.
  ///
  /// - Precondition: the store is not sealed, and the name is new.
  public func add(
    _ name: String, _ rows: Int, _ columns: Int, _ initialization: Initialization
  ) -> Parameter {
    precondition(block == nil, "a parameter is declared after the store was sealed")
    precondition(self[name] == nil, "there are two parameters '\(name)'")
    let parameter = Parameter(offset: count, rows: rows, columns: columns)
    entries.append(Entry(name: name, parameter: parameter, initialization: initialization))
    count += (rows * columns + 15) & ~15
    return parameter
  }

  /// Declares a weight matrix `[outputs, inputs]` with Glorot and Bengio's initialisation.
  public func addWeight(_ name: String, _ outputs: Int, _ inputs: Int) -> Parameter {
    add(name, outputs, inputs, .xavier(fanIn: inputs, fanOut: outputs))
  }

  /// Declares a table of zeros, `[rows, width]`.
  public func addTable(_ name: String, rows: Int, width: Int) -> EmbeddingTable {
    precondition(!namedTables.contains { $0.name == name }, "there are two tables '\(name)'")
    let table = EmbeddingTable(count: rows, width: width)
    namedTables.append(NamedTable(name: name, table: table))
    return table
  }

  /// Allocates the block of zeros: everything is declared.
  public func seal() {
    precondition(block == nil, "the store is sealed twice")
    block = AlignedBuffer(count: count)
  }

  /// The dense parameters, one after another.
  ///
  /// - Precondition: the store is sealed.
  public var values: AlignedBuffer {
    guard let block else { preconditionFailure("the store is not sealed") }
    return block
  }

  /// All tables.
  public var tables: [EmbeddingTable] { namedTables.map(\.table) }

  /// The dense parameter of a name.
  public subscript(name: String) -> Parameter? { entries.first { $0.name == name }?.parameter }

  /// The table of a name.
  public func table(_ name: String) -> EmbeddingTable? {
    namedTables.first { $0.name == name }?.table
  }

  /// The values of a dense parameter, row by row.
  public func array(of parameter: Parameter) -> [Float] {
    values.array(parameter.offset..<parameter.offset + parameter.count)
  }

  /// Initialises all dense parameters; each has a random stream of its own.
  public func initialize(random: CounterRandom) {
    for (index, entry) in entries.enumerated() {
      let stream = random.substream(UInt64(index))
      values.set(
        entry.initialization.values(entry.parameter.count, stream), at: entry.parameter.offset)
    }
  }

  /// The name of the first parameter or table that holds a NaN or an infinity, or nil.
  public var firstNotFinite: String? {
    for entry in entries where !array(of: entry.parameter).allSatisfy(\.isFinite) {
      return entry.name
    }
    return namedTables.first { !$0.table.values.isFinite }.map { "\($0.name)-vectors" }
  }

  /// The dense parameters and the tables.
  public var stateBlocks: [StateBlock] {
    // Every parameter begins at a multiple of 16 floats.
    [StateBlock("parameters", values, width: 16)]
      + namedTables.map { StateBlock($0.name, $0.table.values, width: $0.table.width) }
  }
}

extension Initialization {
  /// Gives a table its initial values.
  package func fill(_ table: EmbeddingTable, _ random: CounterRandom) {
    table.values.set(values(table.count * table.width, random))
  }
}

/// The values of a parameter before the first step.
public enum Initialization: Sendable {
  /// Zeros.
  case zero
  /// Ones.
  case one
  /// Normal with the standard deviation `√(2 / (fanIn + fanOut))` (Glorot and Bengio 2010).
  case xavier(fanIn: Int, fanOut: Int)
  /// Normal with a standard deviation.
  case normal(Double)
  /// Uniform in ±`1 / √fanIn`, PyTorch's initialisation of a bias.
  case uniform(fanIn: Int)

  /// The values of `count` elements.
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
