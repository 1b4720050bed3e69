import ArgumentParser
import CommandSupport
import Models
import ShardIO

/// The train stage: a subcommand for each model.
@main
struct TrainCommand: StageProgram {
  static let configuration = CommandConfiguration(
    commandName: "h2rec-train",
    abstract: "Train a recommender.",
    discussion: """
      Reads the outputs of h2rec-preprocess and h2rec-tokenize, trains until the validation stops improving, and writes \
      the best parameters and a log (training-log.jsonl). The first word is the model; h2rec without one.
      """,
    version: programVersion,
    subcommands: modelRecipes.map { subcommand(of: $0) },
    defaultSubcommand: modelRecipes.first.map { subcommand(of: $0) })

  static let formerOptions = [
    "--model": "write the model first: h2rec-train sasrec …",
    "--average-decay": "write --ema-decay",
    "--consistency-weight": "write --msg-weight",
    "--consistency-temperature": "write --msg-temperature",
  ]

  private static func subcommand<Recipe: ModelRecipe>(
    of recipe: Recipe.Type
  ) -> any ParsableCommand.Type { ModelCommand<Recipe>.self }
}
