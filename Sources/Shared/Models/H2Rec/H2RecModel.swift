package import Dataset
public import Layers
internal import Losses
public import Numerics
internal import Retrieval
internal import ShardIO
public import Tape
public import Training

/// The network of H2Rec: two branches with one encoder, and what they learn from each other (H2Rec, Part 1.3).
public final class H2RecModel: NextItemModel, Sendable {
  /// Everything that is learned.
  public let store: ParameterStore
  /// The most recent items of a history that are read.
  public let maxLength: Int
  /// The item encoders of both branches: hash, then semantic.
  public let itemEncoders: [any ItemEncoder]
  /// Their names.
  public let branchNames = ["hash", "semantic"]
  /// How the training reads states, and its loss.
  public let loss: NextItemLoss
  /// The heads of the encoder's attention.
  public let headCount: Int?

  private let form: Form
  private let hash: ItemTable
  private let codes: CodeBag
  private let encoder: SASRecEncoder
  private let positions: Parameter
  private let exchange: Exchange?
  private let pairs: AlignmentPairs?
  private let alignmentItems: Int

  /// The options that forward pass and objectives read.
  private struct Form: Sendable {
    let cross: H2RecOptions.Cross
    let hashInitialization: HashInitialization
    let scale: Float
    let dropout: Float
    let alignment: (weight: Float, temperature: Float)
    let msg: (weight: Float, temperature: Float)
    let viewMask: ViewMaskStrategy

    init(_ options: H2RecOptions) {
      cross = options.cross
      hashInitialization = options.items.hashInit
      scale = options.network.scale
      dropout = options.network.dropout
      alignment = (options.alignmentWeight, options.alignmentTemperature ?? 0.5)
      msg = (options.exchange.msgWeight ?? 0.1, options.exchange.msgTemperature ?? 1)
      viewMask = options.exchange.viewMask ?? .low
    }
  }

  /// What the forms with cross-attention have.
  private struct Exchange: Sendable {
    let attention: CrossAttention
    let gate: GranularityGate
    let scales: [Parameter]
    let viewMasks: Parameter
  }

  /// Creates a model of zeros.
  ///
  /// - Parameters:
  ///   - options: form and sizes.
  ///   - itemCodes: the codes of the items.
  ///   - pairs: the positives of the alignment; nil where only an item itself is positive.
  ///   - data: the number of items, and what the loss needs.
  ///   - gateDropout: the dropout probability of the gate's inner layer.
  ///   - alignmentItems: the largest number of distinct items that take part in the alignment in a step.
  package init(
    _ options: H2RecOptions, codes itemCodes: ItemCodes, pairs: AlignmentPairs?, _ data: ModelData,
    gateDropout: Float = 0.1, alignmentItems: Int = 1024
  ) {
    let network = options.network
    let d = network.dimension
    let levels = itemCodes.levelCount
    let store = ParameterStore()
    positions = positionTable(network, in: store)
    encoder = SASRecEncoder(network.shape, in: store)
    exchange =
      options.hasCross
      ? Exchange(
        attention: CrossAttention(
          dimension: d, levelCount: levels, headCount: options.exchange.heads,
          isCausal: network.attention == .causal, in: store),
        gate: GranularityGate(
          options.exchange.gate ?? .position, dimension: d, levelCount: levels,
          dropout: gateDropout, in: store),
        scales: options.cross == .scaled
          ? ["cross.scale.to-hash", "cross.scale.to-semantic"].map { store.add($0, 1, 1, .zero) }
          : [],
        viewMasks: store.add("view-masks", levels, d, .normal(0.02))) : nil
    hash = ItemTable(store.addTable("hash", rows: data.itemCount, width: d))
    codes = codeBag(itemCodes, width: d, in: store)
    store.seal()
    self.store = store
    form = Form(options)
    self.pairs = pairs
    self.alignmentItems = alignmentItems
    maxLength = network.maxLength
    itemEncoders = [hash, codes]
    headCount = network.heads
    loss = options.objective.resolved(trainCounts: data.trainCounts)
  }

  /// Attention of both branches, and items that were not trained.
  public var diagnostics: Diagnostics {
    var result = commonDiagnostics()
    result.newItemVectors = { [self] in
      newItemVectors(of: $0, semantic: codes, hash: hash.table, threads: $1)
    }
    return result
  }

  /// Gives every parameter its initial value.
  public func initialize(_ data: ModelData) {
    initializeIdentities(
      store, hash: (hash.table, form.hashInitialization), codes: codes.table, data)
  }

  private var usesMSG: Bool {
    exchange != nil && codes.levelCount > 1 && form.msg.weight > 0
  }

  /// `L = L_rec + a · L_CGA + b · L_MSG` (H2Rec, Part 1.4).
  public func objectives() -> [any Objective<NextItemBatch, NextItemOutput>] {
    var result: [any Objective<NextItemBatch, NextItemOutput>] = [
      NextItemObjective(loss, itemEncoders: itemEncoders)
    ]
    if form.alignment.weight > 0 {
      result.append(
        AlignmentObjective(
          semantic: codes, hash: hash, pairs: pairs, readout: loss.readout,
          temperature: form.alignment.temperature, weight: form.alignment.weight,
          precision: loss.precision, itemLimit: alignmentItems))
    }
    if usesMSG {
      result.append(
        MaskedGranularityObjective(
          temperature: form.msg.temperature, weight: form.msg.weight, precision: loss.precision))
    }
    return result
  }

