import ArgumentParser
import ShardIO
import SystemPackage

/// What is measured and how sure one can be of it.
struct MetricOptions: ParsableArguments {
  @Option(help: "Part of the events to predict.")
  var split: Split = .test

  @Option(
    help: """
      Lengths of list at which metrics are cut, separated by commas. (default: 5,10,20, as far as there are items)
      """)
  var cutoffs: Cutoffs?

  @Option(help: "Resamples of the users for the 95 % intervals; 0 for no intervals.")
  var resamples: Int = 1000

  @Option(help: "Name of data and run, for the head of the report.")
  var title: String?

  @Flag(help: "Items of the history may be candidates and recommendations again.")
  var allowRepeats = false

  @Option(
    help: ArgumentHelp(
      "Another run of this stage on the same data to compare with, user by user.",
      valueName: "directory"),
    completion: .directory, transform: { FilePath($0) })
  var against: FilePath?

  @Option(
    help: ArgumentHelp(
      "Show times and memory on the run card: a folder with the summary line of each stage in STAGE.json.",
      discussion: "Equal runs then give different reports, unless their times are equal.",
      valueName: "directory"),
    completion: .directory, transform: { FilePath($0) })
  var runTimes: FilePath?

  func validate() throws {
    guard resamples == 0 || (100...100_000).contains(resamples) else {
      throw ValidationError("'--resamples' must be 0 or from 100 to 100000, not \(resamples).")
    }
    guard resamples > 0 || against == nil else {
      throw ValidationError("'--against' needs resamples; give '--resamples' another value than 0.")
    }
  }

  /// The lengths of list at which metrics are cut.
  ///
  /// - Parameter itemCount: the number of items of the catalogue.
  /// - Returns: at least one length.
  /// - Throws: `PipelineError` `.configuration` if a list longer than the catalogue was asked for.
  func cutoffs(itemCount: Int) throws(PipelineError) -> [Int] {
    guard let values = cutoffs?.values else {
      let usual = [5, 10, 20].filter { $0 <= itemCount }
      return usual.isEmpty ? [itemCount] : usual
    }
    if let longest = values.last, longest > itemCount {
      throw .listTooLong("--cutoffs", longest, catalogue: itemCount)
    }
    return values
  }

  /// The options that shape the output.
  func configuration(itemCount: Int) throws(PipelineError) -> [String: JSONValue] {
    [
      "split": .string(split.rawValue),
      "cutoffs": .array(try cutoffs(itemCount: itemCount).map { JSONValue($0) }),
      "resamples": JSONValue(resamples), "allow-repeats": .bool(allowRepeats),
      "run-times": .bool(runTimes != nil), "title": title.map { .string($0) } ?? .null,
    ]
  }
}
