import Dataset
import Numerics
import Retrieval
import ShardIO
import TextOutput

/// Writes the best items of every user, with the ids of the user's own data.
///
/// What a user is given is what the model expects next after everything the user did, the held-out events included. A user
/// without a history gets the items with the most train interactions, without scores. Users are scored block
/// by block and the file is streamed, so the memory does not grow with the number of users.
struct RecommendationWriter {
  /// What was written.
  struct Counts: Equatable {
    /// Users with a list.
    var userCount = 0
    /// Those of them without a history.
    var fallbackCount = 0
    /// Places of all lists that new items hold.
    var newItemCount = 0
  }

  let audience: Audience
  /// The items that may be recommended, ascending.
  let eligible: [UInt32]
  let catalogue: Catalogue
  let reranker: Reranker
  /// Items that are counted in the lists: those that the model was not trained with.
  var newItems = 0..<0
  /// Whether items of the history may be given again.
  let allowsRepeats: Bool
  let threads: Int
  let encoding: RecommendationEncoding
  /// How many ids of each list of items are those of items, by the list.
  var matchedIDs: [String: Int] = [:]

  /// Writes the file.
  ///
  /// - Parameters:
  ///   - scoring: the model.
  ///   - items: the vectors of the items that may be listed, `[I, w]`; nil for a model without vectors.
  ///   - output: gets the file.
  ///   - progress: called with the number of users done since the last call.
  /// - Returns: what was written.
  /// - Throws: `PipelineError`: `.inputOutput`; `.dataFormat` if the model gives scores that are not numbers.
  func write(
    _ scoring: Scoring, items: Matrix?, to output: inout StageOutput, progress: (Int) -> Void
  ) throws(PipelineError) -> Counts {
    let vectors = items.map(eligibleVectors)
    let fallback = fallbackList()
    var counts = Counts()
    var file = try ListFile("recommendations", encoding, in: output)
    var bytes = encoding.header
    for first in stride(from: 0, to: audience.count, by: CaseRanker.blockSize) {
      let block = first..<min(audience.count, first + CaseRanker.blockSize)
      var histories = RaggedArray<UInt32>()
      for user in block { histories.append(contentsOf: audience.history(user)) }
      let lists = try lists(scoring, vectors, histories)
      for user in block {
        let isFallback = histories[user - first].isEmpty
        let list = isFallback ? (items: fallback, scores: []) : lists[user - first]
        counts.fallbackCount += isFallback ? 1 : 0
        counts.newItemCount += list.items.count { newItems.contains(Int($0)) }
        encoding.append(
          user: audience.id(user), items: list.items, scores: list.scores, to: &bytes)
      }
      counts.userCount += block.count
      try file.append(bytes)
      bytes.removeAll(keepingCapacity: true)
      progress(block.count)
    }
    if !bytes.isEmpty { try file.append(bytes) }
    try file.end(in: &output)
    return counts
  }

  /// The vectors of the items that may be recommended.
  private func eligibleVectors(_ items: Matrix) -> Matrix {
    guard eligible.count < items.rows else { return items }
    var values: [Float] = []
    values.reserveCapacity(eligible.count * items.columns)
    for item in eligible { values.append(contentsOf: items[row: Int(item)]) }
    return Matrix(rows: eligible.count, columns: items.columns, values: values)
  }

  /// The best eligible items of a block of users, before they are ranked again.
  ///
  /// - Returns: places among ``eligible``.
  private func pool(
    _ scoring: Scoring, _ vectors: Matrix?, _ histories: RaggedArray<UInt32>
  ) throws(PipelineError) -> TopItems {
    let count = reranker.poolSize(catalogue: eligible.count)
    switch scoring {
    case .vectors(let model):
      let users = model.read(histories, threads: threads).states
      guard let vectors, users.values.allSatisfy(\.isFinite) else { throw .modelNotFinite("user") }
      return topK(
        users: users, items: vectors, count: count, excluded: excluded(histories),
        threads: threads)
    case .lists(let model):
      return eligibleLists(model, histories, count)
    case .pairs:
      throw .noListsOfPairs()
    }
  }

  /// The lists of a model that makes lists, without items that may not be recommended.
  private func eligibleLists(
    _ model: any ListScoring, _ histories: RaggedArray<UInt32>, _ count: Int
  ) -> TopItems {
    let places = Dictionary(uniqueKeysWithValues: zip(eligible, UInt32(0)...))
    let barred = (0..<UInt32(catalogue.count)).filter { places[$0] == nil }
    let own = excluded(histories)
    var closed = RaggedArray<UInt32>()
    for user in 0..<histories.count {
      closed.append(contentsOf: own[user].map { eligible[Int($0)] } + barred)
    }
    let lists = model.lists(histories, count: count, excluded: closed, threads: threads)
    return TopItems(
      items: RaggedArray(
        offsets: lists.items.offsets, values: lists.items.values.compactMap { places[$0] }),
      scores: lists.scores)
  }

  /// The final lists of a block of users.
  private func lists(
    _ scoring: Scoring, _ vectors: Matrix?, _ histories: RaggedArray<UInt32>
  ) throws(PipelineError) -> [(items: [UInt32], scores: [Float])] {
    let top = try pool(scoring, vectors, histories)
    return (0..<histories.count).map { user in
      let items = top.items[user].map { eligible[Int($0)] }
      let scores = Array(top.scores[user])
      guard reranker.changesOrder else { return (items, scores) }
      let order = reranker.order(items, scores)
      return (order.map { items[$0] }, order.map { scores[$0] })
    }
  }

  /// The histories as places among the eligible items.
  private func excluded(_ histories: RaggedArray<UInt32>) -> RaggedArray<UInt32> {
    guard !allowsRepeats else { return RaggedArray(emptyRows: histories.count) }
    guard eligible.count < catalogue.count else { return histories }
    var places = [UInt32](repeating: .max, count: catalogue.count)
    for (place, item) in eligible.enumerated() { places[Int(item)] = UInt32(place) }
    var result = RaggedArray<UInt32>()
    for user in 0..<histories.count {
      result.append(
        contentsOf: histories[user].map { places[Int($0)] }.filter { $0 != .max })
    }
    return result
  }

  /// The eligible items with the most train interactions, of equal ones the first in the catalogue.
  private func fallbackList() -> [UInt32] {
    let pool = reranker.poolSize(catalogue: eligible.count)
    let popular = eligible.sorted { first, second in
      let (a, b) = (catalogue.trainCounts[Int(first)], catalogue.trainCounts[Int(second)])
      return a == b ? first < second : a > b
    }.prefix(pool)
    let scores = popular.map { Float(catalogue.trainCounts[Int($0)]) }
    return reranker.order(Array(popular), scores).map { popular[$0] }
  }
}
