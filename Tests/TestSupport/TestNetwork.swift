internal import ArgumentParser
package import Dataset
package import Layers
package import Models
package import Numerics
internal import Retrieval
package import Tape
package import Training

/// The form and the sizes of a network of hash IDs, semantic IDs or both.
public struct ModelShape: Sendable {
  /// Which branches there are.
  public enum Architecture: String, Sendable, CaseIterable {
    case h2rec, sasrec, sid
  }

  package var architecture = Architecture.h2rec
  package var dimension = 128
  package var maxLength = 50
  package var layerCount = 2
  package var headCount = 1
  package var crossHeadCount = 4
  package var dropout: Float = 0
  package var attentionDropout: Float?
  package var gateDropout: Float = 0
  package var cross = H2RecOptions.Cross.none
  package var gate = GranularityGate.Kind.position
  package var attention = AttentionOptions.Mask.causal
  package var levelSizes: [Int] = []

  package init() {}

  package var hasHash: Bool { architecture != .sid }
  package var hasCodes: Bool { architecture != .sasrec }
  package var hasCross: Bool { architecture == .h2rec && cross != .none }
  package var levelCount: Int { levelSizes.count }
}

/// What is minimised.
public struct LossShape: Sendable {
  package var recommendation = NextItemLoss.Form.crossEntropy
  package var precision = ProductPrecision.float32
  package var targets = Readout.all
  package var alignmentWeight: Float = 0.1
  package var alignmentTemperature: Float = 0.5
  package var alignmentItemLimit = 1024
  package var msgWeight: Float = 0.1
  package var msgTemperature: Float = 1
  package var viewMask = ViewMaskStrategy.low

  package init() {}
}

/// A network of one of the shapes, by whatever recipe makes it.
public final class TestNetwork {
  package let hyper: ModelShape
  package let itemCount: Int
  package let codes: ItemCodes?
  package private(set) var model: any NextItemModel

  /// A network of zeros; `codeRows` are rows of the code table, level by level.
  package init(_ hyper: ModelShape, itemCount: Int, codeRows: [UInt32]) {
    self.hyper = hyper
    self.itemCount = itemCount
    var first = 0
    let firsts = hyper.levelSizes.map { size in
      defer { first += size }
      return first
    }
    codes =
      hyper.hasCodes
      ? ItemCodes(
        levelSizes: hyper.levelSizes,
        codes: codeRows.enumerated().map {
          UInt16(Int($0.element) - firsts[$0.offset % firsts.count])
        },
        codebooks: [Float](repeating: 0, count: first), width: 1,
        usage: [UInt32](repeating: 1, count: first), center: [0]) : nil
    model = Self.build(hyper, LossShape(), pairs: nil, itemCount: itemCount, codes)
  }

  /// Gives the network losses and pairs; parameters stay.
  package func set(_ losses: LossShape, pairs: AlignmentPairs?) {
    let other = Self.build(hyper, losses, pairs: pairs, itemCount: itemCount, codes)
    for (new, old) in zip(other.store.stateBlocks, model.store.stateBlocks) {
      new.buffer.copy(from: old.buffer)
    }
    model = other
  }

  private static func build(
    _ hyper: ModelShape, _ losses: LossShape, pairs: AlignmentPairs?, itemCount: Int,
    _ codes: ItemCodes?
  ) -> any NextItemModel {
    do {
      let data = ModelData(itemCount: itemCount, codes: codes)
      switch hyper.architecture {
      case .sasrec:
        var options = try SASRec.Options.parse([])
        set(&options.network, hyper)
        set(&options.objective, losses)
        return try SASRec.build(options, data)
      case .sid:
        var options = try SIDOnly.Options.parse([])
        set(&options.network, hyper)
        set(&options.objective, losses)
        return try SIDOnly.build(options, data)
      case .h2rec:
        var options = try H2RecOptions.parse([])
        set(&options.network, hyper)
        set(&options.objective, losses)
        options.cross = hyper.cross
        options.alignmentWeight = losses.alignmentWeight
        options.alignmentTemperature = losses.alignmentTemperature
        options.exchange.crossHeads = hyper.crossHeadCount
        options.exchange.gate = hyper.gate
        options.exchange.msgWeight = losses.msgWeight
        options.exchange.msgTemperature = losses.msgTemperature
        options.exchange.viewMask = losses.viewMask
        guard let codes else { preconditionFailure("codes") }
        return H2RecModel(
          options, codes: codes, pairs: pairs, data, gateDropout: hyper.gateDropout,
          alignmentItems: losses.alignmentItemLimit)
      }
    } catch {
      preconditionFailure("\(error)")
    }
  }

