import TestSupport
import Testing

@testable import Numerics
@testable import Tape

/// Smooth activations, gates, dropout by itself and mixtures with constant shares.
@Suite struct ActivationTests {
  @Test(arguments: LinearTests.sizes)
  func `linear and GELU`(size: (Int, Int, Int)) throws {
    // Wide enough for both tails.
    let inputs: [Input] = [
      .tensor(.noise(size.0, size.1, seed: 1, scale: 3)),
      .parameter(.noise(size.2, size.1, seed: 2)), .parameter(.noise(1, size.2, seed: 3)),
    ]
    try check(.linearGELU, inputs) {
      $0.tape.linearGELU($0.tensor(0), $0.parameter(1), bias: $0.parameter(2))
    } reference: {
      $0[0].linear($0[1], bias: $0[2]).gelu
    }
  }

  @Test(arguments: Shape.awkward)
  func `a mixture has constant shares`(shape: Shape) throws {
    let inputs: [Input] = (1...2).map { .tensor(.noise(shape.rows, shape.width, seed: $0)) }
    try check(.blend, inputs) {
      $0.tape.blend($0.tensor(0), $0.tensor(1), share: 0.75)
    } reference: { grids in
      Grid(shape.rows, shape.width) { 0.75 * grids[0][$0, $1] + 0.25 * grids[1][$0, $1] }
    }
  }

  @Test func `dropout by itself scales what it keeps, and its gradient has the same mask`() throws {
    let ones = Grid(60, 50) { _, _ in 1 }
    let bench = OperationBench(
      [.tensor(ones)], randomness: CounterRandom(seed: 3, stream: 5))
    let y = bench.tape.dropout(bench.tensor(0), rate: 0.25)
    let mask = y.array
    #expect(Set(mask) == [0, 1 / (1 - Float(0.25))])
    // 3,000 draws: five standard deviations are 119.
    #expect(abs(mask.count { $0 == 0 } - 750) < 119)
    #expect(bench.differentiate(y, towards: ones.floats)[0] == mask)
    let still = OperationBench([.tensor(ones)])
    #expect(still.tape.dropout(still.tensor(0), rate: 0.25).array == ones.floats)
  }

  @Test(arguments: Shape.awkward)
  func `gates are activations times what passes them`(shape: Shape) throws {
    let inputs: [Input] = [
      .tensor(.noise(shape.rows, shape.width, seed: 1, scale: 4)),
      .tensor(.noise(shape.rows, shape.width, seed: 2)),
    ]
    try check(.gate, inputs) {
      $0.tape.multiply($0.tape.sigmoid($0.tensor(0)), $0.tensor(1))
    } reference: {
      $0[0].sigmoid * $0[1]
    }
    try check(.gate, inputs) {
      $0.tape.multiply($0.tape.silu($0.tensor(0)), $0.tensor(1))
    } reference: {
      $0[0] * $0[0].sigmoid * $0[1]
    }
  }
}

/// Rows that are put among others, and added to them.
@Suite struct RowInsertionTests {
  @Test(arguments: [[0, 1, 2, 3], [], [2], [0, 4], [0, 1, 2, 3, 4, 5, 6]] as [[UInt32]])
  func `a learned row stands at its places`(places: [UInt32]) throws {
    let rows = 7 - places.count
    let inputs: [Input] = [
      .tensor(.noise(rows, 5, seed: 1)), .parameter(.noise(1, 5, seed: 2)),
    ]
    let all = (0..<UInt32(7)).filter { !places.contains($0) }
    try check(.insertRows, inputs) {
      $0.tape.insertRows($0.tensor(0), $0.parameter(1), at: places)
    } reference: { grids in
      Grid(7, 5) { row, column in
        all.firstIndex(of: UInt32(row)).map { grids[0][$0, column] } ?? grids[1][0, column]
      }
    }
  }

  @Test func `position rows are added to what is on the tape`() throws {
    let indices: [UInt32] = [0, 2, 1, 0, 0, 3]
    let inputs: [Input] = [.tensor(.noise(6, 17, seed: 1)), .parameter(.noise(4, 17, seed: 2))]
    try check(.add, inputs) {
      $0.tape.addRows(
        $0.tensor(0), PositionIDs(indices: indices, table: $0.parameter(1)))
    } reference: { grids in
      Grid(6, 17) { grids[0][$0, $1] + grids[1][Int(indices[$0]), $1] }
    }
  }
}
