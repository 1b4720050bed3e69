import ArgumentParser
import CommandSupport
import ShardIO

/// When a training is saved while it is under way; changes no output.
struct CheckpointOptions: ConfiguredOptions {
  @Option(
    help: """
      Minutes between two checkpoints, in OUTPUT/checkpoints; 0 for none. A checkpoint is also written on SIGTERM and \
      SIGINT, which end the program with status 75 after the step under way. The same command goes on from the last one.
      """)
  var checkpointMinutes = 10.0

  @Option(help: "Steps between two checkpoints; 0 for none.")
  var checkpointSteps = 0

  static var fields: [OptionField<Self>] {
    [
      .number("checkpointMinutes", \.checkpointMinutes, 0...100_000),
      .integer("checkpointSteps", \.checkpointSteps, 0...1_000_000_000),
    ]
  }

  func validate() throws { try validateRanges() }
}
