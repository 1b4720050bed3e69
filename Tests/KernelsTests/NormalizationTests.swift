import TestSupport
import Testing

@testable import Clustering
@testable import Tape

/// Layer norm, unit length, softmax.
@Suite struct NormalizationTests {
  // A row of one number has the derivative 0, which comes out as rounding times 1/√ε = 10⁴.
  @Test(arguments: Shape.awkward.filter { $0.width > 1 })
  func `layer norm`(shape: Shape) throws {
    try check(
      .layerNorm,
      [
        .tensor(.noise(shape.rows, shape.width, seed: 1)),
        .parameter(.noise(1, shape.width, seed: 2)), .parameter(.noise(1, shape.width, seed: 3)),
      ]
    ) {
      $0.tape.layerNorm($0.tensor(0), gain: $0.parameter(1), bias: $0.parameter(2))
    } reference: {
      $0[0].layerNorm(gain: $0[1], bias: $0[2])
    }
  }

  @Test func `layer norm of numbers far from zero`() throws {
    let x = Grid.noise(4, 64, seed: 1)
    try check(
      .layerNorm,
      [
        .tensor(Grid(4, 64, floats: x.values.map { Float($0 + 3) })),
        .parameter(.noise(1, 64, seed: 2)), .parameter(.noise(1, 64, seed: 3)),
      ]
    ) {
      $0.tape.layerNorm($0.tensor(0), gain: $0.parameter(1), bias: $0.parameter(2))
    } reference: {
      $0[0].layerNorm(gain: $0[1], bias: $0[2])
    }
  }

  @Test(arguments: Shape.awkward.filter { $0.width > 1 })
  func `rows of unit length`(shape: Shape) throws {
    try check(.normalizeRows, [.tensor(.noise(shape.rows, shape.width, seed: 1))]) {
      $0.tape.normalizeRows($0.tensor(0))
    } reference: {
      $0[0].normalizedRows
    }
  }

  @Test func `a number divided by its length is its sign and has no gradient`() {
    let bench = OperationBench([.tensor(Grid(3, 1, [2, -0.25, 7]))])
    let output = bench.tape.normalizeRows(bench.tensor(0))
    #expect(output.array == [1, -1, 1])
    let gradient = bench.differentiate(output, towards: [1, 1, 1])[0]
    #expect(gradient.allSatisfy { abs($0) < 1e-6 })
  }

  @Test func `a row of zeros stays zero and gets no gradient`() {
    let bench = OperationBench([.tensor(Grid(2, 2, [0, 0, 3, 4]))])
    let output = bench.tape.normalizeRows(bench.tensor(0))
    #expect(output.array == [0, 0, 0.6, 0.8])
    let gradient = bench.differentiate(output, towards: [1, 1, 1, 1])[0]
    #expect(gradient[0] == 0 && gradient[1] == 0 && gradient[2] != 0)
  }

  @Test(arguments: Shape.awkward)
  func `softmax with a shift`(shape: Shape) throws {
    let shift = Grid.noise(1, shape.width, seed: 2)
    try check(.softmax, [.tensor(.noise(shape.rows, shape.width, seed: 1, scale: 30))]) {
      $0.tape.softmax($0.tensor(0), shift: shift.floats)
    } reference: {
      $0[0].softmax(shift: shift.values)
    }
  }
}
