import Dataset
import Numerics
import Retrieval
import ShardIO

/// A few users whose lists a person can judge: what they did, what they were given, what they took next, and why.
struct ExampleUsers {
  /// Items of the list, and of the history's end, that are shown.
  static let listLength = 10
  static let historyLength = 8

  /// What an example is an example of, with its rule on rank, head target and history length; the first user that fits is taken.
  private static let kinds: [(name: String, fits: @Sendable (Double, Bool, Int) -> Bool)] = [
    ("a rare item, found", { $0 <= 10 && !$1 && $2 >= 3 }),
    ("a popular item, found", { $0 <= 10 && $1 && $2 >= 3 }),
    ("a near miss", { $0 > 10 && $0 <= 50 && $2 >= 3 }),
    ("a miss", { $0 > 50 && $2 >= 3 }),
    ("a short history", { $0 <= 50 && (1..<5).contains($2) }),
  ]

  let data: PreprocessedData
  let codes: ItemCodes?
  let threads: Int
  /// Whether items of the history may be in a list.
  var allowsRepeats = false

  /// The examples as they stand in report.json.
  func json(
    _ cases: EvaluationCases, _ ranks: CaseRanks, _ ranker: Ranker,
    attention: (@Sendable (ArraySlice<UInt32>) -> [(branch: String, weights: [Float])])?
  ) -> JSONValue {
    var chosen: [(name: String, index: Int)] = []
    for kind in Self.kinds {
      let found = ranks.cases.indices.first { index in
        let position = ranks.cases[index]
        return !chosen.contains { $0.index == index }
          && kind.fits(
            ranks.ranks[index], data.catalogue.isHead[Int(cases.targets[position])],
            cases.historyLengths[position])
      }
      if let found { chosen.append((kind.name, found)) }
    }
    let words = codes.map { CodeWords($0, data.catalogue) }
    return .array(
      chosen.compactMap { name, index in
        let position = ranks.cases[index]
        let history = cases.histories(position..<position + 1, in: data.sequences)
        let excluded = allowsRepeats ? RaggedArray(emptyRows: 1) : history
        guard let top = ranker.users(history).top(Self.listLength, excluded: excluded) else {
          return nil
        }
        return example(
          name, user: cases.users[position], history: Array(history.values), top: top,
          truth: cases.targets[position], rank: ranks.ranks[index], words,
          Attention(attention?(history.values[...]) ?? [], historyLength: history.values.count)
        )
      })
  }

  private func example(
    _ kind: String, user: Int, history: [UInt32], top: TopItems, truth: UInt32, rank: Double,
    _ words: CodeWords?, _ attention: Attention
  ) -> JSONValue {
    let list = zip(top.items[0], top.scores[0]).map { item, score in
      var entry = describe(item, words)
      entry["score"] = .number(Double(score))
      entry["isTruth"] = .bool(item == truth)
      entry["because"] = reason(item, history, attention)
      return JSONValue.object(entry)
    }
    var target = describe(truth, words)
    target["rank"] = rank.isFinite ? .number(rank) : .null
    let shown = history.indices.suffix(Self.historyLength)
    var members: [String: JSONValue] = [
      "kind": .string(kind), "user_id": .string(data.userIDs[user]),
      "historyLength": JSONValue(history.count),
      "history": .array(
        shown.map { place in
          var entry = describe(history[place], words)
          entry["attention"] = attention.json(place..<place + 1)
          return .object(entry)
        }),
      "truth": .object(target), "list": .array(list),
    ]
    if shown.startIndex > 0 { members["earlierAttention"] = attention.json(0..<shown.startIndex) }
    return .object(members)
  }

  /// Id, title, codes and their words.
  private func describe(_ item: UInt32, _ words: CodeWords?) -> [String: JSONValue] {
    let index = Int(item)
    var entry: [String: JSONValue] = [
      "item_id": .string(data.catalogue.itemIDs[index]),
      "title": .string(data.catalogue.titles[index]),
      "trainCount": JSONValue(data.catalogue.trainCounts[index]),
    ]
    if let codes { entry["codes"] = .array(codes.tuple(of: index).map { JSONValue($0) }) }
    if let words { entry["words"] = .string(words.text(of: index)) }
    return entry
  }

  /// The latest history item with the longest shared code prefix; nil where none shares the first code.
  private func reason(
    _ item: UInt32, _ history: [UInt32], _ attention: Attention
  ) -> JSONValue? {
    guard let codes else { return nil }
    let own = codes.tuple(of: Int(item))
    var best: (length: Int, place: Int)?
    for place in history.indices.reversed() {
      let length = zip(own, codes.tuple(of: Int(history[place]))).prefix { $0 == $1 }.count
      if length > best?.length ?? 0 { best = (length, place) }
    }
    return best.map { best in
      let index = Int(history[best.place])
      var entry: [String: JSONValue] = [
        "sharedLevels": JSONValue(best.length),
        "title": .string(data.catalogue.titles[index]),
        "item_id": .string(data.catalogue.itemIDs[index]),
      ]
      entry["attention"] = attention.json(best.place..<best.place + 1)
      return .object(entry)
    }
  }
}

/// How much each event of a history counts, by branch; events before those that the model reads count nothing.
private struct Attention {
  private let branches: [(name: String, weights: [Float])]
  private let historyLength: Int

  init(_ branches: [(branch: String, weights: [Float])], historyLength: Int) {
    self.branches = branches.map { ($0.branch, $0.weights) }
    self.historyLength = historyLength
  }

  /// The sum over some events by branch; nil for a model without attention.
  func json(_ places: Range<Int>) -> JSONValue? {
    guard !branches.isEmpty else { return nil }
    return .object(
      Dictionary(
        uniqueKeysWithValues: branches.map { name, weights in
          let skipped = historyLength - weights.count
          let sum = places.reduce(0) { sum, place in
            sum + (place < skipped ? 0 : Double(weights[place - skipped]))
          }
          return (name, .number(sum))
        }))
  }
}
