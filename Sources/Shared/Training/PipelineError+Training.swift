internal import ShardIO
internal import SystemPackage

extension PipelineError {
  static func diverged(
    step: Int, part: String, parameter: String?, saved: Int?
  ) -> PipelineError {
    let place = parameter.map { "; the first parameter that is not finite is '\($0)'" } ?? ""
    return PipelineError(
      .internalError, "the \(part) loss of step \(step) is no finite number\(place)",
      note: remedy(saved))
  }

  static func notFinite(_ parameter: String, step: Int, saved: Int?) -> PipelineError {
    PipelineError(
      .internalError, "the parameter '\(parameter)' is not finite after step \(step)",
      note: remedy(saved))
  }

  private static func remedy(_ saved: Int?) -> String {
    let left = saved.map { "the checkpoint of step \($0) is left" } ?? "nothing was written"
    return "lower --learning-rate; \(left)"
  }

  // MARK: - Checkpoints

  static func interrupted(step: Int, directory: FilePath) -> PipelineError {
    PipelineError(
      .temporaryFailure, "stopped by a signal after step \(step), which is saved",
      at: .init(path: directory.string), note: "the same command goes on from there")
  }

  static func checkpointShape(_ name: String, _ input: StageInput) -> PipelineError {
    PipelineError(
      .dataFormat, "'\(name)' of this checkpoint does not fit the training",
      at: .init(path: input.directory.string))
  }

  static func badLog(_ path: String, line: Int?, expected rule: String) -> PipelineError {
    PipelineError(
      .dataFormat, "the log of this checkpoint is not that of its training, expected \(rule)",
      at: .init(path: path, line: line))
  }

  static func noGoodCheckpoint(_ cause: PipelineError, _ directory: FilePath) -> PipelineError {
    PipelineError(
      .dataFormat, "\(cause.message), and there is no other checkpoint to go on from",
      at: cause.location,
      note: "remove \(directory.string) to train from the start")
  }
}
