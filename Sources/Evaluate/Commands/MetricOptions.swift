import ArgumentParser
import Dataset
import ShardIO
import SystemPackage

/// What is measured and how sure one can be of it.
struct MetricOptions: ParsableArguments {
  @Option(help: "Part of the events to predict.")
  var split: Split = .test

  @Option(
    help:
      "Events of that part that are predicted: all, each after those before it; or first, one a user."
  )
  var heldOut = HeldOut.all

  @Option(
    help: """
      Lengths of list at which metrics are cut, separated by commas. (default: 5,10,20, as far as there are items)
      """)
  var cutoffs: Cutoffs?

  @Option(help: "Resamples of the users for the 95 % intervals; 0 for no intervals.")
  var resamples: Int = 1000

  @Option(help: "Name of data and run, for the head of the report.")
  var title: String?

  @Flag(
    inversion: .prefixedNo,
    help: """
      Whether items of the history may be candidates and recommendations again (default: where the log keeps a user's repeated items, \
      --dedup none or consecutive).
      """)
  var allowRepeats: Bool?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      """
      Another run of this stage on the same data to compare with, user by user; several are the seeds of another model, which \
      count in the intervals.
      """,
      valueName: "directory"),
    completion: .directory, transform: { FilePath($0) })
  var against: [FilePath] = []

  @Flag(
    help: ArgumentHelp(
      "Show times and memory of the stages on the run card.",
      discussion: "Equal runs then give different reports, unless their times are equal."))
  var runTimes = false

  func validate() throws {
    guard resamples == 0 || (100...100_000).contains(resamples) else {
      throw ValidationError("'--resamples' must be 0 or from 100 to 100000, not \(resamples).")
    }
    guard resamples > 0 || against.isEmpty else {
      throw ValidationError("'--against' needs resamples; give '--resamples' another value than 0.")
    }
    let others = against.map { $0.lexicallyNormalized().string }
    guard Set(others).count == others.count else {
      throw ValidationError("'--against' has a run twice; each counts as a seed of its own.")
    }
  }

  /// The lengths of list at which metrics are cut.
  ///
  /// - Parameter itemCount: the number of items of the catalogue.
  /// - Returns: at least one length; lengths above the catalogue are left out.
  func cutoffs(itemCount: Int) -> [Int] {
    let possible = (cutoffs?.values ?? [5, 10, 20]).filter { $0 <= itemCount }
    return possible.isEmpty ? [itemCount] : possible
  }

  /// What to tell of lengths that were asked for and left out; nil if there are none.
  func warning(itemCount: Int) -> String? {
    guard let longest = cutoffs?.values.last, longest > itemCount else { return nil }
    let kept = cutoffs(itemCount: itemCount).map(String.init).joined(separator: ",")
    return
      "'--cutoffs' has \(longest), but there are \(itemCount) items; taken as '--cutoffs \(kept)'"
  }

  /// Whether items of the history are candidates: as said, else as the log was filtered.
  func allowsRepeats(in sequences: UserSequences) -> Bool {
    allowRepeats ?? sequences.keepsRepeats
  }

  /// The options that shape the output.
  func configuration(itemCount: Int, allowsRepeats: Bool) -> [String: JSONValue] {
    [
      "split": .string(split.rawValue), "heldOut": .string(heldOut.rawValue),
      "cutoffs": .array(cutoffs(itemCount: itemCount).map { JSONValue($0) }),
      "resamples": JSONValue(resamples), "allowRepeats": .bool(allowsRepeats),
      "runTimes": .bool(runTimes), "title": title.map { .string($0) } ?? .null,
    ]
  }
}
