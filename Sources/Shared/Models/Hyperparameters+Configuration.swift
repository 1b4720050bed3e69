public import ShardIO

extension Hyperparameters {
  /// What the manifest of the train stage says of the network, under the names of the command's options.
  public var configuration: [String: JSONValue] {
    [
      "model": JSONValue(architecture.rawValue), "dimension": JSONValue(dimension),
      "maxLength": JSONValue(maxLength), "layers": JSONValue(layerCount),
      "heads": JSONValue(headCount), "crossHeads": JSONValue(crossHeadCount),
      "embeddingDropout": decimal(dropout.embedding),
      "attentionDropout": decimal(dropout.attention),
      "feedForwardDropout": decimal(dropout.feedForward), "gateDropout": decimal(dropout.gate),
      "cross": JSONValue(cross.rawValue),
      "gate": JSONValue(gate.rawValue), "attention": JSONValue(attention.rawValue),
      "levelSizes": .array(levelSizes.map { JSONValue($0) }),
    ]
  }

  /// A float as it was written, not as its nearest double.
  private func decimal(_ value: Float) -> JSONValue { JSONValue(Double("\(value)") ?? 0) }

  /// Reads what ``configuration`` wrote; without the rates of dropout, which a trained model has no use for.
  ///
  /// - Throws: `PipelineError`: `.dataFormat` naming the entry that is missing or has another type.
  public init(_ manifest: Manifest, directory: String) throws(PipelineError) {
    let entries = ConfigurationEntries(manifest.configuration, directory: directory)
    self.init()
    architecture = try entries.choice("model")
    dimension = try entries.positive("dimension")
    maxLength = try entries.positive("maxLength")
    layerCount = try entries.positive("layers")
    headCount = try entries.positive("heads")
    crossHeadCount = try entries.positive("crossHeads")
    dropout = .uniform(0, gate: 0)
    cross = try entries.choice("cross")
    gate = try entries.choice("gate")
    attention = try entries.choice("attention")
    levelSizes = try entries.sizes("levelSizes")
    guard dimension % headCount == 0, !hasCross || dimension % crossHeadCount == 0 else {
      throw entries.error("dimension", "is no multiple of the numbers of heads")
    }
  }
}

/// Typed access to the configuration in a manifest.
private struct ConfigurationEntries {
  private let entries: [String: JSONValue]
  private let directory: String

  init(_ entries: [String: JSONValue], directory: String) {
    self.entries = entries
    self.directory = directory
  }

  func error(_ name: String, _ problem: String) -> PipelineError {
    PipelineError(
      .dataFormat, "configuration entry '\(name)' \(problem)",
      at: .init(path: "\(directory)/\(Manifest.fileName)"),
      note: "train again with this version of the programs")
  }

  func positive(_ name: String) throws(PipelineError) -> Int {
    guard let value = entries[name]?.integerValue, value > 0, value < 1 << 24 else {
      throw error(name, "is no positive whole number")
    }
    return Int(value)
  }

  func choice<Choice: RawRepresentable<String>>(_ name: String) throws(PipelineError) -> Choice {
    guard let text = entries[name]?.stringValue, let choice = Choice(rawValue: text) else {
      throw error(name, "is none of the known choices")
    }
    return choice
  }

  func sizes(_ name: String) throws(PipelineError) -> [Int] {
    guard let values = entries[name]?.arrayValue else { throw error(name, "is no list") }
    var sizes: [Int] = []
    for value in values {
      guard let size = value.integerValue, (1...65_536).contains(size) else {
        throw error(name, "has an element outside 1 ... 65536")
      }
      sizes.append(Int(size))
    }
    return sizes
  }
}
