import Dataset
import Numerics
import ShardIO

/// A recommender that only counts, to which every report compares the model.
enum Baseline: String, CaseIterable, Sendable {
  /// Items by training events.
  case popularity
  /// Items by training events of the last time.
  case recentPopularity = "recent-popularity"
  /// Items by how often they follow the last item directly.
  case lastItem = "last-item"
  /// Items by their likeness to the items of the history.
  case itemKNN = "item-knn"
  /// Items by a linear model in closed form, from the items of the history.
  case ease

  /// The name in tables.
  var title: String {
    switch self {
    case .popularity: "popularity"
    case .recentPopularity: "recent popularity"
    case .lastItem: "last-item neighbours"
    case .itemKNN: "item-kNN"
    case .ease: "EASE"
    }
  }

  /// How it scores, in words.
  ///
  /// - Parameter itemCount: items of the catalogue.
  /// - Returns: a phrase.
  func rule(itemCount: Int) -> String {
    switch self {
    case .popularity: "training events of the item"
    case .recentPopularity:
      """
      training events of the item not earlier than the first of the last tenth of all, by time; then training events
      """
    case .lastItem:
      "training events in which the item follows the last item of the history directly; then training events"
    case .itemKNN:
      """
      sum over the last \(Self.historyLimit) items of the history of the cosine of the users of both items in training, \
      100 neighbours an item; then training events
      """
    case .ease:
      """
      sum over the items of the history of the weights of a ridge regression of the item on \
      \(itemCount <= EASE.denseLimit ? "all others" : "its 100 neighbours of item-kNN"), penalty \(Int(EASE.penalty)); \
      then training events
      """
    }
  }

  /// Items of a history that item-kNN reads, from its end.
  static let historyLimit = 50
}

/// Ranks the cases with each baseline among the candidates of the full ranking.
struct BaselineRanker: Sendable {
  /// The baselines that the data allow: without times of events there is no recent past.
  let baselines: [Baseline]
  private let popularity: PopularityOrder
  private let recent: PopularityOrder
  private let transitions: ItemGraph
  private let cosines: ItemGraph
  private let ease: EASE
  private let sequences: UserSequences
  private let threads: Int

  /// Counts what the baselines need, on training events alone.
  ///
  /// - Parameters:
  ///   - data: users and items.
  ///   - hasTimes: whether the times of events are times, and not places in the log.
  ///   - threads: threads to use; no rank depends on it.
  init(_ data: PreprocessedData, hasTimes: Bool, threads: Int) {
    baselines = Baseline.allCases.filter { hasTimes || $0 != .recentPopularity }
    popularity = PopularityOrder(data.catalogue)
    recent = PopularityOrder(recentOf: data.sequences, data.catalogue)
    sequences = data.sequences
    let itemCount = data.catalogue.count
    transitions = ItemGraph(transitionsOf: data.sequences, itemCount: itemCount)
    cosines = ItemGraph(cosinesOf: data.sequences, itemCount: itemCount, threads: threads)
    ease = EASE(
      data.sequences, neighbours: cosines, itemCount: itemCount, threads: threads)
    self.threads = threads
  }

  /// The mid-ranks of all targets.
  ///
  /// - Parameters:
  ///   - baseline: what ranks.
  ///   - cases: who is ranked.
  ///   - allowsRepeats: whether items of the history compete, the target as any other.
  /// - Returns: one rank a case, the same for any number of threads.
  func ranks(_ baseline: Baseline, _ cases: EvaluationCases, allowsRepeats: Bool) -> [Double] {
    let blockSize = 256
    let blockCount = (cases.count + blockSize - 1) / blockSize
    return parallelMap(blockCount, threads: threads) { block in
      var board = ScoreBoard(itemCount: popularity.counts.count)
      return (block * blockSize..<min(cases.count, (block + 1) * blockSize)).map { position in
        let history = sequences.items[cases.users[position]].prefix(cases.historyLengths[position])
        board.clear()
        score(history, baseline, on: &board)
        let excluded = allowsRepeats ? [] : Set(history)
        let target = cases.targets[position]
        // As the model's targets: last where it is no candidate.
        guard !excluded.contains(target) else {
          return Double(popularity.counts.count - excluded.count + 1)
        }
        let order = baseline == .recentPopularity ? recent : popularity
        return order.midRank(of: target, board, excluded: excluded)
      }
    }.flatMap(\.self)
  }

  private func score(
    _ history: ArraySlice<UInt32>, _ baseline: Baseline, on board: inout ScoreBoard
  ) {
    switch baseline {
    case .popularity, .recentPopularity: return
    case .lastItem:
      guard let last = history.last else { return }
      for next in transitions.neighbours[Int(last)] { board.add(next.weight, to: next.item) }
    case .itemKNN:
      // Ascending, so that sums do not depend on the order of a set.
      for item in Set(history.suffix(Baseline.historyLimit)).sorted() {
        for other in cosines.neighbours[Int(item)] { board.add(other.weight, to: other.item) }
      }
    case .ease: ease.score(Set(history).sorted(), on: &board)
    }
  }
}
