import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// What the programs say about themselves.
@Suite struct HelpTests {
  /// Every command line that has a help page, by the name of its snapshot.
  private static let pages = [
    "h2rec-preprocess", "h2rec-preprocess run", "h2rec-preprocess sample",
    "h2rec-preprocess pipeline", "h2rec-preprocess night", "h2rec-preprocess rollback",
    "h2rec-preprocess history", "h2rec-tokenize", "h2rec-tokenize rq-kmeans",
    "h2rec-tokenize pq", "h2rec-tokenize opq", "h2rec-tokenize vq", "h2rec-tokenize rq-vae",
    "h2rec-tokenize coarse-rq-vae", "h2rec-tokenize encode", "h2rec-tokenize import",
    "h2rec-tokenize lint",
    "h2rec-train", "h2rec-train h2rec", "h2rec-train sasrec", "h2rec-train gru4rec",
    "h2rec-train sid", "h2rec-train bsarec", "h2rec-train fmlp-rec", "h2rec-train bert4rec",
    "h2rec-train esasrec", "h2rec-train hstu", "h2rec-train text-sasrec", "h2rec-train unisrec",
    "h2rec-train pg-sid",
    "h2rec-train tiger",
    "h2rec-evaluate", "h2rec-evaluate run", "h2rec-evaluate show", "h2rec-evaluate compare",
    "h2rec-evaluate results",
    "h2rec-evaluate similar",
    "h2rec-evaluate export",
  ]
  private static let programs = stageNames.map { "h2rec-\($0)" }

  @Test(arguments: pages)
  func `help is what the snapshot says`(page: String) async throws {
    let words = page.split(separator: " ").map(String.init)
    let result = try await run(words[0], Array(words.dropFirst()) + ["--help"])
    #expect(result.status == .exited(0), "\(result.error)")
    let snapshot = fixtureDirectory.appending("help")
      .appending(page.replacing(" ", with: "-") + ".txt")
    if ProcessInfo.processInfo.environment["H2REC_WRITE_SNAPSHOTS"] != nil {
      try write(Array(result.output.utf8), to: snapshot)
    }
    let expected = try String(contentsOfFile: snapshot.string, encoding: .utf8)
    #expect(
      result.output == expected,
      "after an intended change: H2REC_WRITE_SNAPSHOTS=1 make test FILTER=HelpTests")
  }

  @Test(arguments: programs)
  func `every option has a help text`(program: String) async throws {
    let dump = try await run(program, ["--experimental-dump-help"])
    let object = try JSONSerialization.jsonObject(with: Data(dump.output.utf8)) as? [String: Any]
    let command = try #require(object?["command"] as? [String: Any])
    #expect(undocumented(in: command) == [])
  }

  @Test(arguments: programs, ["bash", "zsh", "fish"])
  func `completions name the options`(program: String, shell: String) async throws {
    let result = try await run(program, ["--generate-completion-script", shell])
    #expect(result.status == .exited(0))
    #expect(result.output.contains("threads"))
    #expect(result.output.contains(program))
  }

  @Test(arguments: [
    ("h2rec-preprocess", ["--interactions", "a"]), ("h2rec-tokenize", ["--data", "a"]),
    ("h2rec-train", ["--data", "a", "--codes", "b"]),
    ("h2rec-evaluate", ["--data", "a", "--codes", "b", "--model", "c"]),
  ])
  func `an unknown option is a wrong usage`(program: String, needed: [String]) async throws {
    let result = try await run(program, needed + ["--output", "d", "--nonesuch", "1"])
    #expect(result.status == .exited(64))
    #expect(result.output == "")
    #expect(result.error.hasPrefix("Error: Unknown option '--nonesuch'"))
  }

  @Test(arguments: programs)
  func `the version is that of the manifests`(program: String) async throws {
    let result = try await run(program, ["--version"])
    #expect(result.status == .exited(0))
    #expect(result.output.split(separator: ".").count >= 2, "'\(result.output)' is no version")
  }

  private func run(_ program: String, _ arguments: [String]) async throws -> StageResult {
    // The page is as wide as the terminal, and 80 columns without one.
    try await runStage(program, arguments, in: "/", environment: ["COLUMNS": nil])
  }

  /// The names of all options of a command and its subcommands that say nothing about themselves.
  private func undocumented(in command: [String: Any]) -> [String] {
    let arguments = command["arguments"] as? [[String: Any]] ?? []
    let silent = arguments.filter { ($0["abstract"] as? String ?? "").isEmpty }
    let subcommands = (command["subcommands"] as? [[String: Any]] ?? [])
      .filter { $0["commandName"] as? String != "help" }
    return silent.map { $0["valueName"] as? String ?? "?" }
      + subcommands.flatMap { undocumented(in: $0) }
  }
}
