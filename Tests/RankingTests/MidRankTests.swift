import Metrics
import ShardIO
import Testing

@Suite struct MidRankTests {
  @Test func `a tie counts half and the history does not count`() {
    // Scores of the one user: 3, 1, 2, 2, 5, 2.
    let world = PlantedScores(users: [[1]], items: [[3], [1], [2], [2], [5], [2]])
    #expect(world.ranks(targets: [4]) == [1])
    #expect(world.ranks(targets: [2]) == [4])  // 1 + 2 greater + 2 equal / 2
    #expect(world.ranks(targets: [2], excluded: [[4, 3, 4]]) == [2.5])  // 1 + 1 + 1 / 2
    #expect(world.ranks(targets: [1]) == [6])
  }

  @Test func `a target in the history is ranked all the same`() {
    let world = PlantedScores(users: [[1]], items: [[3], [1], [2]])
    #expect(world.ranks(targets: [2], excluded: [[2, 0]]) == [1])
  }

  @Test func `a target whose score is not a number is last`() {
    let world = PlantedScores(users: [[1]], items: [[3], [.nan], [2]])
    #expect(world.ranks(targets: [1]) == [3])
    #expect(world.ranks(targets: [2]) == [2])
    #expect(world.ranks(targets: [1], candidates: [[0, 2]]) == [3])
  }

  @Test func `no users and one item are no special cases`() {
    #expect(PlantedScores(users: [], items: [[1]]).ranks(targets: []) == [])
    #expect(PlantedScores(users: [[1]], items: [[0]]).ranks(targets: [0]) == [1])
  }

  @Test(arguments: [(1, 1), (2, 479), (383, 480), (384, 481), (385, 961)])
  func `full ranking equals the definition at every tile edge`(users: Int, items: Int) {
    var random = SplitMix(seed: UInt64(users * 10_000 + items))
    for width in users * items > 50_000 ? [3] : [1, 7, 65] {
      let world = PlantedScores.random(users: users, items: items, width: width, &random)
      let targets = (0..<users).map { _ in UInt32(random.next(below: items)) }
      let excluded = (0..<users).map { _ in
        (0..<random.next(below: 20)).map { _ in UInt32(random.next(below: items)) }
      }
      let expected = (0..<users).map { user in
        world.definition(
          user: user, target: Int(targets[user]),
          among: Set(0..<items).subtracting(excluded[user].map { Int($0) }))
      }
      #expect(world.ranks(targets: targets, excluded: excluded) == expected)
      #expect(world.ranks(targets: targets, excluded: excluded, threads: 2) == expected)
    }
  }

  @Test func `ranks among candidates equal the definition`() {
    var random = SplitMix(seed: 3)
    let world = PlantedScores.random(users: 250, items: 90, width: 5, &random)
    let targets = (0..<250).map { _ in UInt32(random.next(below: 90)) }
    let candidates = targets.map { target in
      (0..<90).filter { $0 != target && random.next(below: 3) == 0 }.map { UInt32($0) }
    }
    let expected = (0..<250).map { user in
      world.definition(
        user: user, target: Int(targets[user]), among: Set(candidates[user].map { Int($0) }))
    }
    #expect(world.ranks(targets: targets, candidates: candidates) == expected)
    #expect(world.ranks(targets: targets, candidates: candidates, threads: 2) == expected)
  }

  @Test func `equal vectors tie exactly wherever they stand in the catalogue`() {
    var random = SplitMix(seed: 5)
    for width in [3, 64, 128, 200] {
      let vector = (0..<width).map { _ in random.nextUnit() }
      let users = (0..<195).map { _ in (0..<width).map { _ in random.nextUnit() } }
      let world = PlantedScores(users: users, items: Array(repeating: vector, count: 1001))
      let targets = (0..<195).map { UInt32($0 * 5 + 3) }
      #expect(Set(world.ranks(targets: targets)) == [501])
    }
  }

  @Test func `constant scores stand at chance and hit nothing`() {
    let world = PlantedScores(
      users: Array(repeating: [1], count: 7), items: Array(repeating: [2], count: 101))
    let ranks = world.ranks(targets: Array(0..<7))
    #expect(ranks == Array(repeating: 51, count: 7))
    let areas = ranks.map { areaUnderCurve($0, candidateCount: 101) }
    #expect(areas == Array(repeating: 0.5, count: 7))
    #expect(ranks.map { hitRate($0, 20) }.reduce(0, +) == 0)
    let negatives: [[UInt32]] = Array(repeating: Array(1...100), count: 7)
    let zeros = [UInt32](repeating: 0, count: 7)
    #expect(world.ranks(targets: zeros, candidates: negatives) == ranks)
  }
}
