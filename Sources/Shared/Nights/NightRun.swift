internal import Foundation
public import ShardIO
public import SystemPackage

/// One night: what changed is computed in a dated folder, compared with the published model, and published or not.
public struct NightRun {
  /// What is done beside the stages.
  public struct Settings: Sendable {
    /// Nights after which codebooks are learned anew, by the names of the old ones; 0 for only where drift advises it.
    public var refitEvery = 0
    /// The last nights that stay.
    public var kept = 7
    /// The last weeks of which one night stays.
    public var keptWeeks = 4
    /// Whether training starts from the published model, where it is of the same form.
    public var isWarm = true
    /// Whether a published night that is damaged is as none; else it ends the night.
    public var goesOnWithoutDamaged = false
    /// Options of `h2rec-tokenize lint` that the codes must keep to; empty for none.
    public var lint: [String] = []

    /// The usual ones.
    public init() {}
  }

  /// How it ended.
  public enum Outcome: Sendable, Equatable {
    /// Nothing has changed since the last night.
    case unchanged(night: String)
    case published(night: String)
    /// The model was not good enough; what was published stays.
    case refused(night: String, reasons: [String])

    /// The night that has just ended, or the last one where there was nothing to do.
    public var night: String {
      switch self {
      case .unchanged(let night), .published(let night), .refused(let night, _): night
      }
    }
  }

  let folder: NightFolder
  let plan: NightPlan
  let gate: NightGate
  let settings: Settings
  /// Runs a command line and gives its status; what it prints goes to a file where one is given.
  let runProgram: (_ words: [String], _ output: FilePath?) throws(PipelineError) -> Int32
  /// Lets programs check their options and do nothing else; gives the status of the first that refuses them.
  let checkOptions: (_ commands: [[String]]) throws(PipelineError) -> Int32
  /// Whether a command line with `--if-needed` would have nothing to do.
  let isUpToDate: (_ words: [String]) throws(PipelineError) -> Bool
  /// Says something that ends nothing.
  let warn: (_ message: String, _ place: FilePath) -> Void

  /// A stage that failed, and has said why.
  public struct StageFailure: Error {
    /// Its status.
    public let status: Int32
  }

  /// A night of a RUN whose lock is held.
  public init(
    _ folder: NightFolder, _ plan: NightPlan, _ gate: NightGate, _ settings: Settings,
    runProgram:
      @escaping (_ words: [String], _ output: FilePath?) throws(PipelineError) -> Int32,
    checkOptions: @escaping (_ commands: [[String]]) throws(PipelineError) -> Int32,
    isUpToDate: @escaping (_ words: [String]) throws(PipelineError) -> Bool,
    warn: @escaping (_ message: String, _ place: FilePath) -> Void
  ) {
    self.folder = folder
    self.plan = plan
    self.gate = gate
    self.settings = settings
    self.runProgram = runProgram
    self.checkOptions = checkOptions
    self.isUpToDate = isUpToDate
    self.warn = warn
  }

