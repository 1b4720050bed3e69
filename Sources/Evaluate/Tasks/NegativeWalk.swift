import Dataset
import ShardIO

/// Stored negatives, gone through once in the order of the users; one shard is in memory at a time.
struct NegativeWalk {
  private let partCount: Int
  private let load: (Int) throws(PipelineError) -> EvaluationNegatives
  private var part = EvaluationNegatives(users: [], negatives: RaggedArray())
  private var nextPart = 0
  private var row = 0

  /// Begins at the first shard of a preprocess output.
  init(_ input: StageInput, _ kind: EvaluationNegatives.Kind, _ data: PreprocessedData) {
    let (itemCount, userCount) = (data.catalogue.count, data.sequences.count)
    partCount = input.shardCount(kind.tableKind)
    load = { part throws(PipelineError) in
      try EvaluationNegatives(
        input, kind, shard: part, itemCount: itemCount, userCount: userCount)
    }
  }

  /// Begins with negatives that are in memory.
  init(_ negatives: EvaluationNegatives) {
    partCount = 1
    load = { _ throws(PipelineError) in negatives }
  }

  /// The negatives of a user, who must not come before the user of the last call.
  ///
  /// - Parameter user: the row of the user.
  /// - Returns: the items; nil if none are stored.
  /// - Throws: `PipelineError` `.dataFormat` if a shard is damaged, or users do not ascend.
  mutating func negatives(of user: Int) throws(PipelineError) -> ArraySlice<UInt32>? {
    while true {
      if row == part.users.count {
        guard nextPart < partCount else { return nil }
        let next = try load(nextPart)
        if let last = part.users.last, let first = next.users.first, first <= last {
          throw .negativesNotAscending(user: Int(first))
        }
        part = next
        nextPart += 1
        row = 0
      } else if Int(part.users[row]) < user {
        row += 1
      } else {
        return Int(part.users[row]) == user ? part.negatives[row] : nil
      }
    }
  }
}
