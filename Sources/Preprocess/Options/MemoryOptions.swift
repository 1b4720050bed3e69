internal import ArgumentParser
internal import Foundation
internal import ShardIO
internal import SystemPackage

/// How much memory a run takes, and where the rest goes.
struct MemoryOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Most memory to take, for example 4GiB (default: half of the machine's).",
      discussion: """
        Events that have no room go to a temporary file. Ids, item texts and item vectors are always in memory. The \
        output does not depend on it.
        """, valueName: "size"))
  var memory: MemorySize?

  @Option(
    help: ArgumentHelp(
      "Directory for temporary files (default: the output directory; with '--dry-run' TMPDIR or /tmp).",
      discussion: "They have no name and are gone when the program ends, however it ends."),
    completion: .directory)
  var temporaryDirectory: String?

  /// The storage of a run that writes to a directory.
  func storage(output: String?) -> EventStorage {
    let usual = output ?? ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    let half = Int(clamping: ProcessInfo.processInfo.physicalMemory / 2)
    return EventStorage(
      limit: memory?.byteCount ?? half, directory: FilePath(temporaryDirectory ?? usual))
  }
}

/// A number of bytes on the command line: a whole number and KiB, MiB or GiB.
struct MemorySize: ExpressibleByArgument {
  var byteCount: Int

  /// The least that a run can do with.
  private static let least = 64 << 20

  init?(argument: String) {
    let units = ["KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
    guard let unit = units[String(argument.suffix(3))], let count = Int(argument.dropLast(3)),
      count > 0
    else { return nil }
    let (product, overflow) = count.multipliedReportingOverflow(by: unit)
    guard !overflow, product >= Self.least else { return nil }
    byteCount = product
  }
}
