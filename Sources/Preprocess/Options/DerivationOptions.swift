internal import ArgumentParser
internal import CommandSupport
internal import Dataset
internal import TextInput

/// What is made of the events.
struct DerivationOptions: ParsableArguments {
  @Option(
    help: "Split: leave-one-out, last (see --held-out), time (see --valid-from, --test-from).")
  var split: SplitKind = .leaveOneOut

  @Option(
    help: "With '--split last': events held out for test, and as many for validation (default: 1).")
  var heldOut: Int?

  @Option(help: "With '--split time': start of the valid part, a time or a quantile such as 0.8.")
  var validFrom: TimePoint?

  @Option(help: "With '--split time': start of the test part, a time or a quantile such as 0.9.")
  var testFrom: TimePoint?

  @Option(help: "Head items are this share of the items, the most popular ones in train.")
  var headShare = 0.2

  @Option(help: "Tail items have fewer train events than this.")
  var tailThreshold = 20

  @Option(help: "Positive pairs to store: ppmi,decay or one of them, or none.")
  var pairs: PairKinds = PairKinds(kinds: PositivePairs.Kind.allCases)

  @Option(help: "How far apart two events of a positive pair may be (default: 3).")
  var pairWindow: Int?

  @Option(help: "Most positive pairs of an item (default: 50).")
  var pairCount: Int?

  @Option(help: "Least number of co-occurrences of a ppmi pair (default: 2).")
  var pairMinimum: Int?

  @Option(help: "Stored uniform negatives of a user, for the sampled protocol; 0 for none.")
  var negatives = 100

  @Option(
    help: "Stored negatives of a user drawn by popularity, for a protocol of their own; 0 for none."
  )
  var popularNegatives = 100

  func validate() throws {
    guard (0...1).contains(headShare) else {
      throw ValidationError("'--head-share' must be from 0 to 1, not \(headShare).")
    }
    let ranges: [(String, Int, ClosedRange<Int>)] = [
      ("--tail-threshold", tailThreshold, 0...1_000_000_000),
      ("--pair-window", pairWindow ?? 1, 1...100),
      ("--pair-count", pairCount ?? 1, 1...10_000),
      ("--pair-minimum", pairMinimum ?? 1, 1...1_000_000),
      ("--negatives", negatives, 0...100_000),
      ("--popular-negatives", popularNegatives, 0...100_000),
      ("--held-out", heldOut ?? 1, 1...1000),
    ]
    for (name, value, range) in ranges where !range.contains(value) {
      throw ValidationError(
        "'\(name)' must be from \(range.lowerBound) to \(range.upperBound), not \(value).")
    }
    guard split == .time || (validFrom == nil && testFrom == nil) else {
      throw ValidationError("'--valid-from' and '--test-from' need '--split time'.")
    }
    guard split != .time || (validFrom != nil && testFrom != nil) else {
      throw ValidationError("'--split time' needs '--valid-from' and '--test-from'.")
    }
    try refuse(
      [("held-out", heldOut != nil)], without: "--split last", isThere: split == .last)
    let ofPPMI = ("pair-minimum", pairMinimum != nil)
    try refuse(
      [("pair-window", pairWindow != nil), ("pair-count", pairCount != nil), ofPPMI],
      if: pairs.kinds.isEmpty, for: "--pairs none")
    try refuse([ofPPMI], if: !pairs.kinds.contains(.ppmi), for: "--pairs decay")
  }

  /// How positive pairs are made.
  var pairBuilder: PairBuilder {
    var builder = PairBuilder()
    if let pairWindow { builder.window = pairWindow }
    if let pairCount { builder.maximumCount = pairCount }
    if let pairMinimum { builder.minimumOccurrences = pairMinimum }
    return builder
  }
}
