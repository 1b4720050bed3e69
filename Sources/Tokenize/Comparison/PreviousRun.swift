internal import CommandSupport
internal import Dataset
internal import Numerics
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
  /// What the vectors of its items were like; nil for codes without vectors.
  let sketch: SpaceSketch?
  /// The mean squared error of the codes when the codebooks were fitted; nil where that is not known.
  let fitError: Double?

  /// The kind of the shards that hold the item ids.
  static let itemsKind = "coded-items"

  /// Reads the output of an earlier run.
  ///
  /// - Throws: `PipelineError`: `.missingInput` where there is none; `.dataFormat` where it is damaged.
  init(_ directory: String) throws(PipelineError) {
    let input = try StageInput(directory: FilePath(directory), expecting: "tokenize")
    codes = try ItemCodes(input)
    let items = try input.table(Self.itemsKind)
    itemIDs = try items.strings("item_id")
    reference = input.reference
    encoder = CodeEncoder(
      codes, configuration: input.manifest.configuration,
      network: try CodeNetwork(input, levelSizes: codes.levelSizes, width: codes.width))
    isNumbered =
      input.manifest.configuration["collisions"]?.stringValue == CollisionPolicy.append.rawValue
    let rules = TableRules(input, Self.itemsKind)
    try rules.requireRows(itemIDs.count, codes.count, one: "item with codes")
    try rules.requireUnique(itemIDs, "item_id")
    if items.hasColumn(Self.sketchColumn), codes.width > 0 {
      try rules.requireWidth(items, Self.sketchColumn)
      sketch = SpaceSketch(
        bits: try items.fixed(Self.sketchColumn, as: UInt64.self), bitCount: min(64, codes.width))
    } else {
      sketch = nil
    }
    fitError = input.manifest.counters[Self.fitErrorCounter]?.numberValue
    rows = Dictionary(zip(itemIDs, 0...)) { first, _ in first }
  }

  private static let sketchColumn = "sketch"
  /// The name of ``fitError`` among the counters of a manifest.
  static let fitErrorCounter = "fitError"

  /// The table that lets a later run find the codes of an item, and see whether its vectors are of the same space.
  ///
  /// - Parameters:
  ///   - itemIDs: the items.
  ///   - sketch: their vectors in short, with the centre of the codebooks; nil without vectors.
  /// - Returns: the table.
  static func table(_ itemIDs: [String], _ sketch: SpaceSketch?) -> Table {
    Table(
      kind: itemsKind, rowCount: itemIDs.count,
      columns: [.strings("item_id", itemIDs)]
        + (sketch.map { [.fixed(sketchColumn, $0.bits)] } ?? []))
  }

  /// Requires vectors of the space that the codebooks were made in.
  ///
  /// - Parameters:
  ///   - vectors: the vectors of a catalogue.
  ///   - rows: the row of each item in this run; nil for new items.
  ///   - directory: this run, for messages.
  /// - Throws: `PipelineError` `.configuration` if they have another width, or if the items that both know have vectors
  ///   that differ as those of two spaces do.
  func requireSpace(
    _ vectors: Matrix, rows: [Int?], directory: String
  ) throws(PipelineError) {
    try requireWidth(vectors.columns, directory: directory)
    guard let sketch else { return }
    let own = SpaceSketch(vectors.values, center: codes.center)
    guard let agreement = own.agreement(with: sketch, rows: rows) else {
      printWarning(
        "no item is in both runs, so it cannot be seen whether their vectors lie in one space",
        at: directory)
      return
    }
    guard agreement >= SpaceSketch.leastAgreement else {
      throw PipelineError(
        .configuration,
        """
        the vectors of this run lie in another space than those of the previous one: of the items in both, the median one \
        has \(percent(agreement)) of its signs in common, expected \(percent(SpaceSketch.leastAgreement)) or more
        """, at: .init(path: directory),
        note: """
          make vectors from texts with --text-encoder of the run that the codes were made from, take vectors of the same \
          text model, or fit afresh
          """)
    }
  }

  /// The rows that the items of a catalogue had; nil for new ones.
  func rows(of catalogue: Catalogue) -> [Int?] { catalogue.itemIDs.map { rows[$0] } }

  /// - Throws: `PipelineError` `.configuration` if its vectors have another width.
  private func requireWidth(_ width: Int, directory: String) throws(PipelineError) {
    guard codes.width > 0 else {
      throw PipelineError(
        .configuration,
        "the codes of the previous run were imported without item vectors, so they say nothing about vectors",
        at: .init(path: directory), note: "import the codes of the new items as well")
    }
    guard codes.width == width else {
      throw PipelineError(
        .configuration,
        "the vectors of the previous run have \(codes.width) numbers, those of this run \(width)",
        at: .init(path: directory), note: "use the text model of the previous run, or fit afresh")
    }
  }
}
