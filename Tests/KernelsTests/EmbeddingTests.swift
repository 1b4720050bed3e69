import TestSupport
import Testing

@testable import Tape

/// Rows of tables and of matrices, and what flows back to them.
@Suite struct EmbeddingTests {
  /// `count` numbers below `bound`, with repetitions.
  private func indices(_ count: Int, below bound: Int, seed: Int) -> [UInt32] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in UInt32.random(in: 0..<UInt32(bound), using: &generator) }
  }

  @Test(arguments: Shape.awkward, [1, 3, 4])
  func `rows of a table, or means of several, and places`(shape: Shape, perRow: Int) throws {
    let chosen = indices(shape.rows * perRow, below: 5, seed: 1)
    let places = indices(shape.rows, below: 6, seed: 2)
    try check(
      .embed,
      [.table(.noise(5, shape.width, seed: 3)), .parameter(.noise(6, shape.width, seed: 4))]
    ) {
      $0.tape.embed(
        $0.table(0), chosen, indicesPerRow: perRow, scale: 2.5,
        positions: PositionIDs(indices: places, table: $0.parameter(1)), rate: 0.5)
    } reference: {
      $0[0].embed(chosen, perToken: perRow, scale: 2.5, positions: $0[1], places: places)
    }
  }

  @Test func `two lookups of a table in one matrix add up in its gradient`() throws {
    let first: [UInt32] = [0, 2, 2]
    let second: [UInt32] = [2, 1, 0]
    let places: [UInt32] = [0, 1, 2]
    try check(.embed, [.table(.noise(4, 7, seed: 3)), .parameter(.noise(3, 7, seed: 4))]) { bench in
      let all = bench.tape.tensor(rows: 6, columns: 7)
      let positions = PositionIDs(indices: places, table: bench.parameter(1))
      bench.tape.embed(
        bench.table(0), first, scale: 1, positions: positions, rate: 0, into: all.slice(0..<3))
      bench.tape.embed(
        bench.table(0), second, scale: 3, positions: positions, rate: 0, into: all.slice(3..<6))
      return all
    } reference: {
      .stacked([
        $0[0].embed(first, scale: 1, positions: $0[1], places: places),
        $0[0].embed(second, scale: 3, positions: $0[1], places: places),
      ])
    }
  }

  @Test func `a table lists each row that was used, once`() {
    let bench = OperationBench([.table(.noise(9, 2, seed: 1)), .parameter(.noise(1, 2, seed: 2))])
    let output = bench.tape.embed(
      bench.table(0), [7, 3, 7, 0], scale: 1,
      positions: PositionIDs(indices: [0, 0, 0, 0], table: bench.parameter(1)), rate: 0)
    _ = bench.differentiate(output, towards: Array(repeating: 1, count: 8))
    #expect(bench.table(0).touchedRows == [7, 3, 0])
  }

  @Test(arguments: Shape.awkward)
  func `some rows of a matrix, with repetitions`(shape: Shape) throws {
    let chosen = indices(shape.rows + 3, below: shape.rows, seed: 1)
    try check(.rows, [.tensor(.noise(shape.rows, shape.width, seed: 2))]) {
      $0.tape.rows($0.tensor(0), chosen)
    } reference: {
      $0[0].rows(chosen.map(Int.init))
    }
  }
}
