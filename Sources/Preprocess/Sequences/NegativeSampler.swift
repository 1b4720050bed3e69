internal import Dataset
internal import Numerics
internal import ShardIO

/// Draws the items that test targets are ranked against in the sampled protocol.
struct NegativeSampler: Sendable {
  /// The negatives of a user.
  var count: Int
  var seed: UInt64

  /// The random stream of the draws; one user has a stream of its own below it.
  private static let stream: UInt64 = 0x4E45_4741

  /// Draws for every user that has a test target, uniformly and without replacement, outside of the user's whole history.
  ///
  /// A user for whom fewer items are left gets all of them.
  ///
  /// - Returns: the table, whose rows are drawn when they are written.
  /// - Throws: ``PipelineError`` `.inputOutput` if the temporary file fails.
  func negatives(
    _ histories: Histories, validEnds: [UInt32], itemCount: Int
  ) throws(PipelineError) -> TableSource {
    let drawing = NegativeDrawing(
      kind: .uniform, count: { drawnCount($0, itemCount: itemCount) },
      draw: { user, history, lastUser in draw(user, history, &lastUser) })
    return try table(histories, validEnds: validEnds, itemCount: itemCount, drawing)
  }

  /// One kind of negatives.
  struct NegativeDrawing: Sendable {
    let kind: EvaluationNegatives.Kind
    /// The negatives that a user with a history gets.
    let count: @Sendable (ArraySlice<UInt32>) -> Int
    /// The negatives of a row with a history; the last is scratch: for each item, 1 + the last row it was taken for.
    let draw: @Sendable (Int, ArraySlice<UInt32>, inout [UInt32]) -> [UInt32]
  }

  /// The table of one kind of negatives, for every user that has a test target; its rows are drawn when they are written.
  func table(
    _ histories: Histories, validEnds: [UInt32], itemCount: Int, _ drawing: NegativeDrawing
  ) throws(PipelineError) -> TableSource {
    let counts = try histories.map { firstRow, part in
      (0..<part.userCount).filter { Int(validEnds[firstRow + $0]) < part.range(of: $0).count }
        .map { drawing.count(part.items[part.range(of: $0)]) }
    }
    // The row of the table with which each part begins.
    let firsts = counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    let rowByteCounts = counts.joined().map { EvaluationNegatives.rowByteCount(negativeCount: $0) }
    return TableSource(
      kind: drawing.kind.tableKind, rowByteCounts: rowByteCounts
    ) { rows throws(PipelineError) in
      var drawn = EvaluationNegatives(users: [], negatives: RaggedArray())
      var lastUser = [UInt32](repeating: 0, count: itemCount)
      let starts = histories.firstRows
      for index in histories.parts.indices {
        let wanted = rows.clamped(to: firsts[index]..<firsts[index + 1])
        if wanted.isEmpty { continue }
        let part = try histories.part(index)
        let tested = (0..<part.userCount).filter {
          Int(validEnds[starts[index] + $0]) < part.range(of: $0).count
        }
        for user in tested[wanted.lowerBound - firsts[index]..<wanted.upperBound - firsts[index]] {
          let row = starts[index] + user
          drawn.users.append(UInt32(row))
          drawn.negatives.append(
            contentsOf: drawing.draw(row, part.items[part.range(of: user)], &lastUser))
        }
      }
      return drawn.table(drawing.kind)
    }
  }

  /// The negatives of a user with a history.
  private func drawnCount(_ history: ArraySlice<UInt32>, itemCount: Int) -> Int {
    itemCount - history.count >= count
      ? count : min(count, itemCount - Set(history).count)
  }

  /// `lastUser` is scratch: for each item, 1 + the last user it was taken for.
  private func draw(
    _ user: Int, _ history: ArraySlice<UInt32>, _ lastUser: inout [UInt32]
  ) -> [UInt32] {
    let mark = UInt32(user) + 1
    var taken = 0
    for item in history where lastUser[Int(item)] != mark {
      lastUser[Int(item)] = mark
      taken += 1
    }
    let free = lastUser.count - taken
    let random = CounterRandom(seed: seed &+ Self.stream, stream: UInt64(user))
    // Rejection is quick while at most half of the items are taken in the end; otherwise choose from the list.
    guard free >= lastUser.count / 2 + count else {
      return choose(lastUser.indices.filter { lastUser[$0] != mark }, random)
    }
    var chosen: [UInt32] = []
    chosen.reserveCapacity(count)
    var index: UInt64 = 0
    while chosen.count < count {
      let item = random.integer(below: lastUser.count, index)
      index += 1
      if lastUser[item] == mark { continue }
      lastUser[item] = mark
      chosen.append(UInt32(item))
    }
    return chosen.sorted()
  }

  /// A partial Fisher-Yates shuffle.
  private func choose(_ candidates: [Int], _ random: CounterRandom) -> [UInt32] {
    var candidates = candidates
    let size = min(count, candidates.count)
    for place in 0..<size {
      let other = place + random.integer(below: candidates.count - place, UInt64(place))
      candidates.swapAt(place, other)
    }
    return candidates[..<size].map { UInt32($0) }.sorted()
  }
}
