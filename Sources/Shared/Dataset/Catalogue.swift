public import ShardIO

/// What is known of every item, one entry an item, in the order of the dense item ids.
///
/// Popularity is counted on train interactions only, so nothing here has seen a held-out event.
public struct Catalogue: Sendable, Equatable {
  /// The ids of the user's own data.
  public var itemIDs: [String]
  /// The titles; empty where the item file had none.
  public var titles: [String]
  /// The categories, from the most general to the most specific.
  public var categories: [[String]]
  /// The texts that describe the items, made by the text template.
  public var texts: [String]
  /// The number of train interactions.
  public var trainCounts: [UInt32]
  /// Whether the item belongs to the most popular ones by share of the items.
  public var isHead: [Bool]
  /// Whether the item has fewer train interactions than the tail threshold.
  public var isTail: [Bool]
  /// The popularity bucket, see ``PopularityBucket``.
  public var buckets: [PopularityBucket]

  /// Creates a catalogue from its columns, which have one entry an item.
  ///
  /// - Precondition: all columns are equally long.
  public init(
    itemIDs: [String], titles: [String], categories: [[String]], texts: [String],
    trainCounts: [UInt32], isHead: [Bool], isTail: [Bool], buckets: [PopularityBucket]
  ) {
    let counts = [
      titles.count, categories.count, texts.count, trainCounts.count, isHead.count, isTail.count,
      buckets.count,
    ]
    precondition(counts.allSatisfy { $0 == itemIDs.count }, "columns of different length")
    self.itemIDs = itemIDs
    self.titles = titles
    self.categories = categories
    self.texts = texts
    self.trainCounts = trainCounts
    self.isHead = isHead
    self.isTail = isTail
    self.buckets = buckets
  }

  /// The number of items.
  public var count: Int { itemIDs.count }
}

extension Catalogue {
  /// The kind of the shards that hold a catalogue.
  public static let tableKind = "items"

  /// Reads the catalogue of a preprocess output.
  ///
  /// - Throws: `PipelineError`: `.dataFormat` if a column is missing or holds a value out of range.
  public init(_ input: StageInput) throws(PipelineError) {
    let table = try input.table(Self.tableKind)
    let rules = TableRules(input, Self.tableKind)
    guard table.rowCount > 0 else { throw rules.broken("no rows", expected: "one for each item") }
    let itemIDs = try table.strings("item_id")
    try rules.requireUnique(itemIDs, "item_id")
    let rawBuckets = try table.fixed("bucket", as: UInt8.self)
    for column in ["bucket", "train_count"] { try rules.requireWidth(table, column) }
    var buckets: [PopularityBucket] = []
    buckets.reserveCapacity(rawBuckets.count)
    for (item, value) in rawBuckets.enumerated() {
      guard let bucket = PopularityBucket(rawValue: value) else {
        throw rules.broken("\(value) in 'bucket'", row: item, expected: "a number from 0 to 5")
      }
      buckets.append(bucket)
    }
    self.init(
      itemIDs: itemIDs, titles: try table.strings("title"),
      categories: try table.stringLists("categories"), texts: try table.strings("text"),
      trainCounts: try table.fixed("train_count", as: UInt32.self),
      isHead: try rules.flags(table, "is_head"), isTail: try rules.flags(table, "is_tail"),
      buckets: buckets)
  }

  /// The catalogue as a table of kind `items`, row = item.
  public var table: Table {
    Table(
      kind: Self.tableKind, rowCount: count,
      columns: [
        .strings("item_id", itemIDs), .strings("title", titles),
        .stringLists("categories", categories), .strings("text", texts),
        .fixed("train_count", trainCounts), .fixed("is_head", isHead.map { $0 ? 1 : 0 as UInt8 }),
        .fixed("is_tail", isTail.map { $0 ? 1 : 0 as UInt8 }),
        .fixed("bucket", buckets.map(\.rawValue)),
      ])
  }
}
