import Dataset
import ShardIO
import SystemPackage
import TextInput

/// Who gets recommendations, and what each of them did so far.
enum Audience {
  /// Users of the data, by row, with their whole kept histories.
  case known([Int], UserSequences)
  /// Users that a file describes.
  case described(ids: [String], histories: RaggedArray<UInt32>, unknownItemCount: Int)

  /// The number of users.
  var count: Int {
    switch self {
    case .known(let rows, _): rows.count
    case .described(let ids, _, _): ids.count
    }
  }

  /// The id of a user in the user's own data.
  func id(_ index: Int) -> String {
    switch self {
    case .known(let rows, let sequences): sequences.userIDs[rows[index]]
    case .described(let ids, _, _): ids[index]
    }
  }

  /// What a user did, in time order.
  func history(_ index: Int) -> ArraySlice<UInt32> {
    switch self {
    case .known(let rows, let sequences): sequences.items[rows[index]]
    case .described(_, let histories, _): histories[index]
    }
  }

  /// Events of described users with items that the catalogue does not have.
  var unknownItemCount: Int {
    if case .described(_, _, let count) = self { count } else { 0 }
  }
}

extension Audience {
  /// The users that a file lists, in its order.
  ///
  /// - Throws: `PipelineError` `.dataFormat` with the line of the first user that the data do not have.
  static func listed(
    _ path: FilePath, in sequences: UserSequences
  ) throws(PipelineError) -> Audience {
    let rows = Dictionary(uniqueKeysWithValues: zip(sequences.userIDs, 0..<sequences.count))
    let list = try IdentifierList(path.string)
    let (found, unknown) = list.matches { rows[$0] }
    if let first = unknown.first {
      throw .unknownUser(
        first.id, others: unknown.count - 1, path: path.string, line: first.number)
    }
    return .known(found, sequences)
  }

  /// The users of a file of histories: JSON lines `{"user_id": …, "items": […]}`, items in time order by their own ids.
  ///
  /// Items that the catalogue does not have are left out and counted.
  ///
  /// - Throws: `PipelineError` `.dataFormat` with the line that has another form.
  static func described(
    _ path: FilePath, in catalogue: Catalogue
  ) throws(PipelineError) -> Audience {
    let numbers = Dictionary(
      uniqueKeysWithValues: zip(catalogue.itemIDs, 0..<UInt32(catalogue.count)))
    var ids: [String] = []
    var histories = RaggedArray<UInt32>()
    var unknown = 0
    for line in try IdentifierList(path.string).lines {
      let value = try? JSONValue(parsing: Array(line.text.utf8), path: path.string)
      guard let id = value?["user_id"].flatMap(Self.id),
        let items = value?["items"]?.arrayValue?.map(Self.id), !items.contains(nil)
      else { throw .notAHistory(path.string, line: line.number) }
      let known = items.compactMap { $0.flatMap { numbers[$0] } }
      unknown += items.count - known.count
      ids.append(id)
      histories.append(contentsOf: known)
    }
    return .described(ids: ids, histories: histories, unknownItemCount: unknown)
  }

  /// An id, which may be written as a number.
  private static func id(_ value: JSONValue) -> String? {
    value.stringValue ?? value.integerValue.map { String($0) }
  }
}
