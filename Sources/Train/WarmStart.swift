import ArgumentParser
import CommandSupport
import Dataset
import Models
import Numerics
import Retrieval
import ShardIO
import SystemPackage
import Tape

/// Which earlier training a new one starts from.
struct WarmStartOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Start from the parameters of this earlier output of h2rec-train, carried over by item ids.",
      discussion: """
        The model and the options of its network must be the same. New items begin at the mean of the known items that are \
        nearest by text, or that share the most leading codes; rows of items that are gone are dropped. Rows of codes are \
        carried where the codes keep their names ('h2rec-tokenize encode' or '--align-to').
        """, valueName: "directory"), completion: .directory)
  var startFrom: String?

  @Option(
    help: "With '--start-from': the output of h2rec-preprocess that it was trained on.",
    completion: .directory)
  var startData: String?

  func validate() throws {
    guard (startFrom == nil) == (startData == nil) else {
      throw ValidationError("'--start-from' and '--start-data' need one another.")
    }
  }

  /// The earlier training; nil for a start from nothing.
  ///
  /// - Throws: `PipelineError`: `.missingInput`; `.configuration` if the two do not belong together.
  func warmStart(threads: Int) throws(PipelineError) -> WarmStart? {
    guard let startFrom, let startData else { return nil }
    return try WarmStart(model: startFrom, data: startData, threads: threads)
  }
}

/// The parameters of an earlier training, to be carried over into a store of the same model over another catalogue.
struct WarmStart {
  /// The output of the earlier training.
  let model: StageInput
  private let data: StageInput
  private let threads: Int

  /// What became of the rows of items.
  struct Carried: Equatable {
    /// Items in both catalogues.
    var knownCount = 0
    /// New items that begin at the mean of their neighbours.
    var borrowedCount = 0
    /// New items without neighbours, which begin as in a training from nothing.
    var freshCount = 0
    /// Items that are no longer in the catalogue.
    var droppedCount = 0
    /// Whether the rows of codes were carried; nil for a model without codes.
    var hasCodes: Bool?

    /// The counts for the manifest and the summary.
    var json: JSONValue {
      [
        "knownItems": JSONValue(knownCount), "borrowedItems": JSONValue(borrowedCount),
        "freshItems": JSONValue(freshCount), "droppedItems": JSONValue(droppedCount),
        "codes": hasCodes.map { .bool($0) } ?? .null,
      ]
    }
  }

  /// The known items whose mean a new one begins at.
  static let neighbourCount = 5

  init(model: String, data: String, threads: Int) throws(PipelineError) {
    self.model = try StageInput(
      directory: FilePath(model), expecting: "train", threads: threads)
    self.data = try StageInput(
      directory: FilePath(data), expecting: "preprocess", threads: threads)
    self.threads = threads
    try self.model.requireInput(self.data)
  }

