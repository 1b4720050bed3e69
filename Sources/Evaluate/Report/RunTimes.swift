import CommandSupport
import ShardIO
import SystemPackage

/// How long the stages took and how much memory they had, as they said in their summaries.
///
/// Times differ between equal runs, so no stage stores them in its output; they are told by whoever kept the summaries.
struct RunTimes {
  /// The stages whose summaries are looked for, in `<stage>.json`.
  static let stages = ["preprocess", "tokenize", "train"]

  /// By stage: `seconds` and `peakMegabytes`, and `resumedStep` where they are those of the last of several processes.
  private(set) var json: [String: JSONValue] = [:]

  /// Reads a folder with what the stages printed; of a file only the last line counts.
  ///
  /// A stage without a file, or whose run was cut off, is left out: its time is not known.
  ///
  /// - Throws: `PipelineError` `.missingInput` if there is no summary of any stage; `.inputOutput`.
  init(_ directory: FilePath) throws(PipelineError) {
    for stage in Self.stages {
      guard let bytes = try Self.bytes(directory.appending("\(stage).json")),
        let line = bytes.split(separator: UInt8(ascii: "\n")).last,
        let summary = try? JSONValue(parsing: Array(line), path: stage),
        summary["stage"]?.stringValue == stage
      else { continue }
      json[stage] = Self.entry(
        summary["seconds"], summary["peakMegabytes"], resumedStep: summary["resumedStep"])
    }
    guard !json.isEmpty else {
      throw PipelineError(
        .missingInput, "no summaries of stages", at: .init(path: directory.string),
        note: "expected preprocess.json, tokenize.json or train.json with what these programs print"
      )
    }
  }

  /// Adds what this stage has taken so far.
  mutating func add(_ summary: Summary) {
    json["evaluate"] = Self.entry(
      .number(summary.seconds), .integer(summary.peakMegabytes))
  }

  private static func entry(
    _ seconds: JSONValue?, _ megabytes: JSONValue?, resumedStep: JSONValue? = nil
  ) -> JSONValue {
    var members = ["seconds": seconds ?? .null, "peakMegabytes": megabytes ?? .null]
    members["resumedStep"] = resumedStep
    return .object(members)
  }

  /// The bytes of a file; nil if there is none.
  private static func bytes(_ path: FilePath) throws(PipelineError) -> [UInt8]? {
    do throws(PipelineError) {
      return try readWholeFile(path)
    } catch {
      guard error.kind == .missingInput else { throw error }
      return nil
    }
  }
}
