internal import CKernels
package import Numerics

/// The 1-based mid-rank of one target a user among the user's own candidates.
///
/// Ranks as ``catalogueMidRanks(users:items:targets:offsets:excluded:threads:)``; a candidate that is the target itself
/// does not count. A target whose score is not a number is ranked last.
///
/// - Parameters:
///   - users: `[U, w]`.
///   - items: `[I, w]`; the score is the inner product.
///   - targets: `[U]`.
///   - offsets: `[U + 1]`, where the candidates of each user begin and end.
///   - candidates: the items that compete with the target.
///   - threads: threads to use; the result does not depend on it.
/// - Returns: ranks, `[U]`.
/// - Precondition: all shapes agree and every item is below `I`.
package func candidateMidRanks(
  users: Matrix, items: Matrix, targets: [UInt32], offsets: [Int], candidates: [UInt32],
  threads: Int
) -> [Double] {
  precondition(users.columns == items.columns, "users and items live in one space")
  precondition(targets.count == users.rows && offsets.count == users.rows + 1, "one target a user")
  precondition(targets.allSatisfy { $0 < items.rows } && candidates.allSatisfy { $0 < items.rows })
  let width = items.columns
  let block = candidateBlock
  var ranks = [Double](repeating: 0, count: users.rows)
  unsafe users.values.withUnsafeBufferPointer { userValues in
    unsafe items.values.withUnsafeBufferPointer { itemValues in
      unsafe ranks.withUnsafeMutableBufferPointer { output in
        guard let userRows = userValues.baseAddress, let itemRows = itemValues.baseAddress,
          let output = output.baseAddress
        else { return }
        nonisolated(unsafe) let (first, vectors, base) = unsafe (userRows, itemRows, output)
        parallelFor((users.rows + block - 1) / block, threads: threads) { index in
          for user in index * block..<min(users.rows, (index + 1) * block) {
            let vector = unsafe first + user * width
            let target = targets[user]
            let score = unsafe h2rec_dot(vector, vectors + Int(target) * width, width)
            var (above, equal, others) = (0, 0, 0)
            for candidate in candidates[offsets[user]..<offsets[user + 1]] where candidate != target
            {
              let other = unsafe h2rec_dot(vector, vectors + Int(candidate) * width, width)
              above += other > score ? 1 : 0
              equal += other == score ? 1 : 0
              others += 1
            }
            unsafe base[user] =
              score.isNaN ? Double(1 + others) : 1 + Double(above) + Double(equal) / 2
          }
        }
      }
    }
  }
  return ranks
}

/// Users of a block, the unit of parallel work.
private let candidateBlock = 192
