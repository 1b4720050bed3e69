internal import Dataset
internal import Numerics
public import ShardIO
public import Tape

private let parametersKind = "parameters"

extension ParameterStore {
  /// Everything that was learned, as tables: `parameters` (name, shape, values), and for each table a `NAME-vectors`.
  public var savedTables: [Table] {
    let shapes = entries.map { [UInt32($0.parameter.rows), UInt32($0.parameter.columns)] }
    let dense = Table(
      kind: parametersKind, rowCount: entries.count,
      columns: [
        .strings("name", entries.map(\.name)), .ragged("shape", RaggedArray(shapes)),
        .ragged("values", RaggedArray(entries.map { array(of: $0.parameter) })),
      ])
    return [dense]
      + namedTables.map {
        Table(
          kind: "\($0.name)-vectors", rowCount: $0.table.count,
          columns: [.fixed("vector", $0.table.values.array, width: $0.table.width)])
      }
  }

  /// Reads what ``savedTables`` wrote.
  ///
  /// - Throws: `PipelineError`: `.dataFormat` if names, shapes or sizes are not this store's.
  public func load(_ input: StageInput) throws(PipelineError) {
    let table = try input.table(parametersKind)
    let names = try table.strings("name")
    let shapes = try table.ragged("shape", as: UInt32.self)
    let saved = try table.ragged("values", as: Float.self)
    try TableRules(input, parametersKind).requireFinite(saved, "values")
    guard names == entries.map(\.name) else {
      throw Self.mismatch(input, "the parameters have other names than this model's")
    }
    for (index, entry) in entries.enumerated() {
      let shape = [entry.parameter.rows, entry.parameter.columns]
      guard shapes[index].map(Int.init) == shape, saved[index].count == entry.parameter.count
      else {
        throw Self.mismatch(
          input,
          "parameter '\(entry.name)' has \(saved[index].count) values of shape \(Array(shapes[index])), "
            + "expected \(entry.parameter.count) of \(shape)")
      }
      values.set(Array(saved[index]), at: entry.parameter.offset)
    }
    for named in namedTables { try load(named, input) }
  }

  private func load(_ named: NamedTable, _ input: StageInput) throws(PipelineError) {
    let kind = "\(named.name)-vectors"
    let saved = try input.table(kind)
    guard saved.rowCount == named.table.count,
      try saved.width(of: "vector") == named.table.width
    else {
      throw Self.mismatch(
        input,
        "'\(kind)' has \(saved.rowCount) rows, expected \(named.table.count) of \(named.table.width)"
      )
    }
    let vectors = try saved.fixed("vector", as: Float.self)
    try TableRules(input, kind).requireFinite(vectors, width: named.table.width, "vector")
    named.table.values.set(vectors)
  }

  /// Requires vectors as wide as the configuration says, before memory is taken for what it says.
  ///
  /// - Parameters:
  ///   - width: d, as the configuration says it.
  ///   - input: the output of the train stage.
  /// - Throws: `PipelineError` `.dataFormat`.
  static func requireWidth(_ width: Int, _ input: StageInput) throws(PipelineError) {
    for kind in ["hash-vectors", "code-vectors", "text-item-vectors", "prefix-vectors"]
    where input.hasTable(kind) {
      try TableRules(input, kind).requireWidth(try input.table(kind), "vector", width)
    }
  }

  /// Requires as many rows for prefixes of codes as the configuration says, before memory is taken for them.
  ///
  /// - Parameters:
  ///   - count: as the configuration says it.
  ///   - input: the output of the train stage.
  /// - Throws: `PipelineError` `.dataFormat`.
  static func requirePrefixRows(_ count: Int, _ input: StageInput) throws(PipelineError) {
    let kind = "prefix-vectors"
    let found = try input.table(kind).rowCount
    guard found == count else {
      throw TableRules(input, kind).broken("\(found) rows", expected: "\(count)")
    }
  }

  /// The width of the text vectors that a model was trained with.
  ///
  /// - Parameter input: the output of the train stage.
  /// - Returns: the columns of the first parameter that reads them; nil where a model has none.
  /// - Throws: `PipelineError` `.dataFormat` where that is no width.
  static func textWidth(of input: StageInput) throws(PipelineError) -> Int? {
    let table = try input.table(parametersKind)
    let shapes = try table.ragged("shape", as: UInt32.self)
    for (row, name) in try table.strings("name").enumerated() where name.hasPrefix("adapter.") {
      guard shapes[row].count == 2, let width = shapes[row].last, (1...65_536).contains(width)
      else {
        throw TableRules(input, parametersKind).broken(
          "a shape of \(Array(shapes[row]))", row: row, expected: "rows, and at most 65,536 columns"
        )
      }
      return Int(width)
    }
    return nil
  }

  private static func mismatch(_ input: StageInput, _ problem: String) -> PipelineError {
    PipelineError(
      .dataFormat, problem, at: .init(path: "\(input.directory)"),
      note: "the model belongs to other codes or to another version; train again")
  }
}
