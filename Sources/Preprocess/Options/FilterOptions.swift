internal import ArgumentParser
internal import CommandSupport
internal import Dataset
internal import TextInput

/// Which events and items are kept.
struct FilterOptions: ParsableArguments {
  @Option(help: "Least number of events of a user.")
  var userCore = 5

  @Option(help: "Least number of events of an item.")
  var itemCore = 5

  @Flag(help: "Count users and items once, instead of until nothing changes.")
  var onePassCore = false

  @Option(
    help: ArgumentHelp(
      "Repeated items of a user: none (keep all), first, last, consecutive.",
      discussion:
        "Where events have weights, the heaviest stays, and the rule decides between equal ones."))
  var dedup: Deduplication = .none

  @Option(help: "Leave out events with a smaller rating; events without one stay.")
  var minimumRating: Double?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Keep only events of these kinds, for example buy cart or view=1,cart=2,buy=5.",
      discussion: """
        A weight (a whole number, 1 where none is given) tells what a kind is worth to '--minimum-weight' and \
        '--dedup'.
        """, valueName: "kind"))
  var events: [EventKinds] = []

  @Option(
    help: ArgumentHelp(
      "Leave out users' events with an item whose weights sum to less.",
      discussion: "Every event weighs 1 where '--events' gives no weights."))
  var minimumWeight: Int?

  @Option(help: "Leave out events before this time (as in the log, or ISO 8601).")
  var from: TimePoint?

  @Option(help: "Leave out events at or after this time.")
  var until: TimePoint?

  @Option(help: "Keep only this many of a user's last events.")
  var maximumHistory: Int?

  /// The kinds of events that are kept, with their weights; empty for all.
  var eventWeights: [String: UInt16] {
    events.reduce(into: [:]) { $0.merge($1.weights) { first, _ in first } }
  }

  /// Which of a user's events with one item are kept.
  var repeatRule: RepeatRule {
    RepeatRule(deduplication: dedup, minimumWeight: minimumWeight ?? 0)
  }

  func validate() throws {
    for (name, value) in [("--user-core", userCore), ("--item-core", itemCore)]
    where !(0...1_000_000).contains(value) {
      throw ValidationError("'\(name)' must be from 0 to 1000000, not \(value).")
    }
    if let minimumRating, !minimumRating.isFinite {
      throw ValidationError("'--minimum-rating' must be a finite number, not \(minimumRating).")
    }
    if let maximumHistory, maximumHistory < 1 {
      throw ValidationError("'--maximum-history' must be at least 1, not \(maximumHistory).")
    }
    if let minimumWeight, !(1...1_000_000).contains(minimumWeight) {
      throw ValidationError("'--minimum-weight' must be from 1 to 1000000, not \(minimumWeight).")
    }
    if let kind = EventKinds.contradiction(events) {
      throw ValidationError("'--events' gives the kind '\(kind)' two weights.")
    }
    if eventWeights.values.contains(where: { $0 != 1 }), minimumWeight == nil, dedup == .none {
      throw ValidationError("The weights of '--events' need '--minimum-weight' or '--dedup'.")
    }
    if let from, let until, from.microseconds >= until.microseconds {
      throw ValidationError("'--from' must be before '--until'.")
    }
  }
}
