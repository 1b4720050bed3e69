internal import ShardIO

extension PipelineError {
  /// A value read from a stage's output lies outside `[0, limit)`.
  static func outOfRange(
    _ input: StageInput, _ what: String, found: Int, limit: Int
  ) -> PipelineError {
    PipelineError(
      .dataFormat, "\(what) is \(found), expected a number below \(limit)",
      at: .init(path: "\(input.directory)"),
      note: "the files do not belong together; run the stage again that wrote them")
  }
}
