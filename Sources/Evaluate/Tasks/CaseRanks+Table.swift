import Dataset
import ShardIO

/// The ranks of an evaluation as the stage stores them, one row a case, so that runs can be compared user by user.
struct StoredRanks {
  private static let tableKind = "ranks"

  private static let firstItemsName = "first_items"

  /// The ranks by protocol.
  let ranks: [RankingProtocol: CaseRanks]
  /// The head of the list of each case, best first; nil for a model that makes no lists.
  let firstItems: RaggedArray<UInt32>?

  /// The ranks as a table: user, target, rank and candidates of each protocol that there is (a rank of 0 stands for none),
  /// and the first items of the list where there are some.
  static func table(
    _ cases: EvaluationCases, _ ranks: [RankingProtocol: CaseRanks],
    firstItems: RaggedArray<UInt32> = RaggedArray()
  ) -> Table {
    var columns: [Column] = [
      .fixed("user", cases.users.map { UInt32($0) }), .fixed("target", cases.targets),
    ]
    for kind in RankingProtocol.allCases {
      guard let found = ranks[kind] else { continue }
      var values = [Double](repeating: 0, count: cases.count)
      var counts = [UInt32](repeating: 0, count: cases.count)
      for (index, position) in found.cases.enumerated() {
        values[position] = found.ranks[index]
        counts[position] = UInt32(found.candidateCounts[index])
      }
      columns.append(.fixed("\(kind.rawValue)_rank", values))
      columns.append(.fixed("\(kind.rawValue)_candidates", counts))
    }
    if firstItems.count == cases.count { columns.append(.ragged(firstItemsName, firstItems)) }
    return Table(kind: tableKind, rowCount: cases.count, columns: columns)
  }

  /// Reads the ranks of a finished evaluation.
  ///
  /// - Throws: `PipelineError`: `.dataFormat` if the table is damaged; `.configuration` if other users or targets were
  ///   evaluated.
  init(_ input: StageInput, for cases: EvaluationCases) throws(PipelineError) {
    let table = try input.table(Self.tableKind)
    let rules = TableRules(input, Self.tableKind)
    for column in ["user", "target"] { try rules.requireWidth(table, column) }
    guard try table.fixed("user", as: UInt32.self) == cases.users.map({ UInt32($0) }),
      try table.fixed("target", as: UInt32.self) == cases.targets
    else { throw .otherTestSet(input.directory) }
    var ranks: [RankingProtocol: CaseRanks] = [:]
    for kind in RankingProtocol.allCases where table.hasColumn("\(kind.rawValue)_rank") {
      for name in ["rank", "candidates"] {
        try rules.requireWidth(table, "\(kind.rawValue)_\(name)")
      }
      let values = try table.fixed("\(kind.rawValue)_rank", as: Double.self)
      let counts = try table.fixed("\(kind.rawValue)_candidates", as: UInt32.self)
      try Self.requireRanks(values, counts, kind, rules)
      let present = values.indices.filter { values[$0] > 0 }
      ranks[kind] = CaseRanks(
        cases: present, ranks: present.map { values[$0] },
        candidateCounts: present.map { Int(counts[$0]) })
    }
    self.ranks = ranks
    firstItems =
      table.hasColumn(Self.firstItemsName)
      ? try table.ragged(Self.firstItemsName, as: UInt32.self) : nil
  }

  /// Ranks from 1 to the number of candidates, infinity for a target beyond a list, or 0 for none.
  private static func requireRanks(
    _ ranks: [Double], _ counts: [UInt32], _ kind: RankingProtocol, _ rules: TableRules
  ) throws(PipelineError) {
    for row in ranks.indices {
      let (rank, count) = (ranks[row], counts[row])
      guard rank == 0 ? count == 0 : rank >= 1 && (rank <= Double(count) || rank.isInfinite) else {
        throw rules.broken(
          "\(kind.rawValue) rank \(rank) among \(count) candidates", row: row,
          expected: "one from 1 to the candidates or infinity, or 0 and 0 for none")
      }
    }
  }
}
