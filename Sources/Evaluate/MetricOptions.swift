import ArgumentParser
import ShardIO
import SystemPackage

/// What is measured and how sure one can be of it.
struct MetricOptions: ParsableArguments {
  @Option(help: "Part of the events to predict.")
  var split: Split = .test

  @Option(help: "Lengths of list at which metrics are cut, separated by commas.")
  var cutoffs: Cutoffs = Cutoffs(values: [5, 10, 20])

  @Option(help: "Resamples of the users for the 95 % intervals; 0 for no intervals.")
  var resamples: Int = 1000

  @Flag(help: "Items of the history may be candidates and recommendations again.")
  var allowRepeats = false

  @Option(
    help: ArgumentHelp(
      "Another run of this stage on the same data to compare with, user by user.",
      valueName: "directory"),
    completion: .directory, transform: { FilePath($0) })
  var against: FilePath?

  func validate() throws {
    guard resamples == 0 || (100...100_000).contains(resamples) else {
      throw ValidationError("'--resamples' must be 0 or from 100 to 100000, not \(resamples).")
    }
    guard resamples > 0 || against == nil else {
      throw ValidationError("'--against' needs resamples; give '--resamples' another value than 0.")
    }
  }

  /// The options that shape the output.
  var configuration: [String: JSONValue] {
    [
      "split": .string(split.rawValue), "cutoffs": .array(cutoffs.values.map { JSONValue($0) }),
      "resamples": JSONValue(resamples), "allow-repeats": .bool(allowRepeats),
    ]
  }
}