  private static func set(_ options: inout AttentionOptions, _ hyper: ModelShape) {
    options.dimension = hyper.dimension
    options.maxLength = hyper.maxLength
    options.layers = hyper.layerCount
    options.heads = hyper.headCount
    options.dropout = hyper.dropout
    options.attentionDropout = hyper.attentionDropout
    options.attention = hyper.attention
  }

  private static func set(_ options: inout NextItemLossOptions, _ losses: LossShape) {
    switch losses.recommendation {
    case .crossEntropy: options.loss = .ce
    case .binary(let count):
      options.loss = .bce
      options.negatives = count
    case .calibratedBinary(let count, let calibration):
      options.loss = .gbce
      options.negatives = count
      options.calibration = Float(calibration)
    case .sampledSoftmax(let count):
      options.loss = .sampledSoftmax
      options.negatives = count
    }
    options.precision = losses.precision == .bfloat16 ? .bfloat16 : .float32
    options.targets = losses.targets
  }

  package var store: ParameterStore { model.store }
  package var parameters: AlignedBuffer { store.values }
  package var tables: [EmbeddingTable] { store.tables }
  package var hash: EmbeddingTable? { store.table("hash") }
  package var codeTable: EmbeddingTable? { store.table("code") }

  /// Random initial values.
  package func initialize(seed: UInt64) {
    var data = ModelData(itemCount: itemCount)
    data.seed = seed
    model.initialize(data)
  }

  /// The state after each of some histories.
  package func states(after histories: [ArraySlice<UInt32>], threads: Int) -> Matrix {
    model.read(histories, threads: threads).states
  }
}

/// A step of a test network's training.
public final class TestStep {
  private let run: (NextItemBatch, Int) -> StepLosses
  private let gradients: (NextItemBatch, Int) -> StepLosses
  private let dense: () -> AlignedBuffer?

  package init(
    network: TestNetwork, losses: LossShape, pairs: AlignmentPairs?,
    optimizer: Adam.Settings = Adam.Settings(), tokensPerPart: Int = 256, emaDecay: Double = 0,
    seed: UInt64, threads: Int
  ) {
    network.set(losses, pairs: pairs)
    func make<Model: NextItemModel>(
      _ model: Model
    ) -> (
      (NextItemBatch, Int) -> StepLosses, (NextItemBatch, Int) -> StepLosses, () -> AlignedBuffer?
    ) {
      var settings = TrainingStep<Model>.Settings()
      settings.optimizer = optimizer
      settings.precision = losses.precision
      settings.emaDecay = emaDecay
      settings.microBatchTokens = tokensPerPart
      settings.seed = seed
      settings.threads = threads
      let step = TrainingStep(model, settings)
      return (
        { step.run($0, number: $1) }, { step.gradients(of: $0, number: $1) },
        { step.denseGradient }
      )
    }
    (run, gradients, dense) = make(network.model)
  }

  package func run(_ batch: NextItemBatch, number: Int) -> StepLosses { run(batch, number) }
  package func gradients(of batch: NextItemBatch, number: Int) -> StepLosses {
    gradients(batch, number)
  }
  package var denseGradient: AlignedBuffer? { dense() }
}

extension StepLosses {
  package var recommendation: Double { self["recommendation"] ?? .nan }
  package var alignment: Double? { self["alignment"] }
  package var maskedGranularity: Double? { self["maskedGranularity"] }
}
