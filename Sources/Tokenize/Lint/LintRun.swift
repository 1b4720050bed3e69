internal import CommandSupport
internal import Dataset
internal import Numerics
internal import ShardIO
internal import SystemPackage

/// Checks codes that exist already, and writes nothing.
struct LintRun {
  /// A file of codes that ends in .csv or .json, or a directory written by this program.
  let path: String
  /// A directory written by h2rec-preprocess, for the limits that need categories or vectors; nil for none.
  let data: String?
  let limits: LintLimits

  /// Prints the counts as one JSON line.
  ///
  /// - Throws: as ``result()``.
  func run() throws(PipelineError) {
    let line = try result().json(isPretty: false)
    try printResult(String(decoding: line, as: UTF8.self))
  }

  /// The counts.
  ///
  /// - Throws: `PipelineError` `.dataFormat` if the codes do not keep to the limits, `.configuration` if one of these
  ///   cannot be checked.
  func result() throws(PipelineError) -> JSONValue {
    let codes = try CodeList(path)
    let statistics = CodeStatistics(codes.codes, levelSizes: codes.levelSizes)
    var members = statistics.jsonMembers
    var purities: [Double]?
    var duplicateShare: Double?
    if let data {
      let input = try StageInput(directory: FilePath(data), expecting: "preprocess")
      let catalogue = try Catalogue(input)
      try limits.requireGrounds(
        data, hasVectors: input.hasTable(ItemVectors.tableKind),
        hasCategories: catalogue.categories.contains { !$0.isEmpty })
      let categories = Dictionary(
        uniqueKeysWithValues: zip(catalogue.itemIDs, catalogue.categories))
      let known = codes.itemIDs.count { categories[$0] != nil }
      members["unknownItems"] = JSONValue(codes.itemIDs.count - known)
      members["itemsWithoutCodes"] = JSONValue(catalogue.count - known)
      purities = prefixPurities(
        codes.codes, levelCount: codes.levelSizes.count, codes.itemIDs.map { categories[$0] ?? [] })
      if input.hasTable(ItemVectors.tableKind) {
        let vectors = try ItemVectors(input)
        try TableRules(input, ItemVectors.tableKind).requireRows(
          vectors.count, catalogue.count, one: "item")
        let count = duplicateVectorCount(
          Matrix(rows: vectors.count, columns: vectors.width, values: vectors.values))
        duplicateShare = Double(count) / Double(max(1, vectors.count))
      }
    }
    let findings = limits.findings(
      statistics, duplicateShare: duplicateShare, purity: purities?.first,
      isNumbered: codes.isNumbered)
    guard findings.isEmpty else { throw .badCodes(findings, path) }
    members["lint"] = .string(path)
    members["stage"] = "tokenize"
    members["prefixPurities"] = purities.map { .array($0.map { JSONValue($0) }) }
    members["duplicateShare"] = duplicateShare.map { JSONValue($0) }
    return .object(members)
  }
}

/// Codes from anywhere.
private struct CodeList {
  let itemIDs: [String]
  let codes: [UInt16]
  let levelSizes: [Int]
  /// Whether the last level only numbers equal codes; not known of a file.
  let isNumbered: Bool

  init(_ path: String) throws(PipelineError) {
    if ForeignCodes.extensions.contains(FilePath(path).extension ?? "") {
      let foreign = try ForeignCodes(path)
      (itemIDs, codes, levelSizes) = (foreign.itemIDs, foreign.codes, foreign.levelSizes)
      isNumbered = false
    } else {
      let previous = try PreviousRun(path)
      itemIDs = previous.itemIDs
      (codes, levelSizes) = (previous.codes.codes, previous.codes.levelSizes)
      isNumbered = previous.isNumbered
    }
  }
}
