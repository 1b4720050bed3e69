import ShardIO

/// The lines of the training log as curves, beside those of another run where there is one.
struct TrainingCurves {
  private let lines: [JSONValue]
  private let others: [JSONValue]

  /// Takes them from a report.
  init(_ report: JSONValue) {
    lines = report["training"]?.arrayValue ?? []
    others = report["against"]?["training"]?.arrayValue ?? []
  }

  /// Whether there is more than a point.
  var isShown: Bool { lines.count > 1 }

  /// The epochs of the longer training.
  var steps: [String] {
    (others.count > lines.count ? others : lines).map { "\($0["epoch"]?.integerValue ?? 0)" }
  }

  /// The chosen epoch.
  var mark: (step: Int, label: String)? {
    lines.lastIndex { $0["isBest"]?.boolValue == true }.map {
      (step: $0, label: "chosen: epoch \(lines[$0]["epoch"]?.integerValue ?? 0)")
    }
  }

  /// The names of the losses.
  var losses: [String] {
    (lines.first?.objectValue?.keys ?? [:].keys).filter { key in
      !["epoch", "step", "isBest"].contains(key) && !key.hasPrefix("validation")
    }.sorted()
  }

  /// One value an epoch, of one or two runs.
  func series(_ key: String) -> [(name: String, values: [Double?])] {
    let count = max(lines.count, others.count)
    func values(_ lines: [JSONValue]) -> [Double?] {
      (0..<count).map { $0 < lines.count ? lines[$0][key]?.numberValue : nil }
    }
    guard others.contains(where: { $0[key] != nil }) else { return [("this run", values(lines))] }
    return [("this run", values(lines)), ("the other run", values(others))]
  }
}