  /// Does what has to be done.
  ///
  /// - Parameter now: seconds since 1970.
  /// - Returns: how it ended.
  /// - Throws: `PipelineError`; ``StageFailure`` for a stage that failed. What is published stays then, and the same call goes on.
  public func start(now: Int64) throws -> Outcome {
    try folder.recover()
    let last = try lastEnded()
    if let last, try isUnchanged(since: last) {
      // What a crash after the end of the night has left.
      _ = try folder.retain(last: settings.kept, weeks: settings.keptWeeks)
      return .unchanged(night: last.name)
    }
    let lintCommand = isLinted ? [plan.lint(FilePath(NightPlan.placeholder), settings.lint)] : []
    let status = try checkOptions(plan.template + lintCommand)
    guard status == 0 else { throw StageFailure(status: status) }
    try requireRoom(last?.name)
    let night = try folder.begin(now: now)
    let path = folder.folder(night)
    if let last, now <= NightFolder.seconds(last.name) ?? 0 {
      warn(
        "the clock shows \(NightFolder.name(now)), no later than the last night; this one is named \(night)",
        folder.run)
    }
    let published = try publishedNight()
    try FileSystem.createDirectory(path)
    let clock = ContinuousClock.now
    var record = NightRecord(
      isPublished: true, reasons: [], template: plan.template, isWarm: false,
      hasFrozenCodes: false, figures: [:])
    let encoder = try published.flatMap { found throws(PipelineError) in
      try counters(found.path, "preprocess")["textEncoder"] == nil ? nil : found.path
    }
    record.figures["textEncoder"] = .bool(encoder != nil)
    try run(plan.preprocess(path, encoder: encoder))
    let hadCodes = published.map { NightPlan.words("tokenize", in: $0.record.template) != nil }
    if plan.hasCodes {
      record.hasFrozenCodes = try tokenize(
        path, published.map { ($0.path, $0.record) }, &record.figures)
    }
    let isSameModel = published.map {
      NightPlan.words("train", in: $0.record.template) == plan.words("train")
    }
    record.isWarm = settings.isWarm && isSameModel == true
    try run(plan.train(path, from: record.isWarm ? published?.path : nil))
    if let published {
      try carry(
        path, published.path, published.record,
        codes: hadCodes == true && !record.hasFrozenCodes ? "published/2-tokenize" : "2-tokenize")
    }
    try run(plan.evaluate(path, isCompared: published != nil))
    let report = try self.report(path, "4-evaluate", "evaluate")
    record.reasons = try gate.reasons(report) + lint(path)
    record.isPublished = record.reasons.isEmpty
    try note(report, path, &record.figures)
    record.figures["damaged"] = folder.published != nil && published == nil ? true : nil
    let seconds = (ContinuousClock.now - clock) / .seconds(1)
    record.figures["seconds"] = .number((seconds * 10).rounded() / 10)
    record.figures["bytes"] = JSONValue(folder.byteCount(night))
    record.figures["peakMemory"] = JSONValue(Self.peakMemory)
    try folder.end(night, record)
    _ = try folder.retain(last: settings.kept, weeks: settings.keptWeeks)
    return record.isPublished
      ? .published(night: night) : .refused(night: night, reasons: record.reasons)
  }

  /// The published night, read as a whole; nil if there is none, or none that is fit for use where that may be.
  private func publishedNight() throws(PipelineError) -> (path: FilePath, record: NightRecord)? {
    guard let name = folder.published, let record = try folder.record(name) else { return nil }
    do throws(PipelineError) {
      try folder.requireIntact(name)
    } catch {
      guard settings.goesOnWithoutDamaged else { throw error }
      warn(
        "the published night is damaged (\(error.message)), so this one starts from nothing",
        folder.folder(name))
      return nil
    }
    return (folder.folder(name), record)
  }

  /// The bytes that the largest of the programs had in memory at once.
  private static var peakMemory: Int {
    var usage = rusage()
    getrusage(RUSAGE_CHILDREN.rawValue, &usage)
    return usage.ru_maxrss * 1024
  }

  /// Whether the codes are compared with limits.
  private var isLinted: Bool { plan.hasCodes && !settings.lint.isEmpty }

  /// Compares the codes with the limits.
  ///
  /// - Returns: what is wrong with them; nothing if they keep to them, or if there are no codes or no limits.
  private func lint(_ path: FilePath) throws -> [String] {
    guard isLinted else { return [] }
    let output = path.appending("lint.txt")
    let status = try runProgram(plan.lint(path, settings.lint), output)
    let text = String(decoding: try readWholeFile(output), as: UTF8.self)
    if status == 0 { return [] }
    guard status == PipelineError.Kind.dataFormat.rawValue else {
      warn("the limits of the codes cannot be checked; \(text)", output)
      throw StageFailure(status: status)
    }
    let line = text.split(separator: "\n").first ?? ""
    let message = line.range(of: ": error: ").map { line[$0.upperBound...] } ?? line
    return ["codes: \(message)"]
  }

  /// The newest night that has ended.
  private func lastEnded() throws(PipelineError) -> (name: String, record: NightRecord)? {
    for name in try folder.all().reversed() {
      if let record = try folder.record(name) { return (name, record) }
    }
    return nil
  }

  /// Whether the same stages on the same inputs would give the night again.
  private func isUnchanged(
    since last: (name: String, record: NightRecord)
  ) throws(PipelineError) -> Bool {
    guard last.record.template == plan.template else { return false }
    let path = folder.folder(last.name)
    let usesEncoder = last.record.figures["textEncoder"] == true
    return try isUpToDate(
      plan.preprocess(path, encoder: usesEncoder ? path : nil) + ["--if-needed"])
  }

  /// Refuses to begin where the disk has less room than the last night took, and a fifth.
  private func requireRoom(_ last: String?) throws(PipelineError) {
    guard let last else { return }
    let needed = folder.byteCount(last) * 6 / 5
    let values = try? FileManager.default.attributesOfFileSystem(forPath: folder.run.string)
    guard let free = (values?[.systemFreeSize] as? NSNumber)?.int64Value, free < needed else {
      return
    }
    throw PipelineError(
      .inputOutput,
      "the disk has \(free / 1_000_000) MB free, the last night took \(needed * 5 / 6_000_000)",
      at: .init(path: folder.run.string),
      note: "make room, or keep fewer nights (--keep, --keep-weeks); nothing was begun")
  }

