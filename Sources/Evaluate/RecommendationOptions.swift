import ArgumentParser
import CommandSupport
import Dataset
import Kernels
import ShardIO

/// Which recommendations are written.
struct RecommendationOptions: ParsableArguments {
  @Option(help: "Write this many recommendations for every user; 0 for none.")
  var recommend: Int = 0

  @Option(help: "Form of the recommendations.")
  var recommendFormat: RecommendationFormat = .csv

  func validate() throws {
    guard recommend >= 0 else {
      throw ValidationError("'--recommend' must not be negative, found \(recommend).")
    }
  }

  /// The options that shape the output.
  var configuration: [String: JSONValue] {
    ["recommend": JSONValue(recommend), "recommend-format": .string(recommendFormat.rawValue)]
  }

  /// Refuses what this catalogue cannot give.
  ///
  /// - Throws: `PipelineError` `.configuration`.
  func check(_ catalogue: Catalogue) throws(PipelineError) {
    guard recommend <= catalogue.count else {
      throw .listTooLong(recommend, catalogue: catalogue.count)
    }
  }

  /// Writes the lists of all users, if they are wanted.
  ///
  /// - Throws: `PipelineError`, see ``RecommendationWriter``.
  func write(
    _ inputs: EvaluationInputs, items: Matrix, shared: SharedOptions,
    to stageOutput: inout StageOutput
  ) throws(PipelineError) {
    guard recommend > 0 else { return }
    let progress = Progress(
      "recommending", total: inputs.data.sequences.count, isQuiet: shared.quiet)
    let writer = RecommendationWriter(
      format: recommendFormat, count: recommend, threads: shared.threads)
    try writer.write(inputs.data, model: inputs.model, items: items, to: &stageOutput) {
      progress.advance(by: $0)
    }
    progress.finish()
  }
}