  /// Gives a store the parameters of the earlier training.
  ///
  /// - Parameters:
  ///   - store: the parameters of the new model, initialised.
  ///   - name: the new model.
  ///   - inputs: what it is trained on.
  ///   - codes: the output that its codes come from; nil without codes.
  /// - Returns: what became of the rows.
  /// - Throws: `PipelineError`: `.configuration` if the models differ; `.dataFormat` if the earlier one is damaged.
  func apply(
    to store: ParameterStore, of name: String, _ inputs: TrainingInputs, codes: StageInput?
  ) throws(PipelineError) -> Carried {
    let configuration = model.manifest.configuration
    guard configuration["model"] == JSONValue(name) else {
      throw differs("it is a '\(configuration["model"]?.stringValue ?? "")', this is a '\(name)'")
    }
    let saved = try SavedParameters(model)
    for entry in store.entries {
      let shape = [entry.parameter.rows, entry.parameter.columns]
      guard let found = saved.dense[entry.name], found.shape == shape else {
        let shape = saved.dense[entry.name].map { "is of shape \($0.shape)" } ?? "is not there"
        throw differs(
          "its parameter '\(entry.name)' \(shape), here it is \(entry.parameter.rows) x \(entry.parameter.columns)"
        )
      }
      store.values.set(found.values, at: entry.parameter.offset)
    }
    let earlier = try Catalogue(data)
    let rows = Dictionary(uniqueKeysWithValues: zip(earlier.itemIDs, 0...))
    let places = inputs.data.catalogue.itemIDs.map { rows[$0] }
    var carried = Carried()
    carried.knownCount = places.count { $0 != nil }
    carried.droppedCount = earlier.count - carried.knownCount
    carried.freshCount = places.count - carried.knownCount
    for named in store.namedTables {
      let (values, width) = try saved.table(named.name)
      guard width == named.table.width else {
        throw differs(
          "its table '\(named.name)' has rows of \(width), here they have \(named.table.width)")
      }
      if named.name == "code" {
        carried.hasCodes = carryCodes(values, width, into: named.table, inputs.model, codes)
      } else if named.name == "prefix" {
        // Rows have the places of the hashes of prefixes: they mean the same where the codes do and the table is as large.
        let isKept =
          values.count == named.table.values.count && (codes.map { keepsNames($0) } ?? false)
        if isKept { named.table.values.set(values) }
        carried.hasCodes = isKept
      } else {
        guard named.table.count == places.count, values.count == earlier.count * width else {
          throw differs(
            "its table '\(named.name)' has \(values.count / width) rows, not one for each of \(earlier.count) items"
          )
        }
        let neighbours = self.neighbours(places, inputs.model)
        carry(values, places, neighbours, into: named.table)
        carried.borrowedCount = neighbours.count { !$0.isEmpty }
        carried.freshCount = places.count - carried.knownCount - carried.borrowedCount
      }
    }
    return carried
  }

  /// Items that a new one is like: by text vectors where there are some, else by leading codes; empty for known items.
  private func neighbours(_ places: [Int?], _ data: ModelData) -> [[Int]] {
    let known = places.indices.filter { places[$0] != nil }
    let new = places.indices.filter { places[$0] == nil }
    var result = [[Int]](repeating: [], count: places.count)
    guard !known.isEmpty, !new.isEmpty else { return result }
    if let vectors = data.vectors {
      let top = topK(
        users: directions(vectors, new), items: directions(vectors, known),
        count: min(Self.neighbourCount, known.count),
        excluded: RaggedArray(emptyRows: new.count), threads: threads)
      for (row, item) in new.enumerated() {
        result[item] = top.items[row].map { known[Int($0)] }
      }
    } else if let codes = data.codes {
      var groups: [ArraySlice<UInt16>: [Int]] = [:]
      for item in known {
        let tuple = codes.tuple(of: item)
        for length in 1...codes.levelCount {
          groups[tuple.prefix(length), default: []].append(item)
        }
      }
      for item in new {
        let tuple = codes.tuple(of: item)
        let length = (1...codes.levelCount).last { groups[tuple.prefix($0)] != nil }
        result[item] = Array(
          (length.flatMap { groups[tuple.prefix($0)] } ?? []).prefix(Self.neighbourCount))
      }
    }
    return result
  }

  /// Rows of length 1.
  private func directions(_ vectors: Matrix, _ rows: [Int]) -> Matrix {
    var result = Matrix(rows: rows.count, columns: vectors.columns)
    for (place, row) in rows.enumerated() {
      let values = vectors[row: row]
      let length = Float(values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot())
      guard length > 0 else { continue }
      let first = place * vectors.columns
      for (column, value) in values.enumerated() { result.values[first + column] = value / length }
    }
    return result
  }

