public import Numerics
public import ShardIO

/// How a model scores: the three kinds that everything after training knows.
public enum Scoring: Sendable {
  /// A score is the inner product of a user's state and an item's vector.
  case vectors(any VectorScoring)
  /// The model gives its best items with scores, and the exact score of given candidates.
  case lists(any ListScoring)
  /// The model scores a user and a candidate.
  case pairs(any PairScoring)
}

/// A model whose score of a user for an item is one inner product.
public protocol VectorScoring: Sendable {
  /// The vectors of all items, `[I, w]`.
  ///
  /// - Parameter threads: the largest number of threads; does not change the result.
  /// - Returns: one row an item.
  func itemVectors(threads: Int) -> Matrix

  /// The state after each history, and what the model shows of itself there.
  ///
  /// - Parameters:
  ///   - histories: one row a user, in time order; an empty history has a state of zeros.
  ///   - threads: the largest number of threads; does not change the result.
  /// - Returns: the states, one row a user.
  func read(_ histories: RaggedArray<UInt32>, threads: Int) -> UserReading
}

/// The states of some users.
public struct UserReading: Sendable {
  /// The states, `[U, w]`.
  public var states: Matrix
  /// What the model shows of itself, by name, one row a user: for example ``gateWeights``.
  public var diagnostics: [String: Matrix]

  /// The weights of the levels of a semantic ID, `[U, M]`; zeros for an empty history.
  public static let gateWeights = "gateWeights"

  /// States, and what comes with them.
  public init(states: Matrix, diagnostics: [String: Matrix] = [:]) {
    self.states = states
    self.diagnostics = diagnostics
  }
}

/// A model that makes lists, and scores given candidates exactly.
public protocol ListScoring: Sendable {
  /// The best items of each user that the model finds, best first.
  ///
  /// - Parameters:
  ///   - histories: one row a user, in time order.
  ///   - count: the number of items wanted for each user.
  ///   - excluded: one row a user: the items not to give.
  ///   - threads: the largest number of threads; does not change the result.
  /// - Returns: lists without repeats, at most `count` long.
  func lists(
    _ histories: RaggedArray<UInt32>, count: Int, excluded: RaggedArray<UInt32>, threads: Int
  ) -> TopItems

  /// The exact score of each candidate, in the order of the candidates.
  func scores(
    _ histories: RaggedArray<UInt32>, candidates: RaggedArray<UInt32>, threads: Int
  ) -> RaggedArray<Float>

  /// How far a list reaches: a target beyond it counts as not found.
  var listLimit: Int { get }
}

/// A model that scores a user and a candidate.
public protocol PairScoring: Sendable {
  /// The score of each candidate, in the order of the candidates.
  ///
  /// - Parameters:
  ///   - histories: one row a user, in time order.
  ///   - candidates: one row a user.
  ///   - threads: the largest number of threads; does not change the result.
  /// - Returns: one row a user.
  func scores(
    _ histories: RaggedArray<UInt32>, candidates: RaggedArray<UInt32>, threads: Int
  ) -> RaggedArray<Float>
}
