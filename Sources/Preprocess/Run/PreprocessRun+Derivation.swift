internal import Dataset
internal import ShardIO
internal import TextInput

/// Histories with dense items, and what the ids were.
struct DenseData {
  var log: InteractionLog
  /// The number of each dense item in the log.
  var kept: [UInt32]
  var histories: Histories
}

extension PreprocessRun {
  /// Splits the histories and makes everything that is made of them.
  func derive(
    _ data: DenseData, _ items: ItemTable?, _ vectors: VectorReader?,
    _ counters: inout [String: JSONValue]
  ) throws(PipelineError) -> Result {
    let histories = data.histories
    let itemCount = data.kept.count
    let split = try split(histories)
    let (trainEnds, validEnds) = try split.ends(of: histories)
    try requireTrainEvents(histories, split, trainEnds)
    counters.merge(try leaks(histories, split, trainEnds, validEnds)) { $1 }
    counters.merge(try ties(histories, trainEnds, validEnds)) { $1 }
    let groups = try PopularityGroups(
      histories, trainEnds: trainEnds, itemCount: itemCount, headShare: derivation.headShare,
      tailThreshold: derivation.tailThreshold)
    let catalogue = catalogue(data, items, groups)
    var tables = [sequences(data, trainEnds, validEnds), TableSource(catalogue.table)]
    if let made = try self.vectors(data, catalogue, vectors, &counters) {
      tables.append(TableSource(made.vectors.table))
      counters["vectorWidth"] = JSONValue(made.vectors.width)
      if let encoder = made.encoder {
        tables += encoder.tables.map { TableSource($0) }
        counters[TextEncoder.counter] = .string(encoder.identity)
      }
    }
    tables += try pairs(histories, trainEnds, itemCount, &counters)
    tables += try negatives(histories, trainEnds, validEnds, groups)
    count(histories, trainEnds, validEnds, groups, &counters)
    return Result(tables: tables, counters: counters)
  }

  /// Refuses a split that leaves nothing to learn from.
  private func requireTrainEvents(
    _ histories: Histories, _ split: Split, _ trainEnds: [UInt32]
  ) throws(PipelineError) {
    guard case .time(let validCut, _) = split, trainEnds.allSatisfy({ $0 == 0 }) else { return }
    let first = try histories.orderedTimes([0])[0]
    throw PipelineError(
      .configuration,
      """
      the split leaves no train event: the valid part begins at \(isoText(validCut)), and no event is before \
      \(isoText(first))
      """, at: .init(path: input.place), note: "give --valid-from a later time")
  }

  /// The stored negatives, uniform and by popularity.
  private func negatives(
    _ histories: Histories, _ trainEnds: [UInt32], _ validEnds: [UInt32], _ groups: PopularityGroups
  ) throws(PipelineError) -> [TableSource] {
    var tables: [TableSource] = []
    if derivation.negatives > 0 {
      let sampler = NegativeSampler(count: derivation.negatives, seed: seed)
      tables.append(
        try sampler.negatives(
          histories, validEnds: validEnds, itemCount: groups.trainCounts.count))
    }
    if derivation.popularNegatives > 0 {
      let sampler = NegativeSampler(count: derivation.popularNegatives, seed: seed)
      tables.append(
        try sampler.popularNegatives(
          histories, trainEnds: trainEnds, validEnds: validEnds, trainCounts: groups.trainCounts))
    }
    return tables
  }

  private func pairs(
    _ histories: Histories, _ trainEnds: [UInt32], _ itemCount: Int,
    _ counters: inout [String: JSONValue]
  ) throws(PipelineError) -> [TableSource] {
    let kinds = derivation.pairs.kinds
    guard !kinds.isEmpty else { return [] }
    let made = try derivation.pairBuilder.pairs(
      kinds, histories, trainEnds: trainEnds, itemCount: itemCount)
    for (kind, pairs) in zip(kinds, made) {
      counters[kind == .ppmi ? "pairsPpmi" : "pairsDecay"] = JSONValue(
        pairs.neighbours.values.count)
    }
    return zip(kinds, made).map { TableSource($1.table($0)) }
  }

