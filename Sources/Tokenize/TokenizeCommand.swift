internal import ArgumentParser
internal import CommandSupport
internal import ShardIO

/// The tokenize stage: a subcommand for each quantiser, and for each way to codes that learns nothing.
@main
struct TokenizeCommand: StageProgram {
  static let configuration = CommandConfiguration(
    commandName: "h2rec-tokenize",
    abstract: "Turn item vectors into semantic ids: a tuple of codes for each item.",
    discussion: """
      Reads the item vectors of h2rec-preprocess, learns a codebook a level, and writes codes, codebooks and a report on them \
      (codes.csv, report.json, report.md, report.html). The first word says how; rq-kmeans without one.
      """,
    version: programVersion,
    groupedSubcommands: [
      CommandGroup(name: "Quantizer", subcommands: quantizerRecipes.map { subcommand(of: $0) }),
      CommandGroup(
        name: "Other",
        subcommands: [EncodeCommand.self, ImportCommand.self, LintCommand.self]),
    ],
    defaultSubcommand: quantizerRecipes.first.map { subcommand(of: $0) })

  static let formerOptions = [
    "--quantizer":
      "write the quantizer first: h2rec-tokenize pq …; 'coarse-rq-vae' for rq-vae --coarse",
    "--coarse": "write h2rec-tokenize coarse-rq-vae …",
    "--encode-only": "write h2rec-tokenize encode --codes DIR …",
    "--import": "write h2rec-tokenize import FILE …",
    "--lint-only": "write h2rec-tokenize lint PATH …",
    "--mini-batch": "give --sample-size instead",
    "--warm-start": "leave it out: --align-to starts from the previous codebooks",
    "--no-warm-start": "leave it out: --align-to starts from the previous codebooks",
  ]

  private static func subcommand<Recipe: QuantizerRecipe>(
    of recipe: Recipe.Type
  ) -> any ParsableCommand.Type { QuantizerCommand<Recipe>.self }
}
