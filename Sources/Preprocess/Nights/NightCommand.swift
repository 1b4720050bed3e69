internal import ArgumentParser
internal import CommandSupport
internal import Foundation
internal import Nights
internal import ShardIO
internal import SystemPackage

/// One night of retraining: what cron starts.
struct NightCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "night",
    abstract: "Retrain a RUN in a dated folder and publish the model if it is good enough.",
    discussion: """
      Known items keep their codes, training starts from the published model, and the new model is compared with the published one on the \
      new data before RUN/current switches to it by one rename. The same command goes on with a night that was interrupted. \
      Status 0: published, or nothing has changed; 3: the model was refused, and what is published stays.
      """)

  @Option(name: .customLong("run"), help: "Folder of all nights.", completion: .directory)
  var folder: String

  @Option(
    help: """
      Largest fall of NDCG@10 by group against the published model, for groups among overall, head and tail; a fall within chance \
      refuses nothing.
      """)
  var maxDrop: DropLimits = DropLimits(limits: [("overall", 0.01), ("head", 0.01), ("tail", 0.02)])

  @Option(
    help: ArgumentHelp(
      "How sure it must be that a group has fallen at all, in percent, from 50 to 99.9.",
      valueName: "percent"))
  var confidence = 95.0

  @Option(help: "Least share of the catalogue in lists of ten, 0 to 1.")
  var minCoverage: Double?

  @Option(
    help: ArgumentHelp(
      "Largest share of users whose first ten items are another set than the published model's, 0 to 1.",
      valueName: "share"))
  var maxChanged: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Limits of 'h2rec-tokenize lint' that the codes must keep to; empty for none.",
      valueName: "options"))
  var lint = "--min-perplexity=1.5"

  @Option(
    help: """
      What follows where a file of the published night is damaged: refuse the night, or train cold, without a comparison.
      """)
  var damaged = DamagedNight.refuse

  @Option(
    help:
      "Published nights after which codebooks are learned anew; 0 for only where drift advises it.")
  var refitEvery = 0

  @Flag(help: "Train from nothing every night.")
  var cold = false

  @Option(help: "Last nights that are kept.")
  var keep = 7

  @Option(help: "Last weeks of which one night is kept.")
  var keepWeeks = 4

  @Option(
    help: ArgumentHelp(
      "Shell command that is run if the night fails or is refused.",
      discussion: "The environment has H2REC_STATUS and H2REC_MESSAGE.", valueName: "command"))
  var onFailure: String?

  @Option(help: "File for Prometheus' textfile collector.", completion: .file())
  var prometheus: String?

  @Argument(
    parsing: .captureForPassthrough,
    help:
      "Command lines of the stages, '--then' before each; @NIGHT@ stands for the night's folder.")
  var words: [String] = []

  private var commands: [[String]] {
    words.split(separator: "--then", omittingEmptySubsequences: false).dropFirst().map(Array.init)
  }

  func validate() throws {
    guard words.first == "--then", !commands.contains(where: \.isEmpty) else {
      throw ValidationError("Expected '--then PROGRAM OPTIONS…' for each stage after the options.")
    }
    for (name, value) in [("refit-every", refitEvery), ("keep-weeks", keepWeeks)]
    where !(0...100_000).contains(value) {
      throw ValidationError("'--\(name)' must be from 0 to 100000, not \(value).")
    }
    guard (1...100_000).contains(keep) else {
      throw ValidationError("'--keep' must be from 1 to 100000, not \(keep).")
    }
    guard (50...99.9).contains(confidence) else {
      throw ValidationError("'--confidence' must be from 50 to 99.9, not \(confidence).")
    }
    for (name, value) in [("min-coverage", minCoverage), ("max-changed", maxChanged)] {
      guard let value, !(0...1).contains(value) else { continue }
      throw ValidationError("'--\(name)' must be from 0 to 1, not \(value).")
    }
  }

  func runStage() throws(PipelineError) {
    do {
      let outcome = try StagePipeline.withLock(of: FilePath(folder)) { try night() }
      try report(outcome)
    } catch let failure as NightRun.StageFailure {
      fail(failure.status, "a stage failed; its message is above")
      Foundation.exit(failure.status)
    } catch let error as PipelineError {
      fail(error.kind.rawValue, error.message)
      throw error
    } catch {
      throw PipelineError(.internalError, "\(error)")
    }
  }

  private var gate: NightGate {
    NightGate(
      maximumDrops: maxDrop.limits, minimumCoverage: minCoverage, maximumChangedShare: maxChanged,
      confidence: confidence / 100)
  }

  private func night() throws -> NightRun.Outcome {
    let path = FilePath(folder)
    var settings = NightRun.Settings()
    settings.refitEvery = refitEvery
    settings.kept = keep
    settings.keptWeeks = keepWeeks
    settings.isWarm = !cold
    settings.goesOnWithoutDamaged = damaged == .cold
    settings.lint = lint.split(separator: " ").map(String.init)
    let run = NightRun(
      NightFolder(path), try NightPlan(commands),
      gate, settings,
      runProgram: { words, output throws(PipelineError) in
        try StagePipeline.start(words, in: path, output: output)
      },
      checkOptions: { commands throws(PipelineError) in
        try StagePipeline.checkOptions(of: commands, in: path)
      },
      isUpToDate: { words throws(PipelineError) in
        setenv(StagePipeline.askVariable, "1", 1)
        defer { unsetenv(StagePipeline.askVariable) }
        return try StagePipeline.start(words, in: path, allowing: [StagePipeline.wouldRun]) == 0
      }, warn: { printWarning($0, at: $1.string) })
    return try run.start(now: Int64(Date().timeIntervalSince1970))
  }

  /// Says how the night ended, and draws the curves.
  private func report(_ outcome: NightRun.Outcome) throws(PipelineError) {
    let path = FilePath(folder)
    let nights = NightFolder(path)
    let now = Int64(Date().timeIntervalSince1970)
    let page = NightPage(
      title: "Nights of \(path.lastComponent?.string ?? "")", try nights.history(),
      kept: Set(try nights.all()))
    try write(page.html, to: path.appending("history.html"))
    if let prometheus {
      try write(page.prometheus(published: nights.published, now: now), to: FilePath(prometheus))
    }
    try tell(of: outcome.night, in: nights, now: now)
    var members: [String: JSONValue] = ["stage": "night", "run": .string(folder)]
    members["current"] = nights.published.map { .string($0) } ?? .null
    switch outcome {
    case .unchanged(let night):
      members["night"] = .string(night)
      members["upToDate"] = true
    case .published(let night):
      members["night"] = .string(night)
      members["published"] = true
    case .refused(let night, let reasons):
      members["night"] = .string(night)
      members["published"] = false
      members["reasons"] = .array(reasons.map { .string($0) })
    }
    try printResult(
      String(decoding: try JSONValue.object(members).json(isPretty: false), as: UTF8.self))
    guard case .refused(let night, let reasons) = outcome else { return }
    printNote("refused: \(reasons.joined(separator: "; "))", at: nights.folder(night).string)
    fail(Self.refused, reasons.joined(separator: "; "))
    Foundation.exit(Self.refused)
  }

  /// Writes the page of a night, then its event; both, if a crash has left one out.
  private func tell(of night: String, in nights: NightFolder, now: Int64) throws(PipelineError) {
    let event = nights.folder(night).appending("openlineage.json")
    guard !FileSystem.exists(event), let record = try nights.record(night) else { return }
    try write(
      try nights.page(night, record, gate),
      to: nights.folder(night).appending(NightFolder.pageName))
    let lineage = nights.lineage(night, record, now: now)
    try write(String(decoding: try lineage.json(), as: UTF8.self), to: event)
  }

  /// The status of a night whose model was not good enough.
  static let refused: Int32 = 3

  private func write(_ text: String, to path: FilePath) throws(PipelineError) {
    var file = try AtomicFile(replacing: path)
    try file.append(Array(text.utf8))
    try file.commit()
  }

  /// Runs the command for failures; that it fails, too, changes nothing.
  private func fail(_ status: Int32, _ message: String) {
    guard let onFailure else { return }
    setenv("H2REC_STATUS", "\(status)", 1)
    setenv("H2REC_MESSAGE", message, 1)
    _ = try? StagePipeline.start(["/bin/sh", "-c", onFailure], in: FilePath(folder))
  }
}

/// What follows where the published night is damaged.
enum DamagedNight: String, CaseIterable, ExpressibleByArgument {
  /// The night ends with a message.
  case refuse
  /// The night is as the first one.
  case cold
}

/// Limits such as `overall=1%,head=1%,tail=0.02`.
struct DropLimits: ExpressibleByArgument, CustomStringConvertible {
  var limits: [(group: String, share: Double)]

  init(limits: [(group: String, share: Double)]) { self.limits = limits }

  init?(argument: String) {
    limits = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let fields = part.split(separator: "=", omittingEmptySubsequences: false)
      guard fields.count == 2, NightGate.groups.contains(String(fields[0])),
        !limits.contains(where: { $0.group == fields[0] })
      else { return nil }
      let isPercent = fields[1].hasSuffix("%")
      guard let number = Double(isPercent ? fields[1].dropLast() : fields[1]) else { return nil }
      let share = isPercent ? number / 100 : number
      guard (0...1).contains(share) else { return nil }
      limits.append((String(fields[0]), share))
    }
  }

  var description: String {
    limits.map { "\($0.group)=\(($0.share * 1000).rounded() / 10)%" }.joined(separator: ",")
  }

  /// What help shows.
  var defaultValueDescription: String { description }
}