  private func split(_ histories: Histories) throws(PipelineError) -> Split {
    switch derivation.split {
    case .leaveOneOut: return .last(1)
    case .last: return .last(derivation.heldOut ?? 1)
    case .time:
      guard let valid = derivation.validFrom, let test = derivation.testFrom else {
        throw PipelineError(.usage, "'--split time' needs '--valid-from' and '--test-from'")
      }
      let count = histories.eventCount
      let quantiles = [valid, test].compactMap(\.quantile)
      let places = quantiles.map { min(count - 1, Int(Double(count) * $0)) }
      var ordered = try histories.orderedTimes(places)[...]
      func cut(_ point: TimePoint) -> Int64 {
        point.quantile == nil ? point.microseconds : ordered.removeFirst()
      }
      let cuts = (valid: cut(valid), test: cut(test))
      guard cuts.valid <= cuts.test else {
        throw PipelineError(
          .configuration, "the test part would begin before the valid part",
          note: "give --valid-from an earlier time than --test-from")
      }
      return .time(valid: cuts.valid, test: cuts.test)
    }
  }

  private func sequences(
    _ data: DenseData, _ trainEnds: [UInt32], _ validEnds: [UInt32]
  ) -> TableSource {
    let rows = SequenceRows(
      histories: data.histories, userIDs: data.log.users, trainEnds: trainEnds,
      validEnds: validEnds, hasSeconds: input.timestampFormat != .none)
    return TableSource(
      kind: UserSequences.tableKind, rowByteCounts: rows.byteCounts
    ) { range throws(PipelineError) in try rows.sequences(range).table }
  }

  private func catalogue(
    _ data: DenseData, _ items: ItemTable?, _ groups: PopularityGroups
  ) -> Catalogue {
    let rows = data.kept.map { items?.ids.find(data.log.items[$0]).map(Int.init) }
    return Catalogue(
      itemIDs: data.kept.map { data.log.items.text($0) },
      titles: rows.map { row in row.flatMap { items?.titles[$0] } ?? "" },
      categories: rows.map { row in row.flatMap { items?.categories[$0] } ?? [] },
      texts: rows.map { row in row.flatMap { items?.texts[$0] } ?? "" },
      trainCounts: groups.trainCounts, isHead: groups.isHead, isTail: groups.isTail,
      buckets: groups.buckets)
  }

  private func count(
    _ histories: Histories, _ trainEnds: [UInt32], _ validEnds: [UInt32],
    _ groups: PopularityGroups, _ counters: inout [String: JSONValue]
  ) {
    let trainCount = trainEnds.reduce(0) { $0 + Int($1) }
    let validCount = validEnds.reduce(0) { $0 + Int($1) } - trainCount
    counters["users"] = JSONValue(histories.userCount)
    counters["items"] = JSONValue(groups.trainCounts.count)
    counters["interactions"] = JSONValue(histories.eventCount)
    counters["trainEvents"] = JSONValue(trainCount)
    counters["validEvents"] = JSONValue(validCount)
    counters["testEvents"] = JSONValue(histories.eventCount - trainCount - validCount)
    counters.merge(shares(groups, trainCount: trainCount)) { $1 }
  }

  /// The groups of items with their thresholds, and their shares of the items and of the train events.
  private func shares(_ groups: PopularityGroups, trainCount: Int) -> [String: JSONValue] {
    let itemCount = groups.trainCounts.count
    func share(_ part: Int, of whole: Int) -> JSONValue {
      JSONValue(whole == 0 ? 0 : Double(part) / Double(whole))
    }
    func group(_ threshold: JSONValue, _ isInside: (Int) -> Bool) -> JSONValue {
      let items = groups.trainCounts.indices.filter(isInside)
      let events = items.reduce(0) { $0 + Int(groups.trainCounts[$1]) }
      return [
        "threshold": threshold, "items": JSONValue(items.count),
        "shareOfItems": share(items.count, of: itemCount), "trainEvents": JSONValue(events),
        "shareOfTrainEvents": share(events, of: trainCount),
      ]
    }
    var all: [String: JSONValue] = [
      "head": group(.number(derivation.headShare)) { groups.isHead[$0] },
      "tail": group(JSONValue(derivation.tailThreshold)) { groups.isTail[$0] },
    ]
    var buckets: [String: JSONValue] = [:]
    for bucket in PopularityBucket.allCases {
      buckets[bucket.label] = JSONValue(groups.buckets.count { $0 == bucket })
      all[bucket.label] = group(.string(bucket.label)) { groups.buckets[$0] == bucket }
    }
    return [
      "groups": .object(all), "headItems": JSONValue(groups.isHead.count(where: \.self)),
      "tailItems": JSONValue(groups.isTail.count(where: \.self)),
      "itemsByBucket": .object(buckets),
      "headShareOfTrainEvents": all["head"]?["shareOfTrainEvents"] ?? .null,
    ]
  }
}
