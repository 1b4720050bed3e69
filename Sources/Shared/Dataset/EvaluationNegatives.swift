public import ShardIO

/// The items a test target is ranked against in the sampled protocol: drawn once, stored, the same for every model.
public struct EvaluationNegatives: Sendable, Equatable {
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
  /// The kind of the shards that hold negatives.
  public static let tableKind = "negatives"

  /// Reads the negatives of a preprocess output.
  ///
  /// - Parameters:
  ///   - input: the output of the preprocess stage.
  ///   - itemCount: the number of items of its catalogue.
  ///   - userCount: the number of its users.
  /// - Throws: `PipelineError`: `.dataFormat` if a column is missing or an index is out of range.
  public init(_ input: StageInput, itemCount: Int, userCount: Int) throws(PipelineError) {
    let table = try input.table(Self.tableKind)
    let users = try table.fixed("user", as: UInt32.self)
    let negatives = try table.ragged("negatives", as: UInt32.self)
    if let stray = users.first(where: { $0 >= userCount }) {
      throw .outOfRange(input, "a user with negatives", found: Int(stray), limit: userCount)
    }
    if let stray = negatives.values.first(where: { $0 >= itemCount }) {
      throw .outOfRange(input, "a negative", found: Int(stray), limit: itemCount)
    }
    self.init(users: users, negatives: negatives)
  }

  /// The negatives as a table, one row a user that has a test target.
  public var table: Table {
    Table(
      kind: Self.tableKind, rowCount: users.count,
      columns: [.fixed("user", users), .ragged("negatives", negatives)])
  }
}
