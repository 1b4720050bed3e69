import ShardIO
import SystemPackage

extension PipelineError {
  /// A vector of the model has an element that is not a number.
  static func modelNotFinite(_ what: String) -> PipelineError {
    PipelineError(
      .dataFormat, "the model gives \(what) vectors that are not finite",
      note: "the training diverged; train again with a smaller learning rate")
  }

  /// Nobody can be evaluated.
  static func noTargets(_ split: Split) -> PipelineError {
    PipelineError(
      .configuration, "no user has a \(split.rawValue) target",
      note: "every user has fewer than 3 events; use other data or another split")
  }

  /// A list longer than the catalogue was asked for.
  static func listTooLong(_ count: Int, catalogue: Int) -> PipelineError {
    PipelineError(
      .configuration, "found '--recommend \(count)', the catalogue has \(catalogue) items")
  }

  /// The model needs codes and none were given.
  static func codesMissing(stage: String) -> PipelineError {
    PipelineError(
      .usage, "the model was trained with codes, and '--codes' is not given",
      note: "give the output directory of the \(stage) stage with '--codes'")
  }

  /// A report.json has not the form of a report of this version.
  static func notAReport(_ path: String) -> PipelineError {
    PipelineError(
      .dataFormat, "this is no report of format \(EvaluationReport.formatVersion)",
      at: .init(path: path), note: "evaluate again with this version of the program")
  }

  /// Two runs that are to be compared saw different test sets.
  static func otherTestSet(_ directory: FilePath) -> PipelineError {
    PipelineError(
      .configuration, "this run was evaluated on other data, another split or other users",
      at: .init(path: directory.appending("manifest.json").string),
      note: "'--against' needs a run on the same preprocess output and the same '--split'")
  }
}
