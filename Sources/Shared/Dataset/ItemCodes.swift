public import ShardIO

/// The semantic ids of all items and the codebooks behind them.
///
/// M levels; level m has `levelSizes[m]` codes. Items may share a full tuple.
public struct ItemCodes: Sendable, Equatable {
  /// The number of codes of each level.
  public var levelSizes: [Int]
  /// The codes, shape `[items, M]`, row-major.
  public var codes: [UInt16]
  /// The code vectors of all levels one after another, shape `[sum of levelSizes, width]`, in centred text space.
  public var codebooks: [Float]
  /// The length of a code vector, the width of the text vectors; 0 for codes without vectors.
  public var width: Int
  /// The number of items that have each code, in the order of ``codebooks``.
  public var usage: [UInt32]
  /// The vector subtracted from every text vector before level 0, length `width`.
  public var center: [Float]
  /// Whether the code vectors live in text space; false for vectors of another space, and without vectors.
  public var isTextSpace: Bool

  /// Creates codes from their parts.
  ///
  /// - Precondition: the shapes fit together and every code is below its level's size.
  public init(
    levelSizes: [Int], codes: [UInt16], codebooks: [Float], width: Int, usage: [UInt32],
    center: [Float], isTextSpace: Bool = true
  ) {
    let codeCount = levelSizes.reduce(0, +)
    precondition(!levelSizes.isEmpty && codes.count.isMultiple(of: levelSizes.count), "codes shape")
    precondition(codebooks.count == codeCount * width && usage.count == codeCount, "codebook shape")
    precondition(center.count == width, "center shape")
    self.levelSizes = levelSizes
    self.codes = codes
    self.codebooks = codebooks
    self.width = width
    self.usage = usage
    self.center = center
    self.isTextSpace = isTextSpace
  }

  /// M, the number of levels.
  public var levelCount: Int { levelSizes.count }

  /// The number of items.
  public var count: Int { codes.count / levelCount }

  /// The tuple of an item, M codes from the coarsest level on.
  public func tuple(of item: Int) -> ArraySlice<UInt16> {
    codes[item * levelCount..<(item + 1) * levelCount]
  }

  /// The index of the first row of a level in ``codebooks``.
  public func firstRow(of level: Int) -> Int { levelSizes[..<level].reduce(0, +) }
}

extension ItemCodes {
  /// The most levels a code may have.
  public static let maximumLevelCount = 64
  private static let codesKind = "codes"
  private static let codebooksKind = "codebooks"
  private static let spaceKind = "space"

  /// Reads the codes of a tokenize output.
  ///
  /// - Throws: `PipelineError`: `.dataFormat` if the tables are missing, damaged or do not fit together.
  public init(_ input: StageInput) throws(PipelineError) {
    let codesTable = try input.table(Self.codesKind)
    let codebooks = try input.table(Self.codebooksKind)
    let codes = try codesTable.fixed("codes", as: UInt16.self)
    let levelCount = try codesTable.width(of: "codes")
    let sizes = try Self.levelSizes(codebooks, levelCount: levelCount, input)
    let usage = try codebooks.fixed("usage", as: UInt32.self)
    let rules = (
      codes: TableRules(input, Self.codesKind), codebooks: TableRules(input, Self.codebooksKind)
    )
    try rules.codebooks.requireWidth(codebooks, "usage")
    guard codesTable.rowCount > 0 else {
      throw rules.codes.broken("no rows", expected: "one for each item")
    }
    for (index, code) in codes.enumerated() where Int(code) >= sizes[index % levelCount] {
      throw rules.codes.broken(
        "code \(code) of level \(index % levelCount + 1)", row: index / levelCount,
        expected: "a number below \(sizes[index % levelCount]), the number of its codes")
    }
    try Self.requireUsage(usage, codes, sizes, rules.codebooks)
    guard input.hasTable(Self.spaceKind) else {
      guard !codebooks.hasColumn("vector") else {
        throw rules.codebooks.broken(
          "a column 'vector'", expected: "none, since there is no table '\(Self.spaceKind)'")
      }
      self.init(
        levelSizes: sizes, codes: codes, codebooks: [], width: 0, usage: usage, center: [],
        isTextSpace: false)
      return
    }
    let space = try Self.space(input, codebooks)
    self.init(
      levelSizes: sizes, codes: codes, codebooks: space.vectors, width: space.center.count,
      usage: usage, center: space.center, isTextSpace: space.isText)
  }

