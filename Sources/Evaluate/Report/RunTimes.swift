import CommandSupport
import ShardIO
import SystemPackage

/// How long the stages took and how much memory they had, as they recorded it beside their outputs.
///
/// Times differ between equal runs, so no stage stores them in its output.
struct RunTimes {
  /// The stages before this one.
  static let stages = ["preprocess", "tokenize", "train"]

  /// By stage: `seconds` of all processes and `peakMegabytes` of the last, and `resumedStep` where there were several.
  private(set) var json: [String: JSONValue] = [:]

  /// Reads the records of the stages; one without a record is left out: its time is not known.
  ///
  /// - Parameter directories: the output of each stage, by its name.
  init(_ directories: [String: FilePath]) {
    for (stage, directory) in directories {
      guard let record = StageRecord(directory) else { continue }
      json[stage] = Self.entry(
        record.seconds, record.peakMegabytes, resumedStep: record.resumedStep)
    }
  }

  /// Adds what this stage has taken so far.
  mutating func add(_ summary: Summary) {
    json["evaluate"] = Self.entry(summary.seconds, summary.peakMegabytes)
  }

  private static func entry(
    _ seconds: Double, _ megabytes: Int64, resumedStep: Int64? = nil
  ) -> JSONValue {
    var members: [String: JSONValue] = [
      "seconds": .number(seconds), "peakMegabytes": .integer(megabytes),
    ]
    members["resumedStep"] = resumedStep.map { .integer($0) }
    return .object(members)
  }
}
