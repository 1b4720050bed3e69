import TestSupport
import Testing

@testable import Tape

/// Sums, copies, columns, and the operations on the views of a semantic ID.
@Suite struct ArithmeticTests {
  @Test(arguments: Shape.awkward)
  func `sums and copies`(shape: Shape) throws {
    let inputs = [
      Input.tensor(.noise(shape.rows, shape.width, seed: 1)),
      .tensor(.noise(shape.rows, shape.width, seed: 2)), .parameter(.noise(1, 1, seed: 3)),
    ]
    try check(.add, Array(inputs.prefix(2))) {
      $0.tape.add($0.tensor(0), $0.tensor(1))
    } reference: {
      $0[0] + $0[1]
    }
    try check(.addTimesFactor, inputs) {
      $0.tape.add($0.tensor(0), $0.tensor(1), times: $0.parameter(2))
    } reference: {
      $0[0] + $0[2].values[0] * $0[1]
    }
    try check(.copy, Array(inputs.prefix(1))) {
      $0.tape.copy(
        $0.tensor(0), into: $0.tape.tensor(rows: shape.rows, columns: shape.width))
    } reference: {
      $0[0]
    }
  }

  @Test func `a matrix that is used twice gets both gradients`() throws {
    try check(.add, [.tensor(.noise(3, 5, seed: 1))]) {
      let twice = $0.tape.add($0.tensor(0), $0.tensor(0))
      return $0.tape.add(twice, $0.tensor(0))
    } reference: {
      3 * $0[0]
    }
  }

  @Test(arguments: Shape.awkward)
  func `constant columns and columns side by side`(shape: Shape) throws {
    let inputs = [1, shape.width, 3].enumerated().map {
      Input.tensor(.noise(shape.rows, $0.element, seed: $0.offset))
    }
    try check(.appendColumns, Array(inputs[1...1])) {
      $0.tape.appendColumns($0.tensor(0), constants: [0.5, -2])
    } reference: {
      $0[0].appending([0.5, -2])
    }
    try check(.concatenateColumns, inputs) { bench in
      bench.tape.concatenateColumns((0..<3).map { bench.tensor($0) })
    } reference: {
      .concatenated($0)
    }
  }

  @Test(arguments: Shape.awkward)
  func `one learned row for all tokens`(shape: Shape) throws {
    try check(.broadcast, [.parameter(.noise(1, shape.width, seed: 1))]) {
      $0.tape.broadcast($0.parameter(0), rows: shape.rows)
    } reference: { grids in
      grids[0].rows(Array(repeating: 0, count: shape.rows))
    }
  }

  @Test(arguments: Shape.awkward, [1, 3, 4])
  func `views times their weights`(shape: Shape, views: Int) throws {
    try check(
      .scaleViews,
      [
        .tensor(.noise(shape.rows, views * shape.width, seed: 1)),
        .tensor(.noise(shape.rows, views, seed: 2)),
      ]
    ) {
      $0.tape.scaleViews($0.tensor(0), weights: $0.tensor(1))
    } reference: {
      $0[0].scalingViews($0[1])
    }
  }

  @Test(arguments: Shape.awkward, [1, 3, 4])
  func `the sum of the views of a row`(shape: Shape, views: Int) throws {
    try check(
      .sumOfViews, [.tensor(.noise(shape.rows, views * shape.width, seed: 1))]
    ) {
      $0.tape.sumOfViews($0.tensor(0), count: views)
    } reference: {
      $0[0].summingViews(views)
    }
  }

  @Test(arguments: Shape.awkward, [1, 3, 4])
  func `a mixture of learned rows is added in place`(shape: Shape, views: Int) throws {
    try check(
      .addMixture,
      [
        .tensor(.noise(shape.rows, views, seed: 1)),
        .parameter(.noise(views, shape.width, seed: 2)),
        .tensor(.noise(shape.rows, shape.width, seed: 3)),
      ]
    ) {
      let sum = $0.tape.tensor(rows: shape.rows, columns: shape.width)
      $0.tape.copy($0.tensor(2), into: sum)
      $0.tape.addMixture($0.tensor(0), $0.parameter(1), to: sum)
      return sum
    } reference: {
      $0[2] + $0[0].linear($0[1].transposed)
    }
  }

  @Test(arguments: [1, 7, 16, 17, 64], [2, 4])
  func `one mixture of the views for each sequence, some hidden`(width: Int, views: Int) throws {
    let offsets: [UInt32] = [0, 1, 3, 18]
    let hidden = (0..<3 * views).map { UInt8($0 % 3 == 1 ? 1 : 0) }
    try check(
      .mixViews,
      [
        .tensor(.noise(views * 18, width, seed: 1)), .tensor(.noise(3, views, seed: 2)),
        .parameter(.noise(views, width, seed: 3)),
      ]
    ) {
      let mixture = $0.tape.tensor(rows: 18, columns: width)
      $0.tape.mixViews(
        $0.tensor(0), weights: $0.tensor(1), hidden: hidden, masks: $0.parameter(2),
        sequences: PackedSequences(offsets: offsets), into: mixture)
      return mixture
    } reference: {
      $0[0].mixingViews($0[1], hidden: hidden, masks: $0[2], offsets: offsets)
    }
  }
}
