public import ArgumentParser
public import CommandSupport
internal import ShardIO

/// When a training is saved while it is under way; changes no output.
public struct CheckpointOptions: ConfiguredOptions {
  /// Minutes between two checkpoints; 0 for none.
  @Option(
    help: """
      Minutes between two checkpoints, in OUTPUT/checkpoints; 0 for none. A checkpoint is also written on SIGTERM and \
      SIGINT, which end the program with status 75 after the step under way. The same command goes on from the last one.
      """)
  public var checkpointMinutes = 10.0

  /// Steps between two checkpoints; 0 for none.
  @Option(help: "Steps between two checkpoints; 0 for none.")
  public var checkpointSteps = 0

  /// Creates the options with their defaults.
  public init() {}

  /// The names of the options.
  public static var fieldNames: Set<String> { ["checkpointMinutes", "checkpointSteps"] }

  /// Names and ranges.
  public static var fields: [OptionField<Self>] {
    [
      .number("checkpointMinutes", \.checkpointMinutes, 0...100_000),
      .integer("checkpointSteps", \.checkpointSteps, 0...1_000_000_000),
    ]
  }

  /// Refuses what is out of range.
  public func validate() throws { try validateRanges() }

  /// Where a training is saved to.
  ///
  /// - Parameters:
  ///   - store: the place, and what the training is made from.
  ///   - isQuiet: whether to keep silent about checkpoints of other settings.
  /// - Returns: what saves the training as often as the options say.
  public func checkpoints(in store: CheckpointStore, isQuiet: Bool) -> Checkpoints {
    Checkpoints(store, minutes: checkpointMinutes, steps: checkpointSteps, isQuiet: isQuiet)
  }
}
