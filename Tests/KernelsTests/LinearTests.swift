import Tape
import TestSupport
import Testing

/// Matrix products of the tape: `[T, in]` to `[T, out]` with widths that fit no block.
@Suite struct LinearTests {
  /// T, in, out.
  static let sizes = [
    (1, 1, 1), (2, 7, 16), (15, 16, 17), (16, 17, 7), (17, 64, 1), (33, 1, 64), (50, 17, 7),
  ]

  private func inputs(_ size: (Int, Int, Int), residual: Bool = false) -> [Input] {
    [
      .tensor(.noise(size.0, size.1, seed: 1)), .parameter(.noise(size.2, size.1, seed: 2)),
      .parameter(.noise(1, size.2, seed: 3)),
    ] + (residual ? [.tensor(.noise(size.0, size.2, seed: 4))] : [])
  }

  @Test(arguments: sizes)
  func `linear with and without bias`(size: (Int, Int, Int)) throws {
    try check(.linear, inputs(size)) {
      $0.tape.linear($0.tensor(0), $0.parameter(1), bias: $0.parameter(2))
    } reference: {
      $0[0].linear($0[1], bias: $0[2])
    }
    try check(.linear, Array(inputs(size).prefix(2))) {
      $0.tape.linear($0.tensor(0), $0.parameter(1))
    } reference: {
      $0[0].linear($0[1])
    }
  }

  @Test func `linear into some rows of a matrix, with some rows of a weight`() throws {
    try check(.linear, [.tensor(.noise(5, 7, seed: 1)), .parameter(.noise(9, 7, seed: 2))]) {
      let whole = $0.tape.tensor(
        rows: 8, columns: 4, values: Array(repeating: 1, count: 32))
      $0.tape.linear($0.tensor(0), $0.parameter(1).slice(3..<7), into: whole.slice(2..<7))
      return whole
    } reference: { grids in
      let ones = Grid(8, 4) { _, _ in 1 }
      let product = grids[0].linear(grids[1].rows(Array(3..<7)))
      return .stacked([ones.rows([0, 1]), product, ones.rows([7])])
    }
  }

  @Test(arguments: sizes)
  func `linear, rectified`(size: (Int, Int, Int)) throws {
    try check(.linearReLUDropout, inputs(size)) {
      $0.tape.linearReLUDropout($0.tensor(0), $0.parameter(1), bias: $0.parameter(2), rate: 0.5)
    } reference: {
      $0[0].linear($0[1], bias: $0[2]).rectified
    }
  }

  @Test(arguments: sizes)
  func `linear, added to a residual`(size: (Int, Int, Int)) throws {
    try check(.linearDropoutAdd, inputs(size, residual: true)) {
      $0.tape.linearDropoutAdd(
        $0.tensor(0), $0.parameter(1), bias: $0.parameter(2), rate: 0.5, to: $0.tensor(3))
    } reference: {
      $0[3] + $0[0].linear($0[1], bias: $0[2])
    }
  }

  @Test(arguments: Shape.awkward, [1, 3])
  func `one product for each view`(shape: Shape, views: Int) throws {
    let width = shape.width
    try check(
      .linearOfViews,
      [
        .tensor(.noise(views * shape.rows, width, seed: 1)),
        .parameter(.noise(views * width, width, seed: 2)),
      ]
    ) {
      $0.tape.linearOfViews($0.tensor(0), $0.parameter(1), viewCount: views)
    } reference: {
      $0[0].linearOfViews($0[1], viewCount: views)
    }
  }
}
