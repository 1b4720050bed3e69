import ShardIO
import SystemPackage

/// The list of runs that a table is made of.
struct ResultsPlan {
  /// One evaluated run.
  struct Run {
    let dataset: String
    let model: String
    let seed: Int64
    /// The output of the preprocess stage.
    let data: FilePath
    /// The output of the evaluate stage.
    let evaluation: FilePath
    /// What the run took, all its starts together.
    let seconds: Double
  }

  /// How many runs there will be, those of the list among them.
  let planned: Int
  let runs: [Run]

  /// Reads a list.
  ///
  /// - Throws: `PipelineError`: `.missingInput`, `.inputOutput`; `.dataFormat` if it has another form, or a run twice.
  init(_ path: FilePath) throws(PipelineError) {
    let value = try JSONValue(parsing: readWholeFile(path), path: path.string)
    let folder = path.removingLastComponent()
    var runs: [Run] = []
    for entry in value["runs"]?.arrayValue ?? [] {
      guard let dataset = entry["dataset"]?.stringValue, let model = entry["model"]?.stringValue,
        let seed = entry["seed"]?.integerValue, let data = entry["data"]?.stringValue,
        let evaluation = entry["evaluation"]?.stringValue,
        let seconds = entry["seconds"]?.numberValue, seconds >= 0
      else { throw .notAList(path, "run \(runs.count + 1) lacks a member or has another kind") }
      let run = Run(
        dataset: dataset, model: model, seed: seed, data: folder.pushing(FilePath(data)),
        evaluation: folder.pushing(FilePath(evaluation)), seconds: seconds)
      guard !runs.contains(where: { $0.evaluation == run.evaluation }) else {
        throw .notAList(path, "\(quoted(evaluation)) stands there twice")
      }
      runs.append(run)
    }
    guard !runs.isEmpty else { throw .notAList(path, "it has no runs") }
    planned = max(runs.count, Int(clamping: value["planned"]?.integerValue ?? 0))
    self.runs = runs
  }

  /// The runs of each data set, in the order of the list; runs of other preprocess outputs stand apart.
  var tables: [[Run]] {
    var order: [FilePath] = []
    for run in runs where !order.contains(run.data) { order.append(run.data) }
    return order.map { data in runs.filter { $0.data == data } }
  }

  /// What the runs took, and what the whole plan takes if others are as long as those of their data set.
  var cost: (measured: Double, whole: Double) {
    let measured = runs.reduce(0) { $0 + $1.seconds }
    return (measured, measured / Double(runs.count) * Double(planned))
  }
}
