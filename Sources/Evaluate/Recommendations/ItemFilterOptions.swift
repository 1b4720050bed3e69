import ArgumentParser
import CommandSupport
import Dataset
import ShardIO
import SystemPackage
import TextInput

/// Which items may be recommended.
struct ItemFilterOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Recommend only the items of this file, one id a line.", valueName: "path"),
    completion: .file(), transform: { FilePath($0) })
  var allowItems: FilePath?

  @Option(
    help: ArgumentHelp("Never recommend the items of this file, one id a line.", valueName: "path"),
    completion: .file(), transform: { FilePath($0) })
  var blockItems: FilePath?

  @Option(
    help: ArgumentHelp(
      "Recommend only items of this category; may be given several times.", valueName: "name"))
  var category: [String] = []

  @Option(
    help: ArgumentHelp(
      "Recommend only items whose first event is at this time or later: Unix seconds or ISO 8601.",
      valueName: "time"))
  var newerThan: String?

  func validate() throws {
    guard let newerThan else { return }
    guard Self.seconds(newerThan) != nil else {
      throw ValidationError(
        "'--newer-than' must be Unix seconds or a time of ISO 8601, not '\(newerThan)'.")
    }
  }

  /// The options, and whether they were given.
  var givenOptions: [GivenOption] {
    [
      ("allow-items", allowItems != nil), ("block-items", blockItems != nil),
      ("category", !category.isEmpty), ("newer-than", newerThan != nil),
    ]
  }

  /// The options that shape the output.
  var configuration: [String: JSONValue] {
    [
      "allowItems": .bool(allowItems != nil), "blockItems": .bool(blockItems != nil),
      "category": .array(category.map { .string($0) }),
      "newerThan": newerThan.map { .string($0) } ?? .null,
    ]
  }

  /// The items that may be recommended, ascending.
  ///
  /// Ids that the catalogue does not have are told, and a list without any other is refused.
  ///
  /// - Parameters:
  ///   - data: the items, and the events that say when each was first seen.
  ///   - newItems: items without events, which are newer than every time.
  /// - Returns: the places of the items in the catalogue, and how many ids of each list are those of items, by its option.
  /// - Throws: `PipelineError`: `.configuration` if no item is left; `.missingInput` or `.dataFormat` for the files, the latter also
  ///   for a list none of whose ids is known.
  func items(
    _ data: PreprocessedData, newItems: Range<Int>
  ) throws(PipelineError) -> (items: [UInt32], matched: [String: Int]) {
    let known = Set(allowItems == nil && blockItems == nil ? [] : data.catalogue.itemIDs)
    let allowed = try set(allowItems, "--allow-items", among: known)
    let blocked = try set(blockItems, "--block-items", among: known)
    let categories = Set(category)
    let start = newerThan.flatMap { Self.seconds($0) }
    let firstTimes = start == nil ? [] : Self.firstTimes(data)
    let items = (0..<data.catalogue.count).filter { item in
      let id = data.catalogue.itemIDs[item]
      if let allowed, !allowed.contains(id) { return false }
      if let blocked, blocked.contains(id) { return false }
      if !categories.isEmpty, categories.isDisjoint(with: data.catalogue.categories[item]) {
        return false
      }
      if let start, firstTimes[item] < start, !newItems.contains(item) { return false }
      return true
    }
    guard !items.isEmpty else { throw .noItemsLeft() }
    let counts = ["allowItems": allowed?.count, "blockItems": blocked?.count]
    return (items.map { UInt32($0) }, counts.compactMapValues(\.self))
  }

  private func set(
    _ path: FilePath?, _ option: String, among known: Set<String>
  ) throws(PipelineError) -> Set<String>? {
    guard let path else { return nil }
    let list = try IdentifierList(path.string)
    let (found, unknown) = try list.ids(of: "item", among: known)
    if let first = unknown.first {
      printWarning(
        """
        \(option): \(found.count) of \(found.count + unknown.count) ids are those of items, \(quoted(first.id)) in line \
        \(first.number) is none
        """, at: list.path)
    }
    return Set(found)
  }

  /// The time of each item's first event; the earliest possible one for an item without events.
  private static func firstTimes(_ data: PreprocessedData) -> [Int64] {
    var times = [Int64](repeating: .max, count: data.catalogue.count)
    for (item, time) in zip(data.items.values, data.times.values) {
      times[Int(item)] = min(times[Int(item)], time)
    }
    return times.map { $0 == .max ? .min : $0 }
  }

  private static func seconds(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    return parseTimestamp(bytes.span, 0..<bytes.count, .automatic).map {
      floorDivide($0, 1_000_000)
    }
  }
}
