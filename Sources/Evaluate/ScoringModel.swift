import Kernels
import Model
import ShardIO

extension Recommender: ScoringModel {}

/// A model whose score of a user for an item is one inner product.
protocol ScoringModel {
  /// The vectors of all items, `[I, w]`.
  func itemVectors(threads: Int) -> Matrix
  /// The vectors of users with these histories, `[U, w]`.
  func userVectors(_ histories: RaggedArray<UInt32>, threads: Int) -> Matrix
}
