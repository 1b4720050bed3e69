public import Numerics
public import ShardIO

/// The best items of each user, best first.
public struct TopItems: Sendable, Equatable {
  /// One row a user: the items.
  public let items: RaggedArray<UInt32>
  /// One row a user: the scores of the items.
  public let scores: RaggedArray<Float>

  /// Lists from their parts.
  public init(items: RaggedArray<UInt32>, scores: RaggedArray<Float>) {
    self.items = items
    self.scores = scores
  }

  /// The beginning of each list.
  func prefix(_ count: Int) -> TopItems {
    var (head, values) = (RaggedArray<UInt32>(), RaggedArray<Float>())
    for user in 0..<items.count {
      head.append(contentsOf: items[user].prefix(count))
      values.append(contentsOf: scores[user].prefix(count))
    }
    return TopItems(items: head, scores: values)
  }
}

/// The best items of each user over the whole catalogue minus the user's excluded items.
///
/// Higher scores come first, equal scores by smaller item; scores that are not numbers are never among them. A row is
/// shorter than `count` only when fewer items are left. Scored in tiles; the full score matrix never exists.
///
/// - Parameters:
///   - users: user vectors, `[U, w]`.
///   - items: item vectors, `[I, w]`; the score is the inner product.
///   - count: the number of items wanted for each user.
///   - excluded: one row a user: the items not to give, in any order, repeats allowed.
///   - threads: threads to use.
/// - Returns: the lists, the same for any number of threads, with bfloat16 products and without.
/// - Precondition: shapes agree and every excluded item is below `I`.
public func topK(
  users: Matrix, items: Matrix, count: Int, excluded: RaggedArray<UInt32>, threads: Int
) -> TopItems {
  let top = catalogueTop(
    users: users, items: items, count: count, offsets: excluded.offsets, excluded: excluded.values,
    threads: threads)
  var offsets = [0]
  offsets.reserveCapacity(users.rows + 1)
  for filled in top.filled { offsets.append(offsets[offsets.count - 1] + filled) }
  guard offsets[users.rows] < users.rows * count else {
    return TopItems(
      items: RaggedArray(offsets: offsets, values: top.items),
      scores: RaggedArray(offsets: offsets, values: top.scores))
  }
  let places = (0..<users.rows).flatMap { user in
    user * count..<user * count + top.filled[user]
  }
  return TopItems(
    items: RaggedArray(offsets: offsets, values: places.map { top.items[$0] }),
    scores: RaggedArray(offsets: offsets, values: places.map { top.scores[$0] }))
}