  private func run(_ words: [String]) throws {
    let status = try runProgram(words + ["--if-needed"], nil)
    guard status == 0 else { throw StageFailure(status: status) }
  }

  /// Gives the items codes, and those of the published model where its names are needed for the comparison.
  ///
  /// - Returns: whether the codebooks are those of the published night.
  private func tokenize(
    _ path: FilePath, _ published: (path: FilePath, record: NightRecord)?,
    _ figures: inout [String: JSONValue]
  ) throws -> Bool {
    guard let published, let before = NightPlan.words("tokenize", in: published.record.template)
    else {
      try run(plan.tokenize(path, from: nil, isFrozen: false))
      return false
    }
    let isSame = before == plan.words("tokenize")
    let age = try nightsSinceFit() + 1
    var isFrozen = isSame && !(settings.refitEvery > 0 && age >= settings.refitEvery)
    if isFrozen {
      try run(plan.tokenize(path, from: published.path, isFrozen: true))
      let drift = try report(path, "2-tokenize", "tokenize")["drift"]
      figures["drift"] = drift
      isFrozen = drift?["refitAdvised"]?.boolValue != true
    }
    if !isFrozen {
      try run(
        plan.tokenize(
          path, from: published.path, isFrozen: true, output: "published/2-tokenize"))
      try run(plan.tokenize(path, from: isSame ? published.path : nil, isFrozen: false))
    }
    return isFrozen
  }

  /// The published nights since the codebooks were learned.
  private func nightsSinceFit() throws(PipelineError) -> Int {
    var count = 0
    for name in try folder.all().reversed() {
      guard let record = try folder.record(name), record.isPublished else { continue }
      if !record.hasFrozenCodes { return count }
      count += 1
    }
    return count
  }

  /// Measures the published model on the new data.
  private func carry(
    _ path: FilePath, _ published: FilePath, _ record: NightRecord, codes: String
  ) throws {
    try FileSystem.createDirectory(path.appending("published"))
    let words = NightPlan.words("train", in: record.template) ?? []
    try run(NightPlan.carry(words, path, from: published, codes: codes))
    try run(plan.evaluatePublished(path, codes: codes))
  }

  /// The figures of a night that curves are drawn from.
  private func note(
    _ report: JSONValue, _ path: FilePath, _ figures: inout [String: JSONValue]
  ) throws(PipelineError) {
    let full = report["protocols"]?["full"]
    for group in NightGate.groups {
      guard let entry = full?[group] else { continue }
      figures["ndcg@10 \(group)"] = entry["ndcg@10"] ?? .null
      figures["interval \(group)"] = entry["intervals"]?["ndcg@10"] ?? .null
      if let before = report["against"]?["values"]?["full"]?[group]?["ndcg@10"] {
        figures["published ndcg@10 \(group)"] = before
      }
    }
    figures["coverage@10"] = report["lists"]?["coverage@10"] ?? .null
    if let change = report["against"]?["listChange"] {
      figures["changedShare"] = change["changedShare"] ?? .null
      figures["keptShare"] = change["keptShare"] ?? .null
    }
    if FileSystem.exists(path.appending("published")) {
      figures["carriedItems"] = try counters(path, "train", in: "published/")["warmStart"] ?? .null
    }
    let data = try counters(path, "preprocess")
    for name in ["users", "items", "interactions"] { figures[name] = data[name] ?? .null }
    let training = try counters(path, "train")
    figures["epochs"] = training["epochs"] ?? .null
    figures["warmStartItems"] = training["warmStart"] ?? .null
  }

  private func counters(
    _ path: FilePath, _ stage: String, in parent: String = ""
  ) throws(PipelineError) -> [String: JSONValue] {
    let number = ["preprocess": 1, "tokenize": 2, "train": 3, "evaluate": 4][stage] ?? 0
    let output = FilePath("\(path)/\(parent)\(number)-\(stage)")
    return try StageInput(directory: output, expecting: stage)
      .manifest.counters
  }

  private func report(
    _ path: FilePath, _ output: String, _ stage: String
  ) throws(PipelineError) -> JSONValue {
    let input = try StageInput(directory: path.appending(output), expecting: stage)
    return try JSONValue(
      parsing: try input.file("report.json"), path: path.appending(output).string)
  }
}
