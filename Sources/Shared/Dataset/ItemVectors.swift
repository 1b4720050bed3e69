public import ShardIO

/// One vector an item, in text space.
public struct ItemVectors: Sendable, Equatable {
  /// The numbers, shape `[items, width]`, row-major.
  public var values: [Float]
  /// The length of a vector.
  public var width: Int

  /// Creates vectors from a row-major block.
  ///
  /// - Precondition: `width` is positive and `values.count` is a multiple of it.
  public init(values: [Float], width: Int) {
    precondition(width > 0 && values.count.isMultiple(of: width), "rows of unequal width")
    self.values = values
    self.width = width
  }

  /// The number of vectors.
  public var count: Int { values.count / width }
}

extension ItemVectors {
  /// The kind of the shards that hold vectors.
  public static let tableKind = "vectors"

  /// Reads the vectors of a preprocess output.
  ///
  /// - Throws: `PipelineError`: `.dataFormat` if the column is missing, or a number is not finite or above 10¹⁵ in magnitude.
  public init(_ input: StageInput) throws(PipelineError) {
    let table = try input.table(Self.tableKind)
    let width = try table.width(of: "vector")
    let values = try table.fixed("vector", as: Float.self)
    try TableRules(input, Self.tableKind).requireFinite(
      values, width: width, "vector", limit: TableRules.largestElement)
    self.init(values: values, width: width)
  }

  /// The vectors as a table of kind `vectors`, row = item.
  public var table: Table {
    Table(
      kind: Self.tableKind, rowCount: count, columns: [.fixed("vector", values, width: width)])
  }
}
