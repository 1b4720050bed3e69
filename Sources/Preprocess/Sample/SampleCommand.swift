internal import ArgumentParser
internal import CommandSupport
internal import ShardIO
internal import SystemPackage

/// Writes the built-in sample.
struct SampleCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Write a small made-up shop: interactions.csv, items.jsonl, vectors and ids.",
    discussion: """
      Of any size, and the same bytes for the same options. Popular items have followers of their own, which only an \
      item id can learn; rare items follow their topic, which shows in the text vectors.
      """)

  @Option(help: "Folder for the files.", completion: .directory)
  var output: String

  @Option(help: "Number of users.")
  var users = 3000

  @Option(help: "Number of items.")
  var items = 1500

  @Option(help: "Number of interactions.")
  var interactions = 40_000

  @OptionGroup(title: "General")
  var random: SeedOption

  @OptionGroup(title: "General")
  var progress: QuietFlag

  @OptionGroup(title: "General")
  var needed: IfNeededFlag

  func validate() throws {
    let limit = 1_000_000_000
    for (name, value, least) in [
      ("--users", users, 1), ("--items", items, 10), ("--interactions", interactions, users),
    ] where value < least || value > limit {
      throw ValidationError("'\(name)' must be from \(least) to \(limit), not \(value).")
    }
  }

  func runStage() throws(PipelineError) {
    var summary = Summary(stage: "sample")
    let path = FilePath(output)
    if try needed.isUpToDate(request, output: path, summary, isQuiet: progress.quiet) { return }
    let lock = try RunLock(output: path)
    let shop = SampleShop(
      userCount: users, itemCount: items, eventCount: interactions, seed: random.seed)
    try shop.create(in: path, isQuiet: progress.quiet)
    try request.keep()
    _ = consume lock
    summary.facts = [
      "users": JSONValue(users), "items": JSONValue(items),
      "interactions": JSONValue(interactions),
    ]
    try summary.print(output: path)
  }

  /// What this run would do; the files are those that it writes, as they are now.
  private var request: StageRequest {
    request(
      "sample", output: FilePath(output), leavingOut: [],
      files: SampleShop.fileNames.map { SourceFile("sample", "\(output)/\($0)") },
      hasManifest: false)
  }
}
