public import ShardIO

/// The rules that the rows of a table keep, also those of other writers; Documentation/ShardFormat.md, section 9, lists them all.
///
/// A right checksum says that a table is what its writer wrote, not that it fits the others.
public struct TableRules: Sendable {
  private let place: String
  private let kind: String

  /// The largest magnitude of an element of a vector: beyond it squares and their sums leave the range of 32-bit numbers.
  public static let largestElement: Float = 1e15
  /// The farthest time from 1970, seconds: what a double counts exactly.
  static let latestTime: Int64 = 1 << 53

  /// The rules of a table of an output.
  public init(_ input: StageInput, _ kind: String) {
    place = "\(input.directory)"
    self.kind = kind
  }

  /// The failure of a row, or of the table as a whole.
  ///
  /// - Parameters:
  ///   - found: what was found, for example `neighbour 17`.
  ///   - row: the row, from 0; nil for the whole table.
  ///   - rule: what was expected.
  /// - Returns: a `PipelineError` `.dataFormat` with table, row and rule.
  public func broken(_ found: String, row: Int? = nil, expected rule: String) -> PipelineError {
    let row = row.map { ", row \($0)" } ?? ""
    return PipelineError(
      .dataFormat, "table \(quoted(kind))\(row): found \(found), expected \(rule)",
      at: .init(path: place),
      note: "the tables were not written together, or not by this program; run the stage again")
  }

  /// As many rows as something else has.
  ///
  /// - Throws: `PipelineError` `.dataFormat`.
  public func requireRows(_ found: Int, _ expected: Int, one what: String) throws(PipelineError) {
    guard found == expected else {
      throw broken("\(found) rows", expected: "\(expected), one for each \(what)")
    }
  }

  /// Elements that are finite and not too large to be squared and summed.
  ///
  /// - Parameters:
  ///   - values: row-major.
  ///   - width: the elements of a row.
  ///   - column: the name of the column.
  ///   - limit: the largest magnitude; infinity for any finite number.
  /// - Throws: `PipelineError` `.dataFormat`.
  public func requireFinite(
    _ values: [Float], width: Int, _ column: String, limit: Float = .infinity
  ) throws(PipelineError) {
    let bound = min(limit, .greatestFiniteMagnitude)
    guard let place = values.firstIndex(where: { !($0.magnitude <= bound) }) else { return }
    throw broken(
      "\(values[place]) in '\(column)'", row: place / max(1, width),
      expected: values[place].isFinite ? "at most \(limit) in magnitude" : "a finite number")
  }

  /// Elements of lists that are finite.
  ///
  /// - Throws: `PipelineError` `.dataFormat`.
  public func requireFinite(
    _ lists: RaggedArray<Float>, _ column: String
  ) throws(PipelineError) {
    guard let place = lists.values.firstIndex(where: { !$0.isFinite }) else { return }
    throw broken(
      "\(lists.values[place]) in '\(column)'", row: lists.row(of: place),
      expected: "a finite number")
  }

  /// Indices below a limit, in lists.
  ///
  /// - Throws: `PipelineError` `.dataFormat`.
  func requireIndices(
    _ lists: RaggedArray<UInt32>, _ column: String, below limit: Int, _ what: String,
    isAscending: Bool = false
  ) throws(PipelineError) {
    if let place = lists.values.firstIndex(where: { $0 >= limit }) {
      throw broken(
        "\(lists.values[place]) in '\(column)'", row: lists.row(of: place),
        expected: "a number below \(limit), the number of \(what)")
    }
    guard isAscending else { return }
    for row in 0..<lists.count {
      var last = -1
      for value in lists[row] {
        guard Int(value) > last else {
          throw broken(
            "\(value) after \(last) in '\(column)'", row: row,
            expected: "numbers that ascend")
        }
        last = Int(value)
      }
    }
  }

  /// Two columns of lists that are equally long in every row.
  ///
  /// - Throws: `PipelineError` `.dataFormat`.
  func requireSameShape(
    _ first: (name: String, offsets: [Int]), _ second: (name: String, offsets: [Int])
  ) throws(PipelineError) {
    guard first.offsets != second.offsets else { return }
    let row = zip(first.offsets, second.offsets).enumerated().first { $0.element.0 != $0.element.1 }
    throw broken(
      "lists of different lengths in '\(first.name)' and '\(second.name)'",
      row: row.map { max(0, $0.offset - 1) }, expected: "equal lengths")
  }

  /// Texts of which no two are equal.
  ///
  /// - Throws: `PipelineError` `.dataFormat`.
  public func requireUnique(_ texts: [String], _ column: String) throws(PipelineError) {
    var rows: [String: Int] = [:]
    rows.reserveCapacity(texts.count)
    for (row, text) in texts.enumerated() {
      if let earlier = rows.updateValue(row, forKey: text) {
        throw broken(
          "\(quoted(text)) in '\(column)' as in row \(earlier)", row: row,
          expected: "a value of its own in every row")
      }
    }
  }

  /// Flags that are 0 or 1.
  ///
  /// - Throws: `PipelineError` `.dataFormat`.
  func flags(_ table: Table, _ column: String) throws(PipelineError) -> [Bool] {
    let values = try table.fixed(column, as: UInt8.self)
    try requireWidth(table, column)
    if let row = values.firstIndex(where: { $0 > 1 }) {
      throw broken("\(values[row]) in '\(column)'", row: row, expected: "0 or 1")
    }
    return values.map { $0 == 1 }
  }

  /// A column with some number of elements in a row, one unless said otherwise.
  ///
  /// - Throws: `PipelineError` `.dataFormat`.
  public func requireWidth(
    _ table: Table, _ column: String, _ expected: Int = 1
  ) throws(PipelineError) {
    let found = try table.width(of: column)
    guard found == expected else {
      throw broken("a width of \(found) of '\(column)'", expected: "\(expected)")
    }
  }
}

extension RaggedArray {
  /// The row that a position of ``values`` belongs to.
  fileprivate func row(of place: Int) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if offsets[middle + 1] <= place { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
