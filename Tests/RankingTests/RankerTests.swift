import Numerics
import Retrieval
import ShardIO
import Testing

/// Ranks and lists are the same whatever the kind of scoring.
@Suite struct RankerTests {
  private static let userCount = 9
  private static let itemCount = 23

  /// Scores with many ties, whose users are told apart by the first item of their history.
  private let planted: PlantedScores = {
    var random = SplitMix(seed: 7)
    return .random(users: userCount, items: itemCount, width: 2, &random)
  }()

  private let histories = RaggedArray<UInt32>(
    (0..<userCount).map { user in
      [UInt32(user)] + (0..<user % 4).map { UInt32((3 * user + 5 * $0) % itemCount) }
    })
  /// That of user 4 is in its history.
  private let targets = (0..<userCount).map { $0 == 4 ? 4 : UInt32(($0 * 5 + 2) % itemCount) }
  private let candidates = RaggedArray<UInt32>(
    (0..<userCount).map { user in (0..<user).map { UInt32(($0 * 3 + user) % itemCount) } })

  private func users(_ scoring: Scoring) -> RankedUsers {
    Ranker(scoring, itemCount: Self.itemCount, threads: 2).users(histories)
  }

  private var vectors: Scoring { .vectors(PlantedVectors(scores: planted)) }

  private func lists(limit: Int) -> Scoring {
    .lists(PlantedLists(scores: planted, listLimit: limit))
  }

  @Test func `lists of all items rank and list as inner products do`() throws {
    let (exact, listed) = (users(vectors), users(lists(limit: Self.itemCount)))
    let expected = try #require(exact.ranks(of: targets, excluded: histories))
    #expect(listed.ranks(of: targets, excluded: histories) == expected)
    for (user, target) in targets.enumerated() {
      let others = Set(0..<Self.itemCount).subtracting(histories[user].map(Int.init))
      #expect(
        expected[user] == planted.definition(user: user, target: Int(target), among: others))
    }
    // Ties and targets that are in the history are among them.
    #expect(expected.contains { $0 != $0.rounded() })
    #expect(zip(targets.indices, targets).contains { histories[$0].contains($1) })
    for count in [1, 4, Self.itemCount] {
      let wanted = try #require(exact.top(count, excluded: histories))
      #expect(listed.top(count, excluded: histories) == wanted)
      for user in 0..<Self.userCount {
        let sorted = planted.sortedItems(user: user, without: Array(histories[user]))
        #expect(Array(wanted.items[user]) == Array(sorted.prefix(count)))
      }
    }
  }

  @Test func `candidates are ranked alike by all three kinds`() {
    let expected = users(vectors).ranks(of: targets, candidates: candidates)
    let pairs = Scoring.pairs(PlantedPairs(scores: planted))
    for scoring in [lists(limit: 1), pairs] {
      #expect(users(scoring).ranks(of: targets, candidates: candidates) == expected)
    }
    for user in 0..<Self.userCount {
      let others = Set(candidates[user].map(Int.init))
      #expect(
        expected[user]
          == planted.definition(user: user, target: Int(targets[user]), among: others))
    }
  }

  @Test func `some of the users are ranked as among all`() {
    let members = [7, 2, 5]
    let pairs = Scoring.pairs(PlantedPairs(scores: planted))
    for scoring in [vectors, lists(limit: 3), pairs] {
      let users = users(scoring)
      let all = users.ranks(of: targets, candidates: candidates)
      let some = users.ranks(
        of: members.map { targets[$0] },
        candidates: RaggedArray(members.map { Array(candidates[$0]) }), members: members)
      #expect(some == members.map { all[$0] })
    }
  }

  @Test func `a target beyond a short list is ranked infinitely far`() throws {
    let whole = try #require(users(vectors).ranks(of: targets, excluded: histories))
    for limit in [1, 5] {
      let ranks = try #require(users(lists(limit: limit)).ranks(of: targets, excluded: histories))
      for user in 0..<Self.userCount {
        let open = histories[user].filter { $0 != targets[user] }
        let list = planted.sortedItems(user: user, without: open).prefix(limit)
        if list.contains(targets[user]) {
          // A tie may go on behind the end of the list.
          #expect(ranks[user] <= whole[user] && ranks[user] <= Double(limit))
        } else {
          #expect(ranks[user] == .infinity)
        }
      }
      #expect(ranks.contains(.infinity) && (limit == 1 || ranks.contains { $0.isFinite }))
    }
  }

  @Test func `a model of pairs ranks no catalogue and lists nothing`() {
    let users = users(.pairs(PlantedPairs(scores: planted)))
    #expect(users.reading == nil)
    #expect(users.ranks(of: targets, excluded: histories) == nil)
    #expect(users.top(3, excluded: histories) == nil)
  }

  @Test func `a target whose score is no number comes last, also among its own candidates`() {
    // Every other user has the target among the candidates, and once more.
    let own = RaggedArray(
      (0..<Self.userCount).map { user in
        Array(candidates[user]) + (user % 2 == 0 ? [] : [targets[user], targets[user]])
      })
    let expected = (0..<Self.userCount).map { user in
      Double(1 + candidates[user].count { $0 != targets[user] })
    }
    let broken = Set(targets)
    for scoring in [
      .vectors(PlantedVectors(scores: planted, broken: broken)),
      .lists(PlantedLists(scores: planted, listLimit: 1, broken: broken)),
      .pairs(PlantedPairs(scores: planted, broken: broken)),
    ] as [Scoring] {
      #expect(users(scoring).ranks(of: targets, candidates: own) == expected)
    }
  }
}

