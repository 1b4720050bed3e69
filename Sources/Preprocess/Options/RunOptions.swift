internal import ArgumentParser
internal import CommandSupport
internal import Dataset
internal import TextInput

/// The input files and how to read them.
struct InputOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder with interactions.csv, and items.csv, item_embeddings.npy and item_ids.txt if there are such.",
      discussion: """
        Stands for '--interactions', '--items', '--vectors' and '--vector-ids' with the files found there, in any format; a \
        line says which files are read and which are left out.
        """, valueName: "folder"),
    completion: .directory)
  var dataFolder: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Interaction logs: files, folders of files, patterns, or - for standard input.",
      discussion: """
        Plain, gzip or zstd. CSV, TSV, JSON lines, MovieLens .dat and RecBole .inter are told apart by their first \
        line. Their names and their order change nothing, but with '--ties file' and '--timestamp-format none', where \
        they count in the order given, those of a folder or a pattern in the order of their names (2 before 10).
        """, valueName: "path"),
    completion: .file())
  var interactions: [String] = []

  @Option(help: "Format of the logs: csv, tsv, jsonl, movielens, recbole (default: by content).")
  var format: LogFormat?

  @Option(help: "Byte between fields, or 'tab' (default: that of the format).")
  var delimiter: Delimiter?

  @Flag(help: "The logs have no header; columns go by number, from 1.")
  var noHeader = false

  @Option(help: "Column or field of the user (default: user_id and other usual names).")
  var userColumn: String?

  @Option(help: "Column or field of the item (default: item_id and other usual names).")
  var itemColumn: String?

  @Option(help: "Column or field of the time (default: timestamp and other usual names).")
  var timeColumn: String?

  @Option(help: "Column or field of the rating (default: rating and other usual names).")
  var ratingColumn: String?

  @Option(help: "Column or field of the kind of event (default: event_type and other usual names).")
  var eventColumn: String?

  @Option(
    help: ArgumentHelp(
      "How times are written: auto, seconds, milliseconds, microseconds, nanoseconds, iso8601, none, or as m/d/Y.",
      discussion: """
        With auto, the unit of numbers is that of most of them. A form of dates has the letters of strftime: Y y m b d H I \
        M S p; a time of day may follow it. With none, the order of the file is the order of events.
        """))
  var timestampFormat: TimestampFormat = .automatic

  @Option(
    help: ArgumentHelp(
      "Order of a user's events that have one time: hash, file (default: hash).",
      discussion: """
        With hash, by a hash of user, time, item and seed: no order is invented. With file, in the order of the rows, \
        where that is known to be the order of events.
        """))
  var ties: TieRule?

  @Option(help: "Item file: JSON lines, CSV, or RecBole .item.", completion: .file())
  var items: String?

  @Option(help: "Field of the item id in the item file (default: item_id and other usual names).")
  var itemIdField: String?

  @Option(help: "Field of the title (default: title and other usual names).")
  var titleField: String?

  @Option(help: "Field of the categories (default: categories and other usual names).")
  var categoriesField: String?

  @Option(help: "Template of an item's text (default: \(TextTemplate.usual)).")
  var text: String?

  @Option(
    help: "Item vectors: .npy, .npz, safetensors, or JSON lines or CSV of id and numbers.",
    completion: .file())
  var vectors: String?

  @Option(
    help: "Ids of the rows of the vectors, one a line, where the vectors have none of their own.",
    completion: .file())
  var vectorIds: String?

  @Option(help: "Array, tensor or JSON field of the vectors, where there are several.")
  var vectorField: String?

  @Option(
    help: ArgumentHelp(
      "Width of the vectors made from the items' texts; 0 for none (default: 128).",
      discussion: """
        TF-IDF of words and pieces of words, then a randomised singular value decomposition. Made without '--vectors'; \
        with '--missing-vectors text' they are what missing vectors are predicted from.
        """))
  var textVectors: Int?

  @Option(help: "Items of the log that the item file lacks: error, drop, keep (default: error).")
  var missingItems: MissingItems?

  @Option(
    help: ArgumentHelp(
      "Items of the log that have no vector: error, drop, text (default: error).",
      discussion: "With text, their vectors are predicted from their texts."))
  var missingVectors: MissingVectors?

  @Flag(help: "Take NULL, \\N, nan and None in CSV as ids, instead of missing ones.")
  var keepNullIds = false

  @Flag(help: "Leave bad rows out and count them, instead of refusing the file.")
  var skipBadRows = false

  @Option(
    help: "With '--skip-bad-rows': file that receives the rows left out.", completion: .file())
  var badRows: String?

  /// Where the log is, for messages.
  var place: String { interactions.first ?? dataFolder ?? "-" }

  func validate() throws {
    guard dataFolder != nil else {
      if interactions.isEmpty {
        throw ValidationError("Give '--interactions' with at least one path, or '--data-folder'.")
      }
      return try validateUse()
    }
    for (name, isGiven) in [
      ("interactions", !interactions.isEmpty), ("items", items != nil),
      ("vectors", vectors != nil), ("vector-ids", vectorIds != nil),
    ] where isGiven {
      throw ValidationError("'--\(name)' and '--data-folder' exclude one another.")
    }
  }

  /// Refuses what does not fit the files that are read; with a folder these are known only when it was looked at.
  func validateUse() throws {
    if vectors == nil, vectorIds != nil || vectorField != nil {
      throw ValidationError("'--vector-ids' and '--vector-field' need '--vectors'.")
    }
    guard (0...1024).contains(textVectorWidth) else {
      throw ValidationError("'--text-vectors' must be from 0 to 1024, not \(textVectorWidth).")
    }
    if missingVectors == .text, items == nil || vectors == nil || textVectorWidth == 0 {
      throw ValidationError(
        "'--missing-vectors text' needs '--items', '--vectors' and '--text-vectors' above 0.")
    }
    if badRows != nil, !skipBadRows {
      throw ValidationError("'--bad-rows' needs '--skip-bad-rows'.")
    }
    try refuseWithoutUse()
  }
}

extension InputOptions {
  /// What decides between events of one user at one time.
  var tieRule: TieRule { ties ?? .hash }

  /// Whether the log has times.
  var hasTimes: Bool { timestampFormat != .none }

  /// Width of the vectors that are made from texts; 0 for none.
  var textVectorWidth: Int { textVectors ?? 128 }

  /// Refuses options about what this run does not read.
  private func refuseWithoutUse() throws {
    try refuse(
      [
        ("item-id-field", itemIdField != nil), ("title-field", titleField != nil),
        ("categories-field", categoriesField != nil), ("text", text != nil),
        ("missing-items", missingItems != nil), ("text-vectors", textVectors ?? 0 > 0),
      ], without: "--items", isThere: items != nil)
    try refuse(
      [("missing-vectors", missingVectors != nil)], without: "--vectors", isThere: vectors != nil)
    guard vectors == nil || missingVectors == .text || textVectors ?? 0 == 0 else {
      throw ValidationError(
        "'--text-vectors' with '--vectors' needs '--missing-vectors text'.")
    }
    try refuse(
      [("time-column", timeColumn != nil), ("ties", ties != nil)], if: timestampFormat == .none,
      for: "--timestamp-format none")
    try refuse(
      [("delimiter", delimiter != nil), ("no-header", noHeader)], if: format == .jsonl,
      for: "--format jsonl")
    try refuse([("no-header", noHeader)], if: format == .movielens, for: "--format movielens")
  }
}

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
