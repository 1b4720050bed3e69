public import Numerics
public import ShardIO

/// The rank of each user's target in the full ranking: the whole catalogue minus the user's excluded items.
///
/// The rank is 1 + (number of items with a greater score) + (number of other items with an equal score) / 2, so that a model
/// that cannot tell items apart stands in the middle, not at the top. Scored in tiles that stay in cache; the
/// full score matrix never exists. A score depends on the two vectors alone, so equal item vectors get equal scores. The result has the same
/// bits for any number of threads, with bfloat16 products and without. A target whose score is not a number is ranked last.
///
/// - Parameters:
///   - users: user vectors, `[U, w]`.
///   - items: item vectors, `[I, w]`; the score is the inner product.
///   - targets: one item a user, `[U]`.
///   - excluded: one row a user: the history, in any order, repeats allowed; a target that is in it is ranked all the same.
///   - threads: threads to use.
/// - Returns: 1-based ranks, `[U]`.
/// - Precondition: shapes agree and every item is below `I`.
public func midRanks(
  users: Matrix, items: Matrix, targets: [UInt32], excluded: RaggedArray<UInt32>, threads: Int
) -> [Double] {
  catalogueMidRanks(
    users: users, items: items, targets: targets, offsets: excluded.offsets,
    excluded: excluded.values, threads: threads)
}

/// The rank of each user's target among the user's own candidates, for example stored negatives.
///
/// The rank is 1 + (number of candidates with a greater score) + (number of candidates with an equal score) / 2; a
/// candidate that is the target itself does not count. A target whose score is not a number is ranked last.
///
/// - Parameters:
///   - users: user vectors, `[U, w]`.
///   - items: item vectors, `[I, w]`; the score is the inner product.
///   - targets: one item a user, `[U]`.
///   - candidates: one row a user: the items that compete with the target.
///   - threads: threads to use.
/// - Returns: 1-based ranks, `[U]`, the same for any number of threads.
/// - Precondition: shapes agree and every item is below `I`.
public func midRanks(
  users: Matrix, items: Matrix, targets: [UInt32], candidates: RaggedArray<UInt32>, threads: Int
) -> [Double] {
  candidateMidRanks(
    users: users, items: items, targets: targets, offsets: candidates.offsets,
    candidates: candidates.values, threads: threads)
}
