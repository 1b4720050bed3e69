public import ShardIO

/// What a new model must keep to, so that it is published.
public struct NightGate: Sendable {
  /// The largest fall of NDCG@10 of a group of users against the published model, as a share of its value.
  public var maximumDrops: [(group: String, share: Double)]
  /// How sure it must be that a group has fallen at all, above 0 and below 1.
  public var confidence = 0.95
  /// The least share of the catalogue that lists hold; nil for no limit.
  public var minimumCoverage: Double?

  /// The largest share of the users whose first ten items are another set than the published model's; nil for no limit.
  public var maximumChangedShare: Double?

  /// A gate from its limits.
  public init(
    maximumDrops: [(group: String, share: Double)], minimumCoverage: Double? = nil,
    maximumChangedShare: Double? = nil, confidence: Double = 0.95
  ) {
    self.maximumDrops = maximumDrops
    self.confidence = confidence
    self.minimumCoverage = minimumCoverage
    self.maximumChangedShare = maximumChangedShare
  }

  /// The groups that a limit can be about.
  public static let groups = ["overall", "head", "tail"]

  /// Why a model is not published, by the report of its evaluation; nothing if it is.
  ///
  /// A fall counts where it is larger than its limit and no chance: the paired bootstrap gives a difference of 0 less than what the
  /// confidence leaves, so that few users refuse nothing. A model that is no better than popularity, on the same users, is never published.
  ///
  /// - Parameter report: `report.json`, with `against` where there is a published model.
  /// - Returns: a sentence for each reason.
  public func reasons(_ report: JSONValue) -> [String] {
    var found: [String] = []
    let key = "ndcg@10"
    let own = report["protocols"]?["full"]
    let other = report["against"]?["values"]?["full"]
    let differences = report["against"]?["protocols"]?["full"]
    for (group, share) in maximumDrops {
      guard let before = other?[group]?[key]?.numberValue,
        let difference = differences?[group]?[key]?["difference"]?.numberValue,
        let chance = differences?[group]?[key]?["p-bootstrap"]?.numberValue
      else { continue }
      guard difference < -share * before, chance < 1 - confidence else { continue }
      found.append(
        "\(group): NDCG@10 fell by \(text(-difference / before)), more than \(text(share)), and not by chance (p \(number(chance)))"
      )
    }
    let value = own?["overall"]?[key]?.numberValue
    let popularity = report["baselines"]?["popularity"]?["values"]?["overall"]?[key]?.numberValue
    if let value, let popularity, value <= popularity {
      found.append(
        "NDCG@10 \(number(value)) is no better than that of popularity, \(number(popularity))")
    }
    if let minimumCoverage, let coverage = report["lists"]?["coverage@10"]?.numberValue,
      coverage < minimumCoverage
    {
      found.append(
        "lists hold \(text(coverage)) of the catalogue, less than \(text(minimumCoverage))")
    }
    if let maximumChangedShare,
      let changed = report["against"]?["listChange"]?["changedShare"]?.numberValue,
      changed > maximumChangedShare
    {
      found.append(
        "the first ten items of \(text(changed)) of the users are another set, more than \(text(maximumChangedShare))"
      )
    }
    return found
  }

  private func text(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }
  private func number(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }
}
