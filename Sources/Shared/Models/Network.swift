public import Layers
public import Numerics
public import Tape

/// H2Rec and its two one-branch forms: parameters, tables and the forward pass (H2Rec, Part 1.3).
///
/// `@unchecked Sendable`: parameters are written only between the parallel regions of a step.
public final class Network: @unchecked Sendable {
  /// The form and the sizes.
  public let hyper: Hyperparameters
  /// The number of items, I.
  public let itemCount: Int
  /// Names and places of the dense parameters.
  public let layout: ParameterLayout
  /// The dense parameters.
  public let parameters: AlignedBuffer
  /// E_hid, `[I, d]`; nil for ``Hyperparameters/Architecture/sid``.
  public let hash: EmbeddingTable?
  /// The code vectors of all levels, level by level, `[Σ K, d]`; nil for ``Hyperparameters/Architecture/sasrec``.
  public let codes: EmbeddingTable?
  /// Row of the code table for each item and level, `[I · M]`.
  public let codeRows: [UInt32]
  /// The item vectors of each branch: hash, then semantic.
  public let branches: [ItemBranch]

  private let positions: Parameter
  private let encoder: SequenceEncoder
  private let cross: CrossAttention?
  private let gate: GranularityGate?
  private let crossScales: [Parameter]
  private let viewMasks: Parameter?

  /// Creates a network of zeros.
  ///
  /// - Parameters:
  ///   - hyper: the form and the sizes.
  ///   - itemCount: I > 0.
  ///   - codeRows: `[I · M]`, or empty where there are no codes.
  public init(_ hyper: Hyperparameters, itemCount: Int, codeRows: [UInt32]) {
    precondition(codeRows.count == (hyper.hasCodes ? itemCount * hyper.levelCount : 0))
    let d = hyper.dimension
    var layout = ParameterLayout()
    positions = layout.add(
      "positions", hyper.maxLength, d, .xavier(fanIn: hyper.maxLength + 100, fanOut: d))
    encoder = SequenceEncoder(hyper, layout: &layout)
    cross = hyper.hasCross ? CrossAttention(hyper, layout: &layout) : nil
    gate = hyper.hasCross ? GranularityGate(hyper, layout: &layout) : nil
    crossScales =
      hyper.hasCross && hyper.cross == .scaled
      ? ["cross.scale.to-hash", "cross.scale.to-semantic"].map { layout.add($0, 1, 1, .zero) } : []
    viewMasks =
      hyper.hasCross ? layout.add("view-masks", hyper.levelCount, d, .normal(0.02)) : nil
    self.hyper = hyper
    self.itemCount = itemCount
    self.layout = layout
    self.codeRows = codeRows
    parameters = AlignedBuffer(count: layout.count)
    let hash = hyper.hasHash ? EmbeddingTable(count: itemCount, width: d) : nil
    let codes =
      hyper.hasCodes ? EmbeddingTable(count: hyper.levelSizes.reduce(0, +), width: d) : nil
    self.hash = hash
    self.codes = codes
    branches =
      [
        hash.map { ItemBranch(.rows($0)) },
        codes.map { ItemBranch(.codes($0, rows: codeRows, levelCount: hyper.levelCount)) },
      ].compactMap { $0 }
  }

  /// All tables.
  public var tables: [EmbeddingTable] { [hash, codes].compactMap { $0 } }
}

/// At which tokens the states are computed.
public enum StatePlaces: Sendable {
  /// At every token.
  case all
  /// At the last token of each sequence.
  case last
}

/// The states of a micro-batch.
public struct NetworkOutput {
  /// `[T, stateWidth]`, or `[sequences, stateWidth]` after the last tokens: the hash branch's columns, then the semantic branch's.
  public let states: Tensor
  /// Normalised last states of the masked and of the full view, `[sequences, d]`, if asked for.
  public let views: (masked: Tensor, full: Tensor)?
  /// The weights of the levels at every position, `[T, M]`; nil for a network without a gate.
  public let gateWeights: Tensor?
}

extension Network {
  /// The states after the positions of a batch.
  ///
  /// - Parameters:
  ///   - batch: packed histories.
  ///   - places: after which positions.
  ///   - tape: where the operations go; begun by the caller.
  ///   - mask: which views are hidden for the masked-granularity loss, and the random numbers for it; nil for none.
  ///   - observe: called with queries and keys of the attention of every encoder block, all streams one below the other; in the
  ///     last block there are queries only where the states are read.
  /// - Returns: the states, and the two views if `mask` asks for them.
  public func forward(
    _ batch: SequenceBatch, at places: StatePlaces, on tape: Tape,
    mask: (strategy: ViewMaskStrategy, random: CounterRandom)? = nil,
    observe: ((_ queries: Tensor, _ keys: Tensor) -> Void)? = nil
  ) -> NetworkOutput {
    let tokens = batch.items.count
    let positions = Places(indices: batch.places, table: positions)
    let wantsViews = mask != nil && hyper.hasCross
    let branchStreams = hyper.architecture == .h2rec ? 2 : 1
    let streams = branchStreams + (wantsViews ? 2 : 0)
    let input = tape.tensor(rows: streams * tokens, columns: hyper.dimension)
    var gateWeights: Tensor?
    var slots = (0..<streams).map { input.slice($0 * tokens..<($0 + 1) * tokens) }[...]

    if hyper.hasCross {
      let inputs = crossInputs(batch, positions, tape)
      gateWeights = inputs.weights
      combine(inputs, batch, hashSlot: slots[0], semanticSlot: slots[1], tape)
      slots = slots.dropFirst(2)
      if let mask, let masked = slots.popFirst(), let full = slots.popFirst() {
        mixViews(inputs, batch, mask, masked: masked, full: full, tape)
      }
    } else {
      embedBranches(batch, positions, &slots, tape)
    }
    let encoded = encoder.encode(
      input, sequences: batch.sequences, wholeStreams: places == .all ? branchStreams : 0, on: tape,
      observe: observe)
    return output(
      encoded, batch, stateRows: places == .all ? tokens : batch.sequences.count,
      wantsViews: wantsViews, gateWeights: gateWeights, tape)
  }

