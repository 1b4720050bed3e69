import Retrieval
import ShardIO
import Testing

@Suite struct TopItemsTests {
  @Test func `best first, equal scores by smaller item, history left out`() {
    let world = PlantedScores(users: [[1], [-1]], items: [[3], [1], [2], [2], [5], [2]])
    let top = topK(
      users: world.userMatrix, items: world.itemMatrix, count: 3,
      excluded: RaggedArray([[4], []]), threads: 1)
    #expect(Array(top.items[0]) == [0, 2, 3])
    #expect(Array(top.scores[0]) == [3, 2, 2])
    #expect(Array(top.items[1]) == [1, 2, 3])
  }

  @Test func `rows are short only where items run out`() {
    let world = PlantedScores(users: [[1], [1]], items: [[3], [1], [.nan]])
    let top = topK(
      users: world.userMatrix, items: world.itemMatrix, count: 2,
      excluded: RaggedArray([[0, 0], []]), threads: 1)
    #expect(Array(top.items[0]) == [1])
    #expect(Array(top.items[1]) == [0, 1])
    #expect(top.scores.offsets == [0, 1, 3])
    let all = topK(
      users: world.userMatrix, items: world.itemMatrix, count: 100,
      excluded: RaggedArray([[], []]), threads: 1)
    #expect(Array(all.items[1]) == [0, 1])
  }

  @Test(arguments: [1, 10, 480, 1500])
  func `equals a full sort at every tile edge`(count: Int) {
    var random = SplitMix(seed: UInt64(count))
    for (users, items) in [(1, 1), (3, 479), (count == 10 ? 385 : 1, 481), (2, 1441)] {
      let world = PlantedScores.random(users: users, items: items, width: 6, &random)
      let excluded = (0..<users).map { _ in
        (0..<random.next(below: 9)).map { _ in UInt32(random.next(below: items)) }
      }
      let expected = (0..<users).map { user in
        Array(world.sortedItems(user: user, without: excluded[user]).prefix(count))
      }
      for threads in [1, 2] {
        let top = topK(
          users: world.userMatrix, items: world.itemMatrix, count: count,
          excluded: RaggedArray(excluded), threads: threads)
        #expect((0..<users).map { Array(top.items[$0]) } == expected)
      }
    }
  }
}
