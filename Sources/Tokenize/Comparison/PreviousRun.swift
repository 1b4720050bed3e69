internal import Dataset
internal import ShardIO
internal import SystemPackage

/// The tokenizer and the codes of an earlier run, by the ids of its items.
struct PreviousRun: Sendable {
  let codes: ItemCodes
  let itemIDs: [String]
  /// The frozen tokenizer.
  let encoder: CodeEncoder
  let reference: StageReference
  /// Whether the last level is a number that tells items with equal codes apart.
  let isNumbered: Bool
  /// The row of each item.
  let rows: [String: Int]

  /// The kind of the shards that hold the item ids.
  static let itemsKind = "coded-items"

  /// Reads the output of an earlier run.
  ///
  /// - Throws: `PipelineError`: `.missingInput` where there is none; `.dataFormat` where it is damaged.
  init(_ directory: String) throws(PipelineError) {
    let input = try StageInput(directory: FilePath(directory), expecting: "tokenize")
    codes = try ItemCodes(input)
    itemIDs = try input.table(Self.itemsKind).strings("item_id")
    reference = input.reference
    encoder = CodeEncoder(
      codes, configuration: input.manifest.configuration,
      network: try CodeNetwork(input, levelSizes: codes.levelSizes, width: codes.width))
    isNumbered =
      input.manifest.configuration["collisions"]?.stringValue == CollisionPolicy.append.rawValue
    let rules = TableRules(input, Self.itemsKind)
    try rules.requireRows(itemIDs.count, codes.count, one: "item with codes")
    try rules.requireUnique(itemIDs, "item_id")
    rows = Dictionary(zip(itemIDs, 0...)) { first, _ in first }
  }

  /// The table that lets a later run find the codes of an item.
  static func table(_ itemIDs: [String]) -> Table {
    Table(kind: itemsKind, rowCount: itemIDs.count, columns: [.strings("item_id", itemIDs)])
  }

  /// The rows that the items of a catalogue had; nil for new ones.
  func rows(of catalogue: Catalogue) -> [Int?] { catalogue.itemIDs.map { rows[$0] } }

  /// - Throws: `PipelineError` `.configuration` if its vectors have another width.
  func requireWidth(_ width: Int, directory: String) throws(PipelineError) {
    guard codes.width == width else {
      throw PipelineError(
        .configuration,
        "the vectors of the previous run have \(codes.width) numbers, those of this run \(width)",
        at: .init(path: directory), note: "use the text model of the previous run, or fit afresh")
    }
  }
}
