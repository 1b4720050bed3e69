import ArgumentParser
import Dataset
import Models
import Numerics
import ShardIO
import SystemPackage

/// New items that may stand in lists.
struct NewItemOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Items that came after the training may be in lists too: output of 'h2rec-tokenize encode'.",
      valueName: "directory"), completion: .directory, transform: { FilePath($0) })
  var newItems: FilePath?

  @Option(
    help: ArgumentHelp(
      "Titles, categories and vectors of the new items: the preprocess output that was encoded.",
      valueName: "directory"), completion: .directory, transform: { FilePath($0) })
  var newItemsData: FilePath?

  func validate() throws {
    guard newItemsData == nil || newItems != nil else {
      throw ValidationError("'--new-items-data' needs '--new-items'.")
    }
  }

  /// The options that shape the output.
  var configuration: [String: JSONValue] {
    ["newItems": .bool(newItems != nil), "newItemsData": .bool(newItemsData != nil)]
  }

  /// The items that lists are made of.
  ///
  /// - Parameters:
  ///   - inputs: what the model was trained with.
  ///   - known: the vectors of the catalogue, `[I, w]`.
  ///   - threads: threads to use.
  /// - Returns: the catalogue's items, then new ones if there are some.
  /// - Throws: `PipelineError` as ``NewItems``, and `.dataFormat` if a vector is not finite.
  func items(
    _ inputs: EvaluationInputs, known: Matrix?, threads: Int
  ) throws(PipelineError) -> ListItems {
    guard let newItems else { return ListItems(inputs.data, vectors: known) }
    let found = try NewItems(newItems, data: newItemsData, for: inputs)
    guard let known, let vectors = inputs.diagnostics.newItemVectors?(found.codes, threads) else {
      throw .newItemsNeedCodes(model: inputs.trained.name)
    }
    guard vectors.values.allSatisfy(\.isFinite) else { throw .modelNotFinite("item") }
    return ListItems(inputs.data, vectors: known, adding: found, vectors: vectors)
  }
}

/// The items that lists are made of: those of the catalogue, then new ones that the model knows by their codes alone.
struct ListItems {
  /// The histories, and the items with their titles, categories and text vectors.
  let data: PreprocessedData
  /// The vectors that are scored, `[items, w]`; nil for a model without vectors.
  let vectors: Matrix?
  /// The new items; empty where there are none.
  let newItems: Range<Int>
  /// Whether new items were asked for; lists then say which items are new.
  let marksNewItems: Bool
  /// What the manifest records of the outputs read for them.
  let references: [StageReference]

  /// The items of the catalogue alone.
  init(_ data: PreprocessedData, vectors: Matrix?) {
    self.data = data
    self.vectors = vectors
    newItems = data.catalogue.count..<data.catalogue.count
    marksNewItems = false
    references = []
  }

  /// The items of the catalogue, then new ones.
  init(_ data: PreprocessedData, vectors: Matrix, adding new: NewItems, vectors newVectors: Matrix)
  {
    var data = data
    let count = data.catalogue.count
    data.catalogue = data.catalogue.appending(new.catalogue)
    // Without text vectors of the new items, none of the lists can be compared by text.
    data.vectors = data.vectors.flatMap { known in
      guard let added = new.vectors, added.width == known.width else { return nil }
      return ItemVectors(values: known.values + added.values, width: known.width)
    }
    self.data = data
    self.vectors = Matrix(
      rows: vectors.rows + newVectors.rows, columns: vectors.columns,
      values: vectors.values + newVectors.values)
    newItems = count..<data.catalogue.count
    marksNewItems = true
    references = new.references
  }
}
