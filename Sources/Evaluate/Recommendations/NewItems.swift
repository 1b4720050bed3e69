import Dataset
import Models
import ShardIO
import SystemPackage

/// Items that the model was not trained with: known by their codes, and by what a preprocess output says of them.
struct NewItems {
  /// One entry an item.
  let catalogue: Catalogue
  /// Their codes, of the levels of the model.
  let codes: ItemCodes
  /// Their text vectors; nil where none are given.
  let vectors: ItemVectors?
  /// What the manifest records of the outputs read.
  let references: [StageReference]

  /// Reads the codes of `h2rec-tokenize encode`; items of the catalogue are left out.
  ///
  /// - Parameters:
  ///   - directory: the output of the tokenize stage.
  ///   - dataDirectory: the preprocess output that it was made of, for titles, categories and vectors; nil for none.
  ///   - inputs: what the model was trained with.
  /// - Throws: `PipelineError`: `.missingInput`, `.dataFormat`; `.configuration` if the model has no codes, if the codes were
  ///   not given by the codebooks of the model's codes, or if nothing is new.
  init(
    _ directory: FilePath, data dataDirectory: FilePath?, for inputs: EvaluationInputs
  ) throws(PipelineError) {
    guard let own = inputs.codes, inputs.diagnostics.newItemVectors != nil else {
      throw .newItemsNeedCodes(model: inputs.trained.name)
    }
    let input = try StageInput(directory: directory, expecting: "tokenize")
    let found = try ItemCodes(input)
    guard found.levelSizes == own.levelSizes, found.codebooks == own.codebooks else {
      throw .otherCodebooks(directory)
    }
    let ids = try input.table("coded-items").strings("item_id")
    let rules = TableRules(input, "coded-items")
    try rules.requireRows(ids.count, found.count, one: "item with codes")
    try rules.requireUnique(ids, "item_id")
    let known = Set(inputs.data.catalogue.itemIDs)
    let rows = ids.indices.filter { !known.contains(ids[$0]) }
    guard !rows.isEmpty else { throw .nothingNew(directory) }
    var codes = found
    codes.codes = rows.flatMap { found.tuple(of: $0) }
    self.codes = codes
    var described: PreprocessedData?
    var references = [input.reference]
    if let dataDirectory {
      let dataInput = try StageInput(directory: dataDirectory, expecting: "preprocess")
      try input.requireInput(dataInput)
      let data = try PreprocessedData(dataInput)
      try found.requireFit(input, itemCount: data.catalogue.count, vectors: data.vectors)
      try Self.requireOneSpace(data, inputs.data, own, dataDirectory)
      described = data
      references.append(dataInput.reference)
    }
    catalogue = Catalogue(newItems: rows.map { ids[$0] }, at: rows, of: described?.catalogue)
    vectors = described?.vectors.map { vectors in
      ItemVectors(
        values: rows.flatMap { vectors.values[$0 * vectors.width..<($0 + 1) * vectors.width] },
        width: vectors.width)
    }
    self.references = references
  }

  /// Refuses vectors that lie in another space than those of the model's items, as the items in both show.
  private static func requireOneSpace(
    _ data: PreprocessedData, _ known: PreprocessedData, _ codes: ItemCodes, _ directory: FilePath
  ) throws(PipelineError) {
    guard let vectors = data.vectors, let others = known.vectors, codes.isTextSpace,
      vectors.width == others.width
    else { return }
    let rows = Dictionary(uniqueKeysWithValues: zip(known.catalogue.itemIDs, 0...))
    let agreement = SpaceSketch(vectors.values, center: codes.center).agreement(
      with: SpaceSketch(others.values, center: codes.center),
      rows: data.catalogue.itemIDs.map { rows[$0] })
    guard let agreement, agreement < SpaceSketch.leastAgreement else { return }
    throw .otherSpace(directory, agreement)
  }
}

extension Catalogue {
  /// Items without any train event; titles and categories are those of `rows` of another catalogue.
  fileprivate init(newItems ids: [String], at rows: [Int], of other: Catalogue?) {
    let count = ids.count
    self.init(
      itemIDs: ids, titles: rows.map { other?.titles[$0] ?? "" },
      categories: rows.map { other?.categories[$0] ?? [] },
      texts: rows.map { other?.texts[$0] ?? "" },
      trainCounts: [UInt32](repeating: 0, count: count),
      isHead: [Bool](repeating: false, count: count),
      isTail: [Bool](repeating: true, count: count),
      buckets: [PopularityBucket](repeating: .cold, count: count))
  }

  /// These items, then others.
  func appending(_ other: Catalogue) -> Catalogue {
    Catalogue(
      itemIDs: itemIDs + other.itemIDs, titles: titles + other.titles,
      categories: categories + other.categories, texts: texts + other.texts,
      trainCounts: trainCounts + other.trainCounts, isHead: isHead + other.isHead,
      isTail: isTail + other.isTail, buckets: buckets + other.buckets)
  }
}
