import TestSupport
import Testing

@testable import Clustering
@testable import Tape

@Suite struct SupervisionTests {
  @Test(arguments: Shape.awkward)
  func `classification of the rows that have a class`(shape: Shape) throws {
    let logits = Grid.noise(shape.rows, shape.width, seed: 1, scale: 3)
    let classes = (0..<shape.rows).map { Int32($0 % 3 == 1 ? -1 : $0 * 5 % shape.width) }
    let bench = OperationBench([.tensor(logits)])
    let found = bench.tape.addClassification(bench.tensor(0), classes: classes, factor: 0.6)
    let expected = { (logits: Grid) in
      let named = classes.indices.filter { classes[$0] >= 0 }
      let identity = Grid(shape.width, shape.width) { $0 == $1 ? 1 : 0 }
      return Double(named.count)
        * referenceCrossEntropy(
          states: logits.rows(named), items: identity, targets: named.map { UInt32(classes[$0]) })
    }
    #expect(abs(found - expected(logits)) < 1e-5 * abs(expected(logits)) + 1e-6)
    let zero = Array(repeating: Float(0), count: logits.values.count)
    let gradient = bench.differentiate(bench.tensor(0), towards: zero)[0]
    try requireGradients(of: [logits], equal: [gradient], tolerance: 2e-5) {
      0.6 * expected($0[0])
    }
  }

  @Test(arguments: [(1, 3, 1), (7, 4, 2), (40, 9, 5), (33, 17, 40)], [0.1, 1])
  func `rows are aligned with the vector of their tag against those of the other tags`(
    shape: (rows: Int, width: Int, tags: Int), temperature: Double
  ) throws {
    let rows = Grid.noise(shape.rows, shape.width, seed: 3)
    let tags = Grid.noise(shape.tags, shape.width, seed: 4, scale: 2)
    let classes = (0..<shape.rows).map { Int32($0 % 4 == 2 ? -1 : $0 * 7 % shape.tags) }
    let named = classes.indices.filter { classes[$0] >= 0 }
    let expected = { (inputs: [Grid]) in
      Double(named.count)
        * referenceCrossEntropy(
          states: (1 / temperature) * inputs[0].rows(named).normalizedRows,
          items: inputs[1].normalizedRows, targets: named.map { UInt32(classes[$0]) })
    }
    let bench = OperationBench([.tensor(rows), .tensor(tags)])
    let found = bench.tape.addTagAlignment(
      bench.tensor(0), tags: bench.tensor(1), classes: classes, temperature: Float(temperature),
      factor: 0.7)
    let value = expected([rows, tags])
    #expect(abs(found - value) < 1e-5 * abs(value) + 1e-6)
    let zero = Array(repeating: Float(0), count: rows.values.count)
    let gradients = bench.differentiate(bench.tensor(0), towards: zero)
    try requireGradients(of: [rows, tags], equal: gradients, tolerance: 5e-5) { 0.7 * expected($0) }
  }

  @Test(arguments: [(1, 3), (7, 4), (40, 9)], [-0.5, 0, 0.3])
  func `uniqueness costs pairs of different rows with equal codes`(
    shape: (Int, Int), margin: Double
  ) throws {
    var rows = Grid.noise(shape.0, shape.1, seed: 2)
    let codes = [
      (0..<shape.0).map { UInt32($0 % 3) }, (0..<shape.0).map { UInt32($0 / 12) },
    ]
    if shape.0 > 3 {
      // Rows 0 and 3 have equal codes and are equal: no pair.
      for column in 0..<shape.1 { rows.values[3 * shape.1 + column] = rows.values[column] }
    }
    let pairs = (0..<shape.0).flatMap { first in
      ((first + 1)..<max(first + 1, shape.0)).compactMap { second -> (Int, Int)? in
        let isEqual = codes.allSatisfy { $0[first] == $0[second] }
        return isEqual && (first, second) != (0, 3) ? (first, second) : nil
      }
    }
    let expected = { (rows: Grid) -> Double in
      let unit = rows.normalizedRows
      let sum = pairs.reduce(0.0) { $0 + max(0, unit.dot($1.0, unit, $1.1) - margin) }
      return pairs.isEmpty ? 0 : sum / Double(pairs.count)
    }
    let bench = OperationBench([.tensor(rows)])
    let found = bench.tape.addUniqueness(
      bench.tensor(0), codes: codes, margin: Float(margin), factor: 1.5)
    #expect(abs(found - expected(rows)) < 1e-5)
    let zero = Array(repeating: Float(0), count: rows.values.count)
    let gradient = bench.differentiate(bench.tensor(0), towards: zero)[0]
    try requireGradients(of: [rows], equal: [gradient], tolerance: 2e-5) { 1.5 * expected($0[0]) }
    #expect((pairs.isEmpty) == (shape.0 == 1))
  }
}