/// Planted scores as inner products.
private struct PlantedVectors: VectorScoring {
  let scores: PlantedScores
  var broken: Set<UInt32> = []

  func itemVectors(threads: Int) -> Matrix {
    var matrix = scores.itemMatrix
    for item in broken { matrix.values[Int(item) * matrix.columns] = .nan }
    return matrix
  }

  func read(_ histories: RaggedArray<UInt32>, threads: Int) -> UserReading {
    UserReading(
      states: Matrix(
        rows: histories.count, columns: 2,
        values: (0..<histories.count).flatMap { scores.users[user(histories[$0])] }))
  }
}

/// The user whose history begins with this item.
private func user(_ history: ArraySlice<UInt32>) -> Int { history.first.map { Int($0) } ?? 0 }

/// Planted scores as lists.
private struct PlantedLists: ListScoring {
  let scores: PlantedScores
  let listLimit: Int
  var broken: Set<UInt32> = []

  func lists(
    _ histories: RaggedArray<UInt32>, count: Int, excluded: RaggedArray<UInt32>, threads: Int
  ) -> TopItems {
    let items = (0..<histories.count).map { row in
      Array(
        scores.sortedItems(user: user(histories[row]), without: Array(excluded[row])).prefix(count))
    }
    return TopItems(
      items: RaggedArray(items),
      scores: self.scores(histories, candidates: RaggedArray(items), threads: threads))
  }

  func scores(
    _ histories: RaggedArray<UInt32>, candidates: RaggedArray<UInt32>, threads: Int
  ) -> RaggedArray<Float> {
    PlantedPairs(scores: scores, broken: broken)
      .scores(histories, candidates: candidates, threads: threads)
  }
}

/// Planted scores of pairs, some of which are no numbers.
private struct PlantedPairs: PairScoring {
  let scores: PlantedScores
  var broken: Set<UInt32> = []

  func scores(
    _ histories: RaggedArray<UInt32>, candidates: RaggedArray<UInt32>, threads: Int
  ) -> RaggedArray<Float> {
    RaggedArray(
      (0..<histories.count).map { row in
        candidates[row].map { item in
          broken.contains(item)
            ? .nan : Float(scores.score(user: user(histories[row]), item: Int(item)))
        }
      })
  }
}
