internal import CommandSupport
internal import Dataset
internal import ShardIO
internal import TextInput

/// The work of the preprocess stage, from files to tables.
struct PreprocessRun {
  let input: InputOptions
  let filters: FilterOptions
  let derivation: DerivationOptions
  let seed: UInt64
  let threads: Int
  /// Makes vectors from texts in place of an encoder that is fitted to them; nil to fit one.
  var encoder: TextEncoder?
  /// Holds the events that memory has no room for.
  let storage: EventStorage

  /// What a run has made.
  struct Result {
    var tables: [TableSource]
    var counters: [String: JSONValue]
    var sources: [LogSource] = []
    /// The text of the bad rows, where it is wanted.
    var badRows: [UInt8] = []
    var clock = PhaseClock()
  }

  /// Reads, filters, splits and derives.
  ///
  /// - Throws: ``PipelineError``: `.missingInput`, `.dataFormat`, or `.configuration` if the filters leave nothing.
  func compute(isQuiet: Bool) throws(PipelineError) -> Result {
    // What files that are kept in memory may take of it together; events have the rest.
    var budget = MemoryBudget(limit: storage.limit, note: "give more with --memory")
    let items = try readItems(&budget)
    let vectors = try openVectors(&budget)
    storage.hold(byteCount: budget.used)
    var log = try InteractionReader.read(
      try expandPaths(input.interactions), interactionSettings, storage)
    try requireUse(log.sources)
    var clock = log.clock
    var counters = readCounters(log, items)
    let admission = try Admission(
      log, items: items, vectors: vectors?.ids, missingItems: input.missingItems ?? .error,
      missingVectors: input.missingVectors ?? .error, itemFile: input.items ?? "",
      vectorFile: input.vectorIds ?? input.vectors ?? "")
    counters["eventsWithoutItem"] = JSONValue(admission.droppedEventCount)
    let itemCount = log.items.count
    var (histories, removed) = try Histories.sorting(
      &log, admits: admission.admits, filters.repeatRule, ties: (input.tieRule, seed),
      threads: threads)
    counters["eventsRepeated"] = JSONValue(removed.repeated)
    if filters.minimumWeight != nil { counters["eventsTooWeak"] = JSONValue(removed.weak) }
    clock.finish("sort")
    try filterCore(&histories, itemCount: itemCount, &counters)
    if let maximum = filters.maximumHistory {
      counters["eventsBeyondHistory"] = JSONValue(try histories.keepLast(maximum))
    }
    let kept = try histories.renumberItems(itemCount: itemCount)
    clock.finish("core")
    let dense = DenseData(log: log, kept: kept, histories: histories)
    var result = try derive(dense, items, vectors, &counters)
    result.sources = log.sources
    result.badRows = log.badRows
    clock.finish("derive")
    result.clock = clock
    return result
  }

  /// Refuses options about delimited text where no log was such.
  private func requireUse(_ sources: [LogSource]) throws(PipelineError) {
    let hasDelimited = sources.contains { $0.format != .jsonl }
    let hasHeaders = sources.contains { $0.format != .jsonl && $0.format != .movielens }
    for (option, isUseless) in [
      ("--delimiter", input.delimiter != nil && !hasDelimited),
      ("--no-header", input.noHeader && !hasHeaders),
    ] where isUseless {
      let format = sources.first?.format.rawValue ?? ""
      throw PipelineError(
        .usage, "this log is read as \(format), which has no use for '\(option)'",
        at: .init(path: sources.first?.name ?? ""),
        note: "leave the option out, or name another format with --format")
    }
  }

  private func readItems(_ budget: inout MemoryBudget) throws(PipelineError) -> ItemTable? {
    guard let path = input.items else { return nil }
    var settings = ItemSettings(template: try TextTemplate(input.text ?? TextTemplate.usual))
    settings.idField = input.itemIdField
    settings.titleField = input.titleField
    settings.categoriesField = input.categoriesField
    settings.skipsBadRows = input.skipBadRows
    settings.namedFields =
      [input.titleField, input.categoriesField].compactMap(\.self)
      + (input.text == nil ? [] : settings.template.fields)
    settings.budget = budget
    let items = try ItemReader.read(path, settings)
    budget = items.budget
    return items
  }

  private func openVectors(
    _ budget: inout MemoryBudget
  ) throws(PipelineError) -> VectorReader? {
    guard let vectors = input.vectors else { return nil }
    let reader = try VectorReader(
      vectors: vectors, idList: input.vectorIds, field: input.vectorField, budget: budget)
    budget = reader.budget
    return reader
  }