  /// The code vectors and what they are differences from.
  private static func space(
    _ input: StageInput, _ codebooks: Table
  ) throws(PipelineError) -> (vectors: [Float], center: [Float], isText: Bool) {
    let space = try input.table(spaceKind)
    let width = try codebooks.width(of: "vector")
    let vectors = try codebooks.fixed("vector", as: Float.self)
    let center = try space.fixed("center", as: Float.self)
    let rules = TableRules(input, spaceKind)
    try rules.requireRows(space.rowCount, 1, one: "output")
    try rules.requireWidth(space, "center", width)
    try rules.requireFinite(center, width: width, "center", limit: TableRules.largestElement)
    let isTextSpace = try rules.flags(space, "is_text_space")
    try TableRules(input, codebooksKind).requireFinite(
      vectors, width: width, "vector", limit: 2 * TableRules.largestElement)
    return (vectors, center, isTextSpace[0])
  }

  /// Usage that counts the items with each code.
  private static func requireUsage(
    _ usage: [UInt32], _ codes: [UInt16], _ sizes: [Int], _ rules: TableRules
  ) throws(PipelineError) {
    var counts = [UInt32](repeating: 0, count: usage.count)
    let firsts = sizes.indices.map { sizes[..<$0].reduce(0, +) }
    for (index, code) in codes.enumerated() {
      counts[firsts[index % sizes.count] + Int(code)] += 1
    }
    if let row = counts.indices.first(where: { counts[$0] != usage[$0] }) {
      throw rules.broken(
        "\(usage[row]) in 'usage'", row: row,
        expected: "\(counts[row]), the items with this code")
    }
  }

  /// Requires the codes of as many items as there are, in the space of their vectors.
  ///
  /// - Parameters:
  ///   - input: the output that the codes came from.
  ///   - itemCount: the items of the preprocess output.
  ///   - vectors: their vectors; nil where none were read.
  /// - Throws: `PipelineError` `.dataFormat`.
  public func requireFit(
    _ input: StageInput, itemCount: Int, vectors: ItemVectors?
  ) throws(PipelineError) {
    try TableRules(input, Self.codesKind).requireRows(count, itemCount, one: "item")
    if isTextSpace, let vectors, vectors.width != width {
      throw TableRules(input, Self.codebooksKind).broken(
        "vectors of \(width) numbers", expected: "\(vectors.width), the width of the item vectors")
    }
  }

  /// The sizes of the levels, from rows that must run level by level and code by code.
  private static func levelSizes(
    _ table: Table, levelCount: Int, _ input: StageInput
  ) throws(PipelineError) -> [Int] {
    let rules = TableRules(input, codebooksKind)
    guard (1...maximumLevelCount).contains(levelCount) else {
      throw TableRules(input, codesKind).broken(
        "\(levelCount) levels", expected: "1 to \(maximumLevelCount)")
    }
    for column in ["level", "code"] { try rules.requireWidth(table, column) }
    let levels = try table.fixed("level", as: UInt8.self)
    let codes = try table.fixed("code", as: UInt16.self)
    var sizes = [Int](repeating: 0, count: levelCount)
    var last = 0
    for (row, (level, code)) in zip(levels, codes).enumerated() {
      guard Int(level) < levelCount, Int(level) >= last, Int(code) == sizes[Int(level)] else {
        throw rules.broken(
          "code \(code) of level \(level)", row: row,
          expected: "rows level by level and code by code, each from 0")
      }
      sizes[Int(level)] += 1
      last = Int(level)
    }
    if let level = sizes.firstIndex(of: 0) {
      throw rules.broken("no code of level \(level)", expected: "one or more for each level")
    }
    return sizes
  }

  /// The tables of a tokenize output: `codes`, `codebooks` and, for codes with vectors, `space`.
  public var tables: [Table] {
    let rows = levelSizes.enumerated().flatMap { level, size in
      (0..<size).map { (level: UInt8(level), code: UInt16($0)) }
    }
    let codesTable = Table(
      kind: Self.codesKind, rowCount: count, columns: [.fixed("codes", codes, width: levelCount)])
    let columns: [Column] = [
      .fixed("level", rows.map(\.level)), .fixed("code", rows.map(\.code)),
      .fixed("usage", usage),
    ]
    guard width > 0 else {
      return [
        codesTable, Table(kind: Self.codebooksKind, rowCount: rows.count, columns: columns),
      ]
    }
    return [
      codesTable,
      Table(
        kind: Self.codebooksKind, rowCount: rows.count,
        columns: columns + [.fixed("vector", codebooks, width: width)]),
      Table(
        kind: Self.spaceKind, rowCount: 1,
        columns: [
          .fixed("center", center, width: width),
          .fixed("is_text_space", [isTextSpace ? 1 : 0 as UInt8]),
        ]),
    ]
  }
}
