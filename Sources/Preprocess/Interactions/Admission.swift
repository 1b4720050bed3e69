internal import ShardIO
internal import TextInput

/// Which items of a log may stay, given the items and the vectors that are known.
struct Admission {
  /// For each item of the log, whether its events are kept.
  private(set) var admits: [Bool]
  /// The events of items that may not stay.
  private(set) var droppedEventCount = 0

  /// Compares the items of a log with the item file and the vectors.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat` if an item is missing that must not be.
  init(
    _ log: InteractionLog, items: ItemTable?, vectors: IdentifierTable?,
    missingItems: MissingItems, missingVectors: MissingVectors, itemFile: String,
    vectorFile: String
  ) throws(PipelineError) {
    admits = Array(repeating: true, count: log.items.count)
    if let items, missingItems != .keep {
      try admit(
        log, known: items.ids, isError: missingItems == .error, file: itemFile,
        what: "the item file",
        remedy: "add them, or leave their events out with --missing-items drop")
    }
    if let vectors, missingVectors != .text {
      try admit(
        log, known: vectors, isError: missingVectors == .error, file: vectorFile,
        what: "the list of vectors",
        remedy: """
          add them, leave their events out with --missing-vectors drop, or make them from texts with --missing-vectors text
          """)
    }
    guard admits.contains(false) else { return }
    for block in log.blocks {
      let ranks = log.ranks[block.worker].items
      let loaded = try block.loaded(log.storage)
      droppedEventCount += loaded.items.count { !admits[Int(ranks[Int($0)])] }
    }
  }

  private mutating func admit(
    _ log: InteractionLog, known: IdentifierTable, isError: Bool, file: String, what: String,
    remedy: String
  ) throws(PipelineError) {
    var missing = 0
    for item in admits.indices where known.find(log.items[UInt32(item)]) == nil {
      admits[item] = false
      missing += 1
    }
    guard isError, missing > 0 else { return }
    let first = try firstMissing(log)
    let others = missing > 1 ? " of the log and \(missing - 1) more are" : " of the log is"
    throw PipelineError(
      .dataFormat, "item \(quoted(log.items.text(first)))\(others) not in \(what)",
      at: .init(path: file), note: remedy)
  }
  /// The first item in the order of the log that may not stay, so that a message does not depend on the threads.
  private func firstMissing(_ log: InteractionLog) throws(PipelineError) -> UInt32 {
    for block in log.blocks {
      let ranks = log.ranks[block.worker].items
      for item in try block.loaded(log.storage).items where !admits[Int(ranks[Int(item)])] {
        return ranks[Int(item)]
      }
    }
    return 0
  }
}
