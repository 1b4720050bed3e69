import ShardIO

extension PipelineError {
  static func noVectors(_ directory: String) -> PipelineError {
    PipelineError(
      .configuration, "there are no item vectors, but the item table starts from them",
      at: .init(path: directory),
      note: "preprocess with --vectors and --vector-ids, or train with --hash-init random")
  }

  static func codesOfOtherItems(
    _ directory: String, found: Int, expected: Int
  ) -> PipelineError {
    PipelineError(
      .configuration, "found codes of \(found) items, but the catalogue has \(expected)",
      at: .init(path: directory), note: "run h2rec-tokenize on this preprocess output")
  }

  static func nothingToTrain(_ directory: String) -> PipelineError {
    PipelineError(
      .configuration, "no user has two train interactions, so there is nothing to predict",
      at: .init(path: directory),
      note: "lower --user-core and --item-core of h2rec-preprocess, or bring more data")
  }
}
