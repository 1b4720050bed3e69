import Numerics
import Testing

@testable import Tokenize

/// The largest total weight over all permutations.
private func bestTotal(_ count: Int, _ weights: [Assignment.Pair: Int]) -> Int {
  func search(_ row: Int, _ free: Set<Int>) -> Int {
    free.map { column in
      (weights[.init(row: row, column: column)] ?? 0) + search(row + 1, free.subtracting([column]))
    }.max() ?? 0
  }
  return search(0, Set(0..<count))
}

private func total(_ columns: [Int], _ weights: [Assignment.Pair: Int]) -> Int {
  columns.enumerated().reduce(0) { $0 + (weights[.init(row: $1.offset, column: $1.element)] ?? 0) }
}

struct `Assignments` {
  @Test(arguments: 0..<40)
  func `finds the largest total weight`(seed: Int) {
    let random = CounterRandom(seed: UInt64(seed), stream: 0)
    let count = seed % 7
    var weights: [Assignment.Pair: Int] = [:]
    for index in 0..<count * count where random.uniform(UInt64(index)) < 0.6 {
      weights[.init(row: index / count, column: index % count)] =
        random.integer(below: 5, UInt64(100 + index))
    }
    let columns = Assignment(count: count, weights: weights).columns
    #expect(columns.sorted() == Array(0..<count))
    #expect(total(columns, weights) == bestTotal(count, weights))
  }

  @Test func `above the exact limit is still a permutation that takes the heavy pairs`() {
    let count = Assignment.exactLimit + 1
    var weights: [Assignment.Pair: Int] = [:]
    for row in 0..<count - 2 { weights[.init(row: row, column: row + 2)] = 3 }
    let columns = Assignment(count: count, weights: weights).columns
    #expect(columns.sorted() == Array(0..<count))
    #expect(total(columns, weights) == 3 * (count - 2))
  }
}
