public import ArgumentParser
import CommandSupport
public import Models

extension Hyperparameters.Architecture: ExpressibleByArgument {}
extension Hyperparameters.Cross: ExpressibleByArgument {}
extension Hyperparameters.Gate: ExpressibleByArgument {}
extension Hyperparameters.AttentionMask: ExpressibleByArgument {}
extension HashStart: ExpressibleByArgument {}

/// The form and the sizes of the network.
struct NetworkOptions: ParsableArguments {
  @Option(help: "h2rec: hash and semantic IDs; sasrec: hash IDs alone; sid: semantic IDs alone.")
  var model = Hyperparameters.Architecture.h2rec

  @Option(help: "Width of each branch; a multiple of both numbers of heads.")
  var dimension = 128

  @Option(help: "Most recent items of a history that are read.")
  var maxLength = 50

  @Option(help: "Encoder blocks.")
  var layers = 2

  @Option(help: "Attention heads of the encoder.")
  var heads = 1

  @Option(help: "Heads of each cross-attention (default: 4).")
  var crossHeads: Int?

  @Option(help: "Dropout of embeddings, attention and feed-forward layers, from 0 to below 1.")
  var dropout: Float = 0.5

  @Option(help: "Dropout of the embeddings alone (default: that of --dropout).")
  var embeddingDropout: Float?

  @Option(help: "Dropout of the attention probabilities alone (default: that of --dropout).")
  var attentionDropout: Float?

  @Option(help: "Dropout of the feed-forward layers alone (default: that of --dropout).")
  var feedForwardDropout: Float?

  @Option(help: "Dropout inside the gate, from 0 to below 1 (default: 0.1).")
  var gateDropout: Float?

  @Option(
    help: """
      Cross-attention between the branches: none; plain (as published); residual; scaled (residual with a learned \
      factor that starts at 0) (default: none).
      """)
  var cross: Hyperparameters.Cross?

  @Option(
    help: """
      Weights of the levels: position (from each position), user (from the last position, needs --targets last), \
      static (learned, the same everywhere), mean (equal). Takes part with a cross-attention (default: position).
      """)
  var gate: Hyperparameters.Gate?

  @Option(help: "causal, or bidirectional (needs --targets last).")
  var attention = Hyperparameters.AttentionMask.causal

  @Option(help: "Start of the item table: pca (of the item vectors) or random (default: pca).")
  var hashInit: HashStart?

  func validate() throws {
    try requireRange("dimension", dimension, 1...4096)
    try requireRange("max-length", maxLength, 1...10_000)
    try requireRange("layers", layers, 1...64)
    try requireRange("heads", heads, 1...64)
    try requireRange("cross-heads", crossHeads ?? Self.defaultCrossHeads, 1...64)
    try requireRate("dropout", dropout)
    try requireRate("embedding-dropout", embeddingDropout ?? 0)
    try requireRate("attention-dropout", attentionDropout ?? 0)
    try requireRate("feed-forward-dropout", feedForwardDropout ?? 0)
    try requireRate("gate-dropout", gateDropout ?? 0)
    guard dimension % heads == 0, dimension > 1 else {
      throw ValidationError(
        "'--dimension' must be a multiple of '--heads' above 1, not \(dimension).")
    }
    guard !hasCross || dimension % (crossHeads ?? Self.defaultCrossHeads) == 0 else {
      throw ValidationError(
        "'--dimension' must be a multiple of '--cross-heads', too, not \(dimension).")
    }
    try refuse(optionsOfHashIDs, if: model == .sid, for: "--model sid")
    try refuse(optionsOfTwoBranches, if: model != .h2rec, for: "--model \(model.rawValue)")
    try refuse(optionsOfCrossAttention, if: !hasCross, for: "--cross none")
    if let gate, gate == .static || gate == .mean {
      try refuse([("gate-dropout", gateDropout != nil)], if: true, for: "--gate \(gate.rawValue)")
    }
  }

  private static let defaultCrossHeads = 4

  /// Whether the branches inform each other.
  var hasCross: Bool { model == .h2rec && (cross ?? Hyperparameters.Cross.none) != .none }

  /// How the item table starts.
  var hashStart: HashStart { hashInit ?? .pca }

  private var optionsOfHashIDs: [GivenOption] { [("hash-init", hashInit != nil)] }

  private var optionsOfTwoBranches: [GivenOption] {
    [("cross", cross != nil)] + optionsOfCrossAttention
  }

  private var optionsOfCrossAttention: [GivenOption] {
    optionsOfGate + [("cross-heads", crossHeads != nil)]
  }

  /// The options that weight the levels of a semantic ID, and whether they were given.
  var optionsOfGate: [GivenOption] {
    [("gate", gate != nil), ("gate-dropout", gateDropout != nil)]
  }

  /// The options as the model takes them.
  func hyperparameters(levelSizes: [Int]) -> Hyperparameters {
    var hyper = Hyperparameters()
    hyper.architecture = model
    hyper.dimension = dimension
    hyper.maxLength = maxLength
    hyper.layerCount = layers
    hyper.headCount = heads
    hyper.crossHeadCount = crossHeads ?? Self.defaultCrossHeads
    hyper.dropout = DropoutRates(
      embedding: embeddingDropout ?? dropout, attention: attentionDropout ?? dropout,
      feedForward: feedForwardDropout ?? dropout, gate: gateDropout ?? 0.1)
    hyper.cross = cross ?? Hyperparameters.Cross.none
    hyper.gate = gate ?? Hyperparameters.Gate.position
    hyper.attention = attention
    hyper.levelSizes = levelSizes
    return hyper
  }
}

func requireRange<Number: Comparable>(
  _ name: String, _ value: Number, _ range: ClosedRange<Number>
) throws {
  guard range.contains(value) else {
    throw ValidationError(
      "'--\(name)' must be from \(range.lowerBound) to \(range.upperBound), not \(value).")
  }
}

func requireRate(_ name: String, _ value: Float) throws {
  guard value >= 0, value < 1 else {
    throw ValidationError("'--\(name)' must be from 0 to below 1, not \(value).")
  }
}
