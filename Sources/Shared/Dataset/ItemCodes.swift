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
  /// The length of a code vector, the width of the text vectors.
  public var width: Int
  /// The number of items that have each code, in the order of ``codebooks``.
  public var usage: [UInt32]
  /// The vector subtracted from every text vector before level 0, length `width`.
  public var center: [Float]
  /// Whether the code vectors live in text space; false for imported codes with vectors of another space.
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
    let space = try input.table(Self.spaceKind)
    let codes = try codesTable.fixed("codes", as: UInt16.self)
    let levelCount = try codesTable.width(of: "codes")
    let sizes = try Self.levelSizes(codebooks, levelCount: levelCount, input)
    let width = try codebooks.width(of: "vector")
    let center = try space.fixed("center", as: Float.self)
    let isTextSpace = try space.fixed("is_text_space", as: UInt8.self)
    guard center.count == width, isTextSpace.count == 1 else {
      throw .outOfRange(input, "the width of the center", found: center.count, limit: width + 1)
    }
    for (index, code) in codes.enumerated() where Int(code) >= sizes[index % levelCount] {
      throw .outOfRange(
        input, "the code of item \(index / levelCount) at level \(index % levelCount)",
        found: Int(code), limit: sizes[index % levelCount])
    }
    self.init(
      levelSizes: sizes, codes: codes,
      codebooks: try codebooks.fixed("vector", as: Float.self), width: width,
      usage: try codebooks.fixed("usage", as: UInt32.self), center: center,
      isTextSpace: isTextSpace[0] != 0)
  }

  /// The sizes of the levels, from rows that must run level by level and code by code.
  private static func levelSizes(
    _ table: Table, levelCount: Int, _ input: StageInput
  ) throws(PipelineError) -> [Int] {
    guard (1...maximumLevelCount).contains(levelCount) else {
      throw .outOfRange(
        input, "the number of levels", found: levelCount, limit: maximumLevelCount + 1)
    }
    let levels = try table.fixed("level", as: UInt8.self)
    let codes = try table.fixed("code", as: UInt16.self)
    var sizes = [Int](repeating: 0, count: levelCount)
    var last = 0
    for (level, code) in zip(levels, codes) {
      guard Int(level) < levelCount, Int(level) >= last, Int(code) == sizes[Int(level)] else {
        throw .outOfRange(
          input, "the codebook row of level \(level)", found: Int(code), limit: levelCount)
      }
      sizes[Int(level)] += 1
      last = Int(level)
    }
    return sizes
  }

  /// The tables of a tokenize output: `codes`, `codebooks` and `space`.
  public var tables: [Table] {
    let rows = levelSizes.enumerated().flatMap { level, size in
      (0..<size).map { (level: UInt8(level), code: UInt16($0)) }
    }
    return [
      Table(
        kind: Self.codesKind, rowCount: count,
        columns: [.fixed("codes", codes, width: levelCount)]),
      Table(
        kind: Self.codebooksKind, rowCount: rows.count,
        columns: [
          .fixed("level", rows.map(\.level)), .fixed("code", rows.map(\.code)),
          .fixed("usage", usage), .fixed("vector", codebooks, width: width),
        ]),
      Table(
        kind: Self.spaceKind, rowCount: 1,
        columns: [
          .fixed("center", center, width: width),
          .fixed("is_text_space", [isTextSpace ? 1 : 0 as UInt8]),
        ]),
    ]
  }
}
