internal import ArgumentParser
internal import CommandSupport
internal import Foundation
internal import Nights
internal import ShardIO
internal import SystemPackage

/// Goes back to the night that was published before.
struct RollbackCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback", abstract: "Publish the night before the published one again.")

  @Option(name: .customLong("run"), help: "Folder of all nights.", completion: .directory)
  var folder: String

  func runStage() throws(PipelineError) {
    let path = FilePath(folder)
    let lock = try RunLock(run: path)
    let nights = NightFolder(path)
    // A rollback that was cut short is the one that is asked for again.
    let isDone = try nights.recover()
    let now =
      isDone
      ? nights.published ?? "" : try nights.rollBack(now: Int64(Date().timeIntervalSince1970))
    try printResult(#"{"stage":"rollback","current":"\#(now)"}"#)
    _ = consume lock
  }
}

/// Shows the nights of a RUN.
struct HistoryCommand: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "List the nights of a RUN, the newest last.")

  @Option(name: .customLong("run"), help: "Folder of all nights.", completion: .directory)
  var folder: String

  func runStage() throws(PipelineError) {
    let nights = NightFolder(FilePath(folder))
    let published = nights.published
    for line in try nights.history() {
      let name = line["night"]?.stringValue ?? line["time"]?.stringValue ?? ""
      let outcome =
        line["event"] == "rollback"
        ? "rolled back to \(line["to"]?.stringValue ?? "")"
        : line["published"] == true ? "published" : "refused"
      let value = line["ndcg@10 overall"]?.numberValue.map {
        " NDCG@10 \(($0 * 10_000).rounded() / 10_000)"
      }
      let reasons = (line["reasons"]?.arrayValue ?? []).compactMap(\.stringValue)
      try printResult(
        "\(name)  \(outcome)\(value ?? "")\(name == published ? "  <- current" : "")"
          + (reasons.isEmpty ? "" : "  (\(reasons.joined(separator: "; ")))"))
    }
  }
}
