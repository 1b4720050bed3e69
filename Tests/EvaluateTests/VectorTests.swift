import Numerics
import ShardIO
import Testing

@testable import Evaluate

@Suite struct VectorTests {
  @Test func `spaces are the columns of the branches, each of length 1`() throws {
    let items = Matrix(rows: 2, columns: 4, values: [3, 4, 0, 2, 0, 0, -5, 0])
    let both = [("hash", 0..<2), ("semantic", 2..<4)].map { (name: $0.0, columns: $0.1) }
    #expect(
      try ItemSpace.hash.directions(items, branches: both, model: "h2rec").values
        == [0.6, 0.8, 0, 0])
    #expect(
      try ItemSpace.semantic.directions(items, branches: both, model: "h2rec").values
        == [0, 1, -1, 0])
    let joint = try ItemSpace.joint.directions(items, branches: both, model: "h2rec")
    #expect(joint.columns == 4 && joint[row: 1] == [0, 0, -1, 0])
    let one = [(name: "hash", columns: 0..<4)]
    #expect(try ItemSpace.hash.directions(items, branches: one, model: "sasrec") == joint)
    #expect(throws: PipelineError.noBranch("semantic", model: "sasrec")) {
      try ItemSpace.semantic.directions(items, branches: one, model: "sasrec")
    }
  }
}