  private var interactionSettings: InteractionSettings {
    var settings = InteractionSettings()
    settings.userColumn = input.userColumn
    settings.itemColumn = input.itemColumn
    settings.timeColumn = input.timeColumn
    settings.ratingColumn = input.ratingColumn
    settings.eventColumn = input.eventColumn
    settings.eventWeights = filters.eventWeights
    settings.timestampFormat = input.timestampFormat
    settings.query = input.sql
    settings.format = input.format
    settings.hasHeader = !input.noHeader
    settings.delimiter = input.delimiter?.byte
    settings.minimumRating = filters.minimumRating
    settings.earliest = filters.from?.microseconds ?? .min
    settings.latest = filters.until?.microseconds ?? .max
    settings.keepsNullIDs = input.keepNullIds
    settings.skipsBadRows = input.skipBadRows
    settings.keepsBadRows = input.badRows != nil
    settings.threads = threads
    return settings
  }

  private func readCounters(_ log: InteractionLog, _ items: ItemTable?) -> [String: JSONValue] {
    var counters: [String: JSONValue] = [
      "rowsRead": JSONValue(log.counters.rowCount),
      "rowsBad": JSONValue(log.faults.count),
      "rowsBelowRating": JSONValue(log.counters.belowRating),
      "rowsOutsideWindow": JSONValue(log.counters.outsideWindow),
      "rowsOfOtherEvents": JSONValue(log.counters.otherEventType),
      "usersRead": JSONValue(log.users.count),
      "itemsRead": JSONValue(log.items.count),
    ]
    if log.faults.count > 0 {
      counters["rowsBadByReason"] = .object(
        Dictionary(
          uniqueKeysWithValues: log.faults.counts.map { ($0.key.rawValue, JSONValue($0.value)) }))
    }
    counters.merge(log.timeCounters) { $1 }
    let alike = [("user", AlikeIDs(log.users)), ("item", AlikeIDs(log.items))]
    for (what, ids) in alike { counters["\(what)sAlike"] = JSONValue(ids.groupCount) }
    let warnings = alike.compactMap { $1.warning($0) }
    if !warnings.isEmpty { counters["alikeWarnings"] = .array(warnings.map { .string($0) }) }
    if let items {
      counters["itemRows"] = JSONValue(items.count)
      counters["itemRowsWithText"] = JSONValue(items.texts.count { !$0.isEmpty })
      counters["itemRowsRepeated"] = JSONValue(items.repeatedCount)
      counters.merge(itemFields(items)) { $1 }
    }
    return counters
  }

  /// Which fields of the item file became what, and which are in no text.
  private func itemFields(_ items: ItemTable) -> [String: JSONValue] {
    let found = Dictionary(
      uniqueKeysWithValues: items.fields.map { role, names in
        (role.rawValue, JSONValue.array(names.sorted().map { .string($0) }))
      })
    return [
      "itemFields": .object(found),
      "itemFieldsUnused": .array(items.unusedNames.sorted().map { .string($0) }),
    ]
  }

  private func filterCore(
    _ histories: inout Histories, itemCount: Int, _ counters: inout [String: JSONValue]
  ) throws(PipelineError) {
    let before = histories.eventCount
    guard before > 0 else { throw .nothingLeft(counters, path: input.place) }
    let core = CoreFilter(
      minimumUserCount: filters.userCore, minimumItemCount: filters.itemCore,
      isIterated: !filters.onePassCore)
    counters["corePasses"] = JSONValue(try core.apply(to: &histories, itemCount: itemCount))
    counters["eventsOutsideCore"] = JSONValue(before - histories.eventCount)
    guard histories.eventCount > 0 else {
      throw PipelineError(
        .configuration,
        """
        nothing is left of \(before) events: no user has \(filters.userCore) events with items that have \
        \(filters.itemCore)
        """,
        at: .init(path: input.place),
        note: "lower --user-core and --item-core, or give more data")
    }
  }
}

extension PipelineError {
  /// The filters leave no event; what they left out, and how many.
  fileprivate static func nothingLeft(
    _ counters: [String: JSONValue], path: String
  ) -> PipelineError {
    func count(_ name: String) -> Int64 { counters[name]?.integerValue ?? 0 }
    let reasons = [
      ("rowsBad", "bad rows"), ("rowsBelowRating", "below --minimum-rating"),
      ("rowsOutsideWindow", "outside of --from and --until"),
      ("rowsOfOtherEvents", "of other kinds than --events"),
      ("eventsWithoutItem", "of items that are missing elsewhere"),
      ("eventsTooWeak", "below --minimum-weight"),
    ].filter { count($0.0) > 0 }.map { "\(count($0.0)) \($0.1)" }
    return PipelineError(
      .dataFormat, "no events are left of \(count("rowsRead")) rows read", at: .init(path: path),
      note: reasons.isEmpty ? nil : "left out: \(reasons.joined(separator: ", "))")
  }
}
