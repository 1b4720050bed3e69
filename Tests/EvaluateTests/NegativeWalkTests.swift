import Dataset
import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Evaluate

@Suite struct NegativeWalkTests {
  private func part(_ users: [UInt32]) -> EvaluationNegatives {
    EvaluationNegatives(users: users, negatives: RaggedArray(users.map { [$0 % 8, 7] }))
  }

  /// What a walk over shards with the users `parts` gives for some users.
  private func walk(_ parts: [[UInt32]], _ users: [Int]) throws -> [[UInt32]?] {
    try withTemporaryDirectory { directory in
      var output = try StageOutput(directory: directory, stage: "preprocess")
      for users in parts { try output.write(part(users).table(.popular)) }
      try output.commit(configuration: [:], inputs: [], counters: [:])
      let input = try StageInput(directory: directory, expecting: "preprocess")
      var walk = NegativeWalk(input, .popular, FourUsers.data)
      var found: [[UInt32]?] = []
      for user in users {
        let row = try walk.negatives(of: user)
        found.append(row.map { Array($0) })
      }
      return found
    }
  }

  @Test func `shards are read one after another, and users without negatives are passed`() throws {
    #expect(
      try walk([[0, 1], [3]], [0, 0, 2, 3, 4]) == [[0, 7], [0, 7], nil, [3, 7], nil])
  }

  @Test(arguments: [[[1, 0]], [[0], [9]], [[2], [1]]] as [[[UInt32]]])
  func `users that do not ascend or are not in the data are refused`(parts: [[UInt32]]) {
    #expect(throws: PipelineError.self) { try walk(parts, [0, 3]) }
  }
}
