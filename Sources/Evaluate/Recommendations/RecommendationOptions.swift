public import ArgumentParser
import CommandSupport
import Dataset
import Metrics
import ShardIO
import SystemPackage
public import TextOutput

extension OutputCompression: ExpressibleByArgument {}

/// Which recommendations are written, and how.
struct RecommendationOptions: ParsableArguments {
  @Option(help: "Write this many recommendations for every user; 0 for none.")
  var recommend: Int = 0

  @Option(help: "Form of the recommendations (default: csv).")
  var recommendFormat: RecommendationFormat?

  @Option(help: "Compression of the recommendations (default: none).")
  var recommendCompression: OutputCompression?

  @Flag(help: "Write the titles of the items too.")
  var recommendTitles = false

  @OptionGroup var csv: CSVGuardFlag

  @Option(
    help: ArgumentHelp(
      "Recommend to the users of this file only, one id a line.", valueName: "path"),
    completion: .file(), transform: { FilePath($0) })
  var recommendUsers: FilePath?

  @Option(
    help: ArgumentHelp(
      #"Recommend to new users: JSON lines {"user_id": "…", "items": ["…", …]}, items in time order."#,
      valueName: "path"), completion: .file(), transform: { FilePath($0) })
  var recommendHistories: FilePath?

  @OptionGroup var filter: ItemFilterOptions

  @Option(
    help: ArgumentHelp(
      "Most items of the same most specific category in a list.", valueName: "count"))
  var maxPerCategory: Int?

  @Option(
    help: ArgumentHelp(
      """
      Weight of the score against the likeness to the items before, 0 to 1; 1 leaves the order alone (default: 1).
      """,
      valueName: "lambda"))
  var mmr: Double?

  func validate() throws {
    guard recommend >= 0 else {
      throw ValidationError("'--recommend' must not be negative, found \(recommend).")
    }
    guard (0...1).contains(relevanceWeight) else {
      throw ValidationError("'--mmr' must be from 0 to 1, not \(relevanceWeight).")
    }
    guard maxPerCategory ?? 1 > 0 else {
      throw ValidationError("'--max-per-category' must be at least 1.")
    }
    guard recommendUsers == nil || recommendHistories == nil else {
      throw ValidationError("'--recommend-users' and '--recommend-histories' exclude one another.")
    }
    let optionsOfLists: [GivenOption] = [
      ("recommend-format", recommendFormat != nil),
      ("recommend-compression", recommendCompression != nil),
      ("recommend-titles", recommendTitles), ("csv-guard", csv.csvGuard),
      ("recommend-users", recommendUsers != nil),
      ("recommend-histories", recommendHistories != nil),
      ("max-per-category", maxPerCategory != nil), ("mmr", mmr != nil),
    ]
    try refuse(
      optionsOfLists + filter.givenOptions, without: "--recommend", isThere: recommend > 0)
    try refuse(
      [("csv-guard", csv.csvGuard)], if: form != .csv,
      for: "--recommend-format \(form.rawValue)")
    try refuse(
      [("recommend-compression", recommendCompression != nil)], if: form == .parquet,
      for: "--recommend-format parquet")
  }

  private var relevanceWeight: Double { mmr ?? 1 }
  private var form: RecommendationFormat { recommendFormat ?? .csv }
  private var compression: OutputCompression { recommendCompression ?? .none }

  /// The options that shape the output.
  var configuration: [String: JSONValue] {
    let own: [String: JSONValue] = [
      "recommend": JSONValue(recommend), "recommendFormat": .string(form.rawValue),
      "recommendCompression": .string(compression.rawValue),
      "recommendTitles": .bool(recommendTitles), "csvGuard": .bool(csv.csvGuard),
      "recommendUsers": .bool(recommendUsers != nil),
      "recommendHistories": .bool(recommendHistories != nil), "mmr": .number(relevanceWeight),
      "maxPerCategory": maxPerCategory.map { JSONValue($0) } ?? .null,
    ]
    return own.merging(filter.configuration) { first, _ in first }
  }

  /// Reads and checks what the options name, before any work is done.
  ///
  /// - Parameters:
  ///   - items: what may be in lists.
  ///   - known: the items that may be in histories.
  ///   - allowsRepeats: whether items of the history may be given again.
  ///   - threads: threads to use.
  /// - Returns: who gets what; nil if no recommendations are wanted.
  /// - Throws: `PipelineError`: `.configuration` if the data cannot give such lists; `.missingInput` or `.dataFormat`
  ///   for the files.
  func plan(
    _ items: ListItems, histories known: PreprocessedData, allowsRepeats: Bool, threads: Int
  ) throws(PipelineError) -> RecommendationWriter? {
    guard recommend > 0 else { return nil }
    let data = items.data
    let (eligible, matched) = try filter.items(data, newItems: items.newItems)
    if recommend > eligible.count {
      printWarning(
        "there are \(eligible.count) items to choose from, so lists have no more",
        at: "--recommend \(recommend)")
    }
    guard relevanceWeight == 1 || data.vectors != nil else {
      throw items.marksNewItems ? .noVectorsOfNewItems("--mmr") : .noVectors("--mmr")
    }
    guard maxPerCategory == nil || data.catalogue.categories.contains(where: { !$0.isEmpty }) else {
      throw .noCategories("--max-per-category")
    }
    let audience =
      if let recommendUsers {
        try Audience.listed(recommendUsers, in: data.sequences)
      } else if let recommendHistories {
        try Audience.described(recommendHistories, in: known.catalogue)
      } else {
        Audience.known(Array(0..<data.sequences.count), data.sequences)
      }
    var writer = RecommendationWriter(
      audience: audience, eligible: eligible, catalogue: data.catalogue,
      reranker: reranker(data, eligibleCount: eligible.count),
      newItems: items.newItems, allowsRepeats: allowsRepeats, threads: threads,
      encoding: RecommendationEncoding(
        format: form, compression: compression, isGuarded: csv.csvGuard, catalogue: data.catalogue,
        hasTitles: recommendTitles, newItems: items.marksNewItems ? items.newItems : nil))
    writer.matchedIDs = matched
    return writer
  }

  private func reranker(_ data: PreprocessedData, eligibleCount: Int) -> Reranker {
    Reranker(
      count: min(recommend, eligibleCount), relevanceWeight: relevanceWeight,
      categoryLimit: maxPerCategory,
      categories: data.catalogue.categories.map(\.last),
      directions: relevanceWeight < 1 ? ListMetrics.Items(data).directions : [],
      width: data.vectors?.width ?? 0)
  }
}
