import Dataset
import Metrics
import ShardIO
import SystemPackage

/// The models on one data set, beside what needs no training.
struct ResultsTable {
  /// The groups of targets that the table has.
  static let groupKeys = ["overall", "head", "tail"]

  /// The runs of one model.
  struct Row {
    let model: String
    let seeds: [Int64]
    /// By group key and metric key; the other side is the model compared with, or this model itself where there is none.
    let results: [String: [String: SeededDifference]]
    let isCompared: Bool
  }

  /// What needs no training.
  struct Reference {
    let key: String
    let title: String
    let values: JSONValue
  }

  let dataset: String
  let userCounts: [String: Int]
  let itemCount: Int
  let rows: [Row]
  let references: [Reference]
  /// Hit rate and NDCG at 10.
  static let metrics = [Metric(kind: .hitRate, cutoff: 10), Metric(kind: .ndcg, cutoff: 10)]

  /// Compares all models of a data set.
  ///
  /// - Throws: `PipelineError` `.configuration` if runs do not fit together or were not cut at 10; what reading them throws.
  init(
    _ listed: [ResultsPlan.Run], against: String, bootstrap: Bootstrap, threads: Int
  ) throws(PipelineError) {
    let found = try EvaluatedRuns(
      listed.map(\.evaluation), data: listed[0].data, ranking: .full)
    guard found.cutoffs.contains(10) else { throw .notCutAtTen(listed[0].evaluation) }
    var models: [String] = []
    for run in listed where !models.contains(run.model) { models.append(run.model) }
    func runs(_ model: String) -> [CaseRanks] {
      zip(listed, found.ranks).filter { $0.0.model == model }.map(\.1)
    }
    let others = runs(against)
    let groups = found.groups.filter { Self.groupKeys.contains($0.key) }
    var userCounts: [String: Int] = [:]
    rows = models.map { model in
      let isCompared = model != against && !others.isEmpty
      let comparison = SeedComparison(
        own: runs(model), others: isCompared ? others : runs(model), users: found.cases.users,
        metrics: Self.metrics, bootstrap: bootstrap, threads: threads)
      var results: [String: [String: SeededDifference]] = [:]
      for group in groups {
        guard let differences = comparison.differences(group) else { continue }
        userCounts[group.key] = differences.userCount
        results[group.key] = Dictionary(
          uniqueKeysWithValues: zip(Self.metrics.map(\.key), differences.results))
      }
      return Row(
        model: model, seeds: listed.filter { $0.model == model }.map(\.seed), results: results,
        isCompared: isCompared)
    }
    self.userCounts = userCounts
    dataset = listed[0].dataset
    itemCount = found.data.catalogue.count
    references = try Self.references(of: found.inputs[0])
  }

  /// The baselines that the report of a run has; equal in all runs of the data.
  private static func references(of input: StageInput) throws(PipelineError) -> [Reference] {
    let path = input.directory.appending("report.json").string
    let report = try JSONValue(parsing: try input.file("report.json"), path: path)
    return Baseline.allCases.compactMap { baseline in
      report["baselines"]?[baseline.rawValue]?["values"].map {
        Reference(key: baseline.rawValue, title: baseline.title, values: $0)
      }
    }
  }

  /// The table for programs.
  var json: JSONValue {
    [
      "dataset": .string(dataset), "items": JSONValue(itemCount),
      "users": .object(userCounts.mapValues { JSONValue($0) }),
      "models": .array(
        rows.map { row in
          [
            "model": .string(row.model), "seeds": .array(row.seeds.map { .integer($0) }),
            "groups": .object(
              row.results.mapValues { metrics in
                .object(metrics.mapValues { row.isCompared ? $0.json : $0.ownJSON })
              }),
          ]
        }),
      "references": .object(
        Dictionary(
          uniqueKeysWithValues: references.map { reference in
            let values = Self.groupKeys.map { group in
              (
                group,
                JSONValue.object(
                  Dictionary(
                    uniqueKeysWithValues: Self.metrics.map {
                      ($0.key, reference.values[group]?[$0.key] ?? .null)
                    }))
              )
            }
            return (
              reference.key,
              [
                "title": .string(reference.title),
                "groups": .object(Dictionary(uniqueKeysWithValues: values)),
              ]
            )
          })),
    ]
  }
}

extension SeededDifference {
  /// The first model alone.
  fileprivate var ownJSON: JSONValue {
    ["value": .number(value), "deviation": deviation.map { .number($0) } ?? .null]
  }
}