  // MARK: - Forward

  /// The states of both branches after the positions of some histories, and the gate's weights.
  public func states(
    _ batch: SequenceBatch, at readout: Readout, on tape: Tape, random: CounterRandom?,
    observe: AttentionObserver?
  ) -> NextItemOutput {
    let tokens = batch.items.count
    let ids = PositionIDs(indices: batch.positionIDs, table: positions)
    let wantsViews = random != nil && usesMSG
    let streams = wantsViews ? 4 : 2
    let input = tape.tensor(rows: streams * tokens, columns: hash.width)
    let slots = (0..<streams).map { input.slice($0 * tokens..<($0 + 1) * tokens) }
    var gateWeights: Tensor?
    if let exchange {
      let inputs = crossInputs(batch, ids, exchange, tape)
      gateWeights = inputs.weights
      combine(inputs, batch, exchange, hashSlot: slots[0], semanticSlot: slots[1], tape)
      if wantsViews, let random {
        mixViews(
          inputs, batch, exchange, random.substream(0x4D41_534B), masked: slots[2], full: slots[3],
          tape)
      }
    } else {
      _ = embed(hash, batch, ids, into: slots[0], tape)
      _ = embed(codes, batch, ids, into: slots[1], tape)
    }
    let encoded = encoder.encode(
      input, sequences: batch.sequences, wholeStreams: readout == .all ? 2 : 0, on: tape,
      observe: observe)
    return output(
      encoded, batch, stateRows: readout == .all ? tokens : batch.sequences.count,
      wantsViews: wantsViews, gateWeights: gateWeights, tape)
  }

  private func output(
    _ encoded: Tensor, _ batch: SequenceBatch, stateRows: Int, wantsViews: Bool,
    gateWeights: Tensor?, _ tape: Tape
  ) -> NextItemOutput {
    var first = 0
    func next(_ rows: Int) -> Tensor {
      defer { first += rows }
      return encoded.slice(first..<first + rows)
    }
    var output = NextItemOutput(
      states: tape.concatenateColumns([next(stateRows), next(stateRows)]))
    output.gateWeights = gateWeights
    if wantsViews {
      let views = (0..<2).map { _ in tape.normalizeRows(next(batch.sequences.count)) }
      output.views = (views[0], views[1])
    }
    return output
  }

  // MARK: - Inputs of the encoder

  private func embed(
    _ items: any ItemEncoder, _ batch: SequenceBatch, _ ids: PositionIDs, into slot: Tensor?,
    _ tape: Tape
  ) -> Tensor {
    items.embed(
      batch.items, scale: form.scale, positions: ids, dropout: form.dropout, into: slot, on: tape)
  }

  private struct CrossInputs {
    let hash: Tensor
    let views: Tensor
    let fused: Tensor
    let weights: Tensor
  }

  private func crossInputs(
    _ batch: SequenceBatch, _ ids: PositionIDs, _ exchange: Exchange, _ tape: Tape
  ) -> CrossInputs {
    let tokens = batch.items.count
    let levels = codes.levelCount
    let hashInput = embed(hash, batch, ids, into: nil, tape)
    let views = tape.tensor(rows: levels * tokens, columns: hash.width)
    for level in 0..<levels {
      tape.embed(
        codes.table, codes.rows(of: batch.items, level: level), scale: form.scale, positions: ids,
        rate: form.dropout, into: views.slice(level * tokens..<(level + 1) * tokens))
    }
    let fused = embed(codes, batch, ids, into: nil, tape)
    return CrossInputs(
      hash: hashInput, views: views, fused: fused,
      weights: exchange.gate.weights(hash: hashInput, batch: batch, on: tape))
  }

  private func combine(
    _ inputs: CrossInputs, _ batch: SequenceBatch, _ exchange: Exchange, hashSlot: Tensor,
    semanticSlot: Tensor, _ tape: Tape
  ) {
    let learned = exchange.attention.exchange(
      hash: inputs.hash, views: inputs.views, fused: inputs.fused, weights: inputs.weights,
      sequences: batch.sequences, on: tape)
    switch form.cross {
    case .plain, .none:
      tape.copy(learned.toHash, into: hashSlot)
      tape.copy(learned.toSemantic, into: semanticSlot)
    case .residual:
      tape.add(inputs.hash, learned.toHash, into: hashSlot)
      tape.add(inputs.fused, learned.toSemantic, into: semanticSlot)
    case .scaled:
      tape.add(inputs.hash, learned.toHash, times: exchange.scales[0], into: hashSlot)
      tape.add(inputs.fused, learned.toSemantic, times: exchange.scales[1], into: semanticSlot)
    }
  }

  /// The masked and the full mixture of the views, with the gate weights of the last position.
  private func mixViews(
    _ inputs: CrossInputs, _ batch: SequenceBatch, _ exchange: Exchange, _ random: CounterRandom,
    masked: Tensor, full: Tensor, _ tape: Tape
  ) {
    let weights = tape.rows(inputs.weights, batch.sequences.lastTokens)
    let hidden = form.viewMask.hidden(
      weights: weights.array, levelCount: codes.levelCount, random: random)
    tape.mixViews(
      inputs.views, weights: weights, hidden: hidden, masks: exchange.viewMasks,
      sequences: batch.sequences, into: masked)
    tape.mixViews(
      inputs.views, weights: weights, hidden: Array(repeating: 0, count: hidden.count),
      masks: exchange.viewMasks, sequences: batch.sequences, into: full)
  }
}
