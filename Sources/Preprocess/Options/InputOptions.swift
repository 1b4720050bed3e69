internal import ArgumentParser
internal import CommandSupport
internal import ShardIO
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
        line; Parquet files are read by the program duckdb. Their names and their order change nothing, but with '--ties file' and '--timestamp-format none', where \
        they count in the order given, those of a folder or a pattern in the order of their names (2 before 10).
        """, valueName: "path"),
    completion: .file())
  var interactions: [String] = []

  @Option(
    help: ArgumentHelp(
      "Read the rows of this query instead of files; the program duckdb runs it.",
      discussion: """
        Statements before the last one, parted by semicolons, are run first: attach a database, load an extension, create a \
        secret. The columns of the rows are found by their names, as those of a file.
        """, valueName: "query"))
  var sql: String?

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

  @Option(help: "Item file: JSON lines, CSV, RecBole .item, or Parquet.", completion: .file())
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
    help: "Item vectors: .npy, .npz, safetensors, or JSON lines, CSV or Parquet of id and numbers.",
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

  @Option(
    help: ArgumentHelp(
      "Earlier output whose text encoder is used, instead of one that is fitted to these texts.",
      discussion: "Texts then have the vectors that they had, and new ones lie in the same space."),
    completion: .directory)
  var textEncoder: String?

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
  var place: String { sql == nil ? interactions.first ?? dataFolder ?? "-" : Self.queryName }

  /// What stands for the query in place of the name of a file.
  static let queryName = "<sql>"

  func validate() throws {
    guard dataFolder != nil else {
      guard interactions.isEmpty == (sql != nil) else {
        throw ValidationError(
          sql == nil
            ? "Give '--interactions' with at least one path, '--data-folder', or '--sql'."
            : "'--interactions' and '--sql' exclude one another.")
      }
      return try validateUse()
    }
    for (name, isGiven) in [
      ("interactions", !interactions.isEmpty), ("sql", sql != nil), ("items", items != nil),
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
    try refuse(
      [("text-vectors", textVectors != nil)], if: textEncoder != nil, for: "--text-encoder")
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

  /// The encoder of the earlier output that `--text-encoder` names; nil without it.
  ///
  /// - Throws: `PipelineError`: `.missingInput`, `.dataFormat`; `.configuration` where there is none.
  func earlierEncoder() throws(PipelineError) -> TextEncoder? {
    guard let textEncoder else { return nil }
    return try TextEncoder(textEncoder)
  }

  /// Width of the vectors that are made from texts; 0 for none.
  var textVectorWidth: Int { textVectors ?? 128 }

  /// Refuses options about what this run does not read.
  private func refuseWithoutUse() throws {
    try refuse(
      [
        ("item-id-field", itemIdField != nil), ("title-field", titleField != nil),
        ("categories-field", categoriesField != nil), ("text", text != nil),
        ("missing-items", missingItems != nil), ("text-vectors", textVectors ?? 0 > 0),
        ("text-encoder", textEncoder != nil),
      ], without: "--items", isThere: items != nil)
    try refuse(
      [("missing-vectors", missingVectors != nil)], without: "--vectors", isThere: vectors != nil)
    guard vectors == nil || missingVectors == .text || textVectors ?? 0 == 0 else {
      throw ValidationError(
        "'--text-vectors' with '--vectors' needs '--missing-vectors text'.")
    }
    guard vectors == nil || missingVectors == .text || textEncoder == nil else {
      throw ValidationError(
        "'--text-encoder' with '--vectors' needs '--missing-vectors text'.")
    }
    try refuse(
      [("time-column", timeColumn != nil), ("ties", ties != nil)], if: timestampFormat == .none,
      for: "--timestamp-format none")
    try refuse(
      [("delimiter", delimiter != nil), ("no-header", noHeader)], if: format == .jsonl,
      for: "--format jsonl")
    try refuse(
      [("format", format != nil), ("delimiter", delimiter != nil), ("no-header", noHeader)],
      if: sql != nil, for: "--sql")
    try refuse([("no-header", noHeader)], if: format == .movielens, for: "--format movielens")
  }
}