  private func carry(
    _ values: [Float], _ places: [Int?], _ neighbours: [[Int]], into table: EmbeddingTable
  ) {
    let width = table.width
    var rows = table.values.array
    func old(_ item: Int) -> ArraySlice<Float> {
      let place = places[item] ?? 0
      return values[place * width..<(place + 1) * width]
    }
    for item in places.indices {
      let target = item * width..<(item + 1) * width
      if places[item] != nil {
        rows.replaceSubrange(target, with: old(item))
      } else if !neighbours[item].isEmpty {
        var mean = [Float](repeating: 0, count: width)
        for neighbour in neighbours[item] {
          for (column, value) in old(neighbour).enumerated() { mean[column] += value }
        }
        rows.replaceSubrange(target, with: mean.map { $0 / Float(neighbours[item].count) })
      }
    }
    table.values.set(rows)
  }

  /// Carries rows of codes level by level, if the codes keep their names.
  private func carryCodes(
    _ values: [Float], _ width: Int, into table: EmbeddingTable, _ data: ModelData,
    _ codes: StageInput?
  ) -> Bool {
    let sizes = (model.manifest.configuration["levelSizes"]?.arrayValue ?? [])
      .compactMap { $0.integerValue.map { Int($0) } }
    // Rows after those of the codes are no code's, as that before the first digit.
    let others = values.count - sizes.reduce(0, +) * width
    guard let own = data.codes, let codes, sizes.count == own.levelCount, others >= 0,
      others == (table.count - own.levelSizes.reduce(0, +)) * width, keepsNames(codes)
    else { return false }
    var rows = table.values.array
    rows.replaceSubrange(rows.count - others..<rows.count, with: values.suffix(others))
    var first = 0
    for (level, size) in sizes.enumerated() {
      let count = min(size, own.levelSizes[level]) * width
      let target = own.firstRow(of: level) * width
      rows.replaceSubrange(target..<target + count, with: values[first..<first + count])
      first += size * width
    }
    table.values.set(rows)
    return true
  }

  /// Whether codes are those that the earlier model was trained with, or were made from them with their names.
  private func keepsNames(_ codes: StageInput) -> Bool {
    let known = Set(model.manifest.inputs.filter { $0.stage == "tokenize" })
    return known.contains(codes.reference) || !known.isDisjoint(with: codes.manifest.inputs)
  }

  private func differs(_ how: String) -> PipelineError {
    PipelineError(
      .configuration, "training cannot start from this model: \(how)",
      at: .init(path: model.directory.string),
      note: "give the options that it was trained with, or leave --start-from out")
  }
}

/// The parameters in an output of the train stage, whatever model they are of.
private struct SavedParameters {
  /// The dense parameters by name.
  let dense: [String: (shape: [Int], values: [Float])]
  private let input: StageInput

  init(_ input: StageInput) throws(PipelineError) {
    self.input = input
    let table = try input.table("parameters")
    let names = try table.strings("name")
    let shapes = try table.ragged("shape", as: UInt32.self)
    let values = try table.ragged("values", as: Float.self)
    let rules = TableRules(input, "parameters")
    try rules.requireUnique(names, "name")
    try rules.requireFinite(values, "values")
    var dense: [String: (shape: [Int], values: [Float])] = [:]
    for (row, name) in names.enumerated() {
      let shape = shapes[row].map { Int($0) }
      guard shape.count == 2,
        shape[0].multipliedReportingOverflow(by: shape[1]).partialValue == values[row].count
      else {
        throw rules.broken(
          "\(values[row].count) values of shape \(shape)", row: row,
          expected: "as many as two numbers say")
      }
      dense[name] = (shape, Array(values[row]))
    }
    self.dense = dense
  }

  /// The rows of a table, one after another, and their width.
  func table(_ name: String) throws(PipelineError) -> (values: [Float], width: Int) {
    let kind = "\(name)-vectors"
    let table = try input.table(kind)
    let width = try table.width(of: "vector")
    let values = try table.fixed("vector", as: Float.self)
    try TableRules(input, kind).requireFinite(values, width: width, "vector")
    return (values, width)
  }
}
