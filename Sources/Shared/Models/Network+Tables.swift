internal import Dataset
internal import Numerics
public import ShardIO
internal import Tape

extension Network {
  private static let parametersKind = "parameters"
  private static let hashKind = "hash-vectors"
  private static let codesKind = "code-vectors"

  /// Everything that was learned, as tables: `parameters` (name, shape, values), and where they exist `hash-vectors`
  /// (row = item) and `code-vectors` (row = code, level by level).
  public var savedTables: [Table] {
    let shapes = layout.entries.map {
      [UInt32($0.parameter.rows), UInt32($0.parameter.columns)]
    }
    let values = layout.entries.map {
      parameters.array($0.parameter.offset..<$0.parameter.offset + $0.parameter.count)
    }
    var result = [
      Table(
        kind: Self.parametersKind, rowCount: layout.entries.count,
        columns: [
          .strings("name", layout.entries.map(\.name)), .ragged("shape", RaggedArray(shapes)),
          .ragged("values", RaggedArray(values)),
        ])
    ]
    for (kind, table) in [(Self.hashKind, hash), (Self.codesKind, codes)] {
      guard let table else { continue }
      result.append(
        Table(
          kind: kind, rowCount: table.count,
          columns: [.fixed("vector", table.values.array, width: table.width)]))
    }
    return result
  }

  /// Reads what ``savedTables`` wrote.
  ///
  /// - Throws: `PipelineError`: `.dataFormat` if names, shapes or sizes are not this network's.
  public func load(_ input: StageInput) throws(PipelineError) {
    let table = try input.table(Self.parametersKind)
    let names = try table.strings("name")
    let shapes = try table.ragged("shape", as: UInt32.self)
    let values = try table.ragged("values", as: Float.self)
    try TableRules(input, Self.parametersKind).requireFinite(values, "values")
    guard names == layout.entries.map(\.name) else {
      throw mismatch(input, "the parameters have other names than this network's")
    }
    for (index, entry) in layout.entries.enumerated() {
      guard
        shapes[index].map(Int.init) == [entry.parameter.rows, entry.parameter.columns],
        values[index].count == entry.parameter.count
      else {
        throw mismatch(
          input,
          "parameter '\(entry.name)' has \(values[index].count) values of shape \(Array(shapes[index])), "
            + "expected \(entry.parameter.count) of [\(entry.parameter.rows), \(entry.parameter.columns)]"
        )
      }
      parameters.set(Array(values[index]), at: entry.parameter.offset)
    }
    try load(hash, from: Self.hashKind, input)
    try load(codes, from: Self.codesKind, input)
  }

  private func load(
    _ table: EmbeddingTable?, from kind: String, _ input: StageInput
  ) throws(PipelineError) {
    guard let table else { return }
    let saved = try input.table(kind)
    guard saved.rowCount == table.count, try saved.width(of: "vector") == table.width else {
      throw mismatch(
        input, "'\(kind)' has \(saved.rowCount) rows, expected \(table.count) of \(table.width)")
    }
    let values = try saved.fixed("vector", as: Float.self)
    try TableRules(input, kind).requireFinite(values, width: table.width, "vector")
    table.values.set(values)
  }

  /// Requires tables as large as the configuration says, before memory is taken for what it says.
  ///
  /// - Throws: `PipelineError` `.dataFormat`.
  static func requireSizes(
    _ hyper: Hyperparameters, itemCount: Int, _ input: StageInput
  ) throws(PipelineError) {
    let table = try input.table(parametersKind)
    let shapes = try table.ragged("shape", as: UInt32.self)
    let rules = TableRules(input, parametersKind)
    guard shapes.count > 0, shapes[0].map(Int.init) == [hyper.maxLength, hyper.dimension] else {
      throw rules.broken(
        "a first parameter of another shape", row: 0,
        expected: "[maxLength, dimension] = [\(hyper.maxLength), \(hyper.dimension)]")
    }
    guard hyper.layerCount <= shapes.count else {
      throw rules.broken(
        "\(shapes.count) parameters", expected: "some for each of \(hyper.layerCount) layers")
    }
    let sizes = [
      (hashKind, hyper.hasHash, itemCount),
      (codesKind, hyper.hasCodes, hyper.levelSizes.reduce(0, +)),
    ]
    for (kind, isThere, count) in sizes where isThere {
      let saved = try input.table(kind)
      try TableRules(input, kind).requireRows(
        saved.rowCount, count, one: kind == hashKind ? "item" : "code")
      try TableRules(input, kind).requireWidth(saved, "vector", hyper.dimension)
    }
  }

  private func mismatch(_ input: StageInput, _ problem: String) -> PipelineError {
    PipelineError(
      .dataFormat, problem, at: .init(path: "\(input.directory)"),
      note: "the model belongs to other codes or to another version; train again")
  }

  /// The name of the first parameter or table that holds a NaN or an infinity, or nil.
  public var firstNotFinite: String? {
    for entry in layout.entries {
      let range = entry.parameter.offset..<entry.parameter.offset + entry.parameter.count
      if parameters.array(range).contains(where: { !$0.isFinite }) { return entry.name }
    }
    if let hash, !hash.values.isFinite { return Self.hashKind }
    if let codes, !codes.values.isFinite { return Self.codesKind }
    return nil
  }
}
