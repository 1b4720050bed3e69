public import ArgumentParser
public import Model

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

  @Option(help: "Heads of each cross-attention.")
  var crossHeads = 4

  @Option(help: "Dropout of embeddings, attention and feed-forward layers, from 0 to below 1.")
  var dropout: Float = 0.5

  @Option(help: "Dropout inside the gate, from 0 to below 1.")
  var gateDropout: Float = 0.1

  @Option(
    help: """
      Cross-attention between the branches: none; plain (as published); residual; scaled (residual with a learned \
      factor that starts at 0).
      """)
  var cross = Hyperparameters.Cross.none

  @Option(
    help: """
      Weights of the levels: position (from each position), user (from the last position, needs --targets last), \
      static (learned, the same everywhere), mean (equal). Takes part with a cross-attention.
      """)
  var gate = Hyperparameters.Gate.position

  @Option(help: "causal, or bidirectional (needs --targets last).")
  var attention = Hyperparameters.AttentionMask.causal

  @Option(help: "Start of the item table: pca (of the item vectors) or random.")
  var hashInit = HashStart.pca

  func validate() throws {
    try requireRange("dimension", dimension, 1...4096)
    try requireRange("max-length", maxLength, 1...10_000)
    try requireRange("layers", layers, 1...64)
    try requireRange("heads", heads, 1...64)
    try requireRange("cross-heads", crossHeads, 1...64)
    try requireRate("dropout", dropout)
    try requireRate("gate-dropout", gateDropout)
    guard dimension % heads == 0, dimension % crossHeads == 0, dimension > 1 else {
      throw ValidationError(
        "'--dimension' must be a multiple of '--heads' and '--cross-heads' above 1, not \(dimension)."
      )
    }
  }

  /// The options as the model takes them.
  func hyperparameters(levelSizes: [Int]) -> Hyperparameters {
    var hyper = Hyperparameters()
    hyper.architecture = model
    hyper.dimension = dimension
    hyper.maxLength = maxLength
    hyper.layerCount = layers
    hyper.headCount = heads
    hyper.crossHeadCount = crossHeads
    hyper.dropout = dropout
    hyper.gateDropout = gateDropout
    hyper.cross = cross
    hyper.gate = gate
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