  private func output(
    _ encoded: Tensor, _ batch: SequenceBatch, stateRows: Int, wantsViews: Bool,
    gateWeights: Tensor?, _ tape: Tape
  ) -> NetworkOutput {
    var first = 0
    func next(_ rows: Int) -> Tensor {
      defer { first += rows }
      return encoded.slice(first..<first + rows)
    }
    let streams = (0..<(hyper.architecture == .h2rec ? 2 : 1)).map { _ in next(stateRows) }
    let states = streams.count == 2 ? tape.concatenateColumns(streams) : streams[0]
    guard wantsViews else {
      return NetworkOutput(states: states, views: nil, gateWeights: gateWeights)
    }
    let views = (0..<2).map { _ in tape.normalizeRows(next(batch.sequences.count)) }
    return NetworkOutput(
      states: states, views: (views[0], views[1]), gateWeights: gateWeights)
  }

  // MARK: - Inputs of the encoder

  private var scale: Float { Float(hyper.dimension).squareRoot() }

  private func embedHash(
    _ batch: SequenceBatch, _ places: Places, into slot: Tensor?, _ tape: Tape
  ) -> Tensor {
    guard let hash else { preconditionFailure("a network without item rows") }
    return tape.embed(
      hash, batch.items, scale: scale, places: places, rate: hyper.dropout.embedding, into: slot)
  }

  private func embedFused(
    _ batch: SequenceBatch, _ places: Places, into slot: Tensor?, _ tape: Tape
  ) -> Tensor {
    guard let codes else { preconditionFailure("a network without codes") }
    let levels = hyper.levelCount
    let rows = batch.items.flatMap { codeRows[Int($0) * levels..<(Int($0) + 1) * levels] }
    return tape.embed(
      codes, rows, indicesPerRow: levels, scale: scale, places: places,
      rate: hyper.dropout.embedding,
      into: slot)
  }

  /// Each branch reads its own embedding: no cross-attention, or one branch alone.
  private func embedBranches(
    _ batch: SequenceBatch, _ places: Places, _ slots: inout ArraySlice<Tensor>, _ tape: Tape
  ) {
    if hyper.hasHash { _ = embedHash(batch, places, into: slots.removeFirst(), tape) }
    if hyper.hasCodes { _ = embedFused(batch, places, into: slots.removeFirst(), tape) }
  }

  private struct CrossInputs {
    let hash: Tensor
    let views: Tensor
    let fused: Tensor
    let weights: Tensor
  }

  private func crossInputs(_ batch: SequenceBatch, _ places: Places, _ tape: Tape) -> CrossInputs {
    guard let codes, let gate else { preconditionFailure("a network without cross-attention") }
    let tokens = batch.items.count
    let levels = hyper.levelCount
    let hash = embedHash(batch, places, into: nil, tape)
    let views = tape.tensor(rows: levels * tokens, columns: hyper.dimension)
    for level in 0..<levels {
      tape.embed(
        codes, batch.items.map { codeRows[Int($0) * levels + level] }, scale: scale,
        places: places, rate: hyper.dropout.embedding,
        into: views.slice(level * tokens..<(level + 1) * tokens))
    }
    let fused = embedFused(batch, places, into: nil, tape)
    return CrossInputs(
      hash: hash, views: views, fused: fused,
      weights: gate.weights(hash: hash, batch: batch, on: tape))
  }

  private func combine(
    _ inputs: CrossInputs, _ batch: SequenceBatch, hashSlot: Tensor, semanticSlot: Tensor,
    _ tape: Tape
  ) {
    guard let cross else { preconditionFailure("a network without cross-attention") }
    let learned = cross.exchange(
      hash: inputs.hash, views: inputs.views, fused: inputs.fused, weights: inputs.weights,
      sequences: batch.sequences, on: tape)
    switch hyper.cross {
    case .plain, .none:
      tape.copy(learned.toHash, into: hashSlot)
      tape.copy(learned.toSemantic, into: semanticSlot)
    case .residual:
      tape.add(inputs.hash, learned.toHash, into: hashSlot)
      tape.add(inputs.fused, learned.toSemantic, into: semanticSlot)
    case .scaled:
      tape.add(inputs.hash, learned.toHash, times: crossScales[0], into: hashSlot)
      tape.add(inputs.fused, learned.toSemantic, times: crossScales[1], into: semanticSlot)
    }
  }

  /// The masked and the full mixture of the views, with the gate weights of the last position.
  private func mixViews(
    _ inputs: CrossInputs, _ batch: SequenceBatch,
    _ mask: (strategy: ViewMaskStrategy, random: CounterRandom), masked: Tensor, full: Tensor,
    _ tape: Tape
  ) {
    guard let viewMasks else { return }
    let weights = tape.rows(inputs.weights, batch.sequences.lastTokens)
    let hidden = mask.strategy.hidden(
      weights: weights.array, levelCount: hyper.levelCount, random: mask.random)
    tape.mixViews(
      inputs.views, weights: weights, hidden: hidden, masks: viewMasks,
      sequences: batch.sequences, into: masked)
    tape.mixViews(
      inputs.views, weights: weights, hidden: Array(repeating: 0, count: hidden.count),
      masks: viewMasks, sequences: batch.sequences, into: full)
  }
}
