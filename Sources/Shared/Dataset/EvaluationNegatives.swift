public import ShardIO

/// The items a test target is ranked against in the sampled protocol: drawn once, stored, the same for every model.
public struct EvaluationNegatives: Sendable, Equatable {
  /// How the items are drawn.
  public enum Kind: String, Sendable, CaseIterable {
    /// Every item is equally likely.
    case uniform
    /// In proportion to train events.
    case popular

    /// The kind of the shards that hold such negatives.
    public var tableKind: String { self == .uniform ? "negatives" : "negatives-popular" }
  }

  /// The users with a test target, as rows of the sequences, ascending.
  public var users: [UInt32]
  /// For each of them, items outside the user's whole history, ascending.
  public var negatives: RaggedArray<UInt32>

  /// Creates negatives from their two columns.
  ///
  /// - Precondition: both have one row a user.
  public init(users: [UInt32], negatives: RaggedArray<UInt32>) {
    precondition(users.count == negatives.count, "one row of negatives a user")
    self.users = users
    self.negatives = negatives
  }
}

extension EvaluationNegatives {
  /// Reads the negatives of a preprocess output.
  ///
  /// - Parameters:
  ///   - input: the output of the preprocess stage.
  ///   - kind: which of the negatives.
  ///   - itemCount: the number of items of its catalogue.
  ///   - userCount: the number of its users.
  /// - Throws: `PipelineError`: `.dataFormat` if a column is missing or an index is out of range.
  public init(
    _ input: StageInput, _ kind: Kind = .uniform, itemCount: Int, userCount: Int
  ) throws(PipelineError) {
    self = try Self(
      input.table(kind.tableKind), of: input, itemCount: itemCount, userCount: userCount)
  }

  /// Reads one shard of the negatives of a preprocess output; shards follow one another in the order of the users.
  ///
  /// - Parameters:
  ///   - input: the output of the preprocess stage.
  ///   - kind: which of the negatives.
  ///   - shard: which of its shards.
  ///   - itemCount: the number of items of its catalogue.
  ///   - userCount: the number of its users.
  /// - Throws: `PipelineError`: `.dataFormat` if a column is missing, an index is out of range, or the users do not ascend.
  public init(
    _ input: StageInput, _ kind: Kind, shard: Int, itemCount: Int, userCount: Int
  ) throws(PipelineError) {
    self = try Self(
      input.table(kind.tableKind, shard: shard), of: input, itemCount: itemCount,
      userCount: userCount)
  }

  private init(
    _ table: Table, of input: StageInput, itemCount: Int, userCount: Int
  ) throws(PipelineError) {
    let rules = TableRules(input, table.kind)
    let users = try table.fixed("user", as: UInt32.self)
    try rules.requireWidth(table, "user")
    let negatives = try table.ragged("negatives", as: UInt32.self)
    var last = -1
    for (row, user) in users.enumerated() {
      guard user < userCount, Int(user) > last else {
        throw rules.broken(
          "user \(user) after \(last)", row: row,
          expected: "users that ascend, below \(userCount)")
      }
      last = Int(user)
    }
    try rules.requireIndices(
      negatives, "negatives", below: itemCount, "items", isAscending: true)
    self.init(users: users, negatives: negatives)
  }

  /// The bytes that a row takes in memory, offset included; what shards are cut by.
  ///
  /// - Parameter negativeCount: the negatives of the row.
  /// - Returns: the size.
  public static func rowByteCount(negativeCount: Int) -> Int { 4 + 8 + 4 * negativeCount }

  /// The negatives as a table, one row a user that has a test target.
  public func table(_ kind: Kind) -> Table {
    Table(
      kind: kind.tableKind, rowCount: users.count,
      columns: [.fixed("user", users), .ragged("negatives", negatives)])
  }
}
