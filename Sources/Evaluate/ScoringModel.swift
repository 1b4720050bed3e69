import Models
import Numerics
import ShardIO

extension Recommender: ScoringModel {}

/// A model whose score of a user for an item is one inner product.
protocol ScoringModel {
  /// The vectors of all items, `[I, w]`.
  func itemVectors(threads: Int) -> Matrix
  /// The vectors of users with these histories, `[U, w]`.
  func userVectors(_ histories: RaggedArray<UInt32>, threads: Int) -> Matrix
  /// The vectors of users `[U, w]`, and the weights of the levels of a semantic ID `[U, M]` where a gate gives them.
  func read(
    _ histories: RaggedArray<UInt32>, threads: Int
  ) -> (vectors: Matrix, gates: Matrix?)
  /// For each branch the weights of the most recent items of a history, which is not empty.
  func attention(over history: ArraySlice<UInt32>) -> [(branch: String, weights: [Float])]
}

extension ScoringModel {
  /// The vectors of users, of a model without a gate.
  func read(
    _ histories: RaggedArray<UInt32>, threads: Int
  ) -> (vectors: Matrix, gates: Matrix?) {
    (userVectors(histories, threads: threads), nil)
  }

  /// Nothing, for a model without attention.
  func attention(over history: ArraySlice<UInt32>) -> [(branch: String, weights: [Float])] { [] }
}
