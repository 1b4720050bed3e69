import Layers
import Models
import TestSupport

/// The complete loss of a batch as the method's description says (shared/method is summed up in
/// Documentation/PaperMap.md), in Double: one sequence after another, no packing, no shared products.
struct ReferenceModel {
  let hyper: ModelShape
  let losses: LossShape
  let batch: NextItemBatch
  /// Row of the code table for each item and level, `[I · M]`.
  let codeRows: [UInt32]
  /// W of the alignment for all pairs of items, `[I, I]`, 1 on the diagonal.
  let pairWeights: Grid

  /// What the objective holds constant while parameters move.
  struct Constants {
    var hidden: [[UInt8]] = []
    var maskedGranularityTargets: Grid?
  }

  /// The parts of the loss, each before its weight.
  struct Parts {
    var recommendation = 0.0
    var alignment: Double?
    var maskedGranularity: Double?
  }

  /// The total of the parts with their weights.
  func total(_ parts: Parts) -> Double {
    parts.recommendation + Double(losses.alignmentWeight) * (parts.alignment ?? 0)
      + Double(losses.msgWeight) * (parts.maskedGranularity ?? 0)
  }

  /// The losses of the batch.
  ///
  /// - Parameters:
  ///   - values: every parameter and table by name.
  ///   - constants: from ``constants(_:)`` at the point where gradients are taken.
  /// - Returns: the parts.
  func parts(_ values: [String: Grid], _ constants: Constants) -> Parts {
    let weights = Weights(values)
    let outputs = batch.histories.enumerated().map { number, history in
      states(
        history.map(Int.init), weights,
        hidden: constants.hidden.isEmpty ? nil : constants.hidden[number])
    }
    let predicted = predictions()
    let read = Grid.stacked(zip(outputs, predicted).map { $0.states.rows($1.positions) })
    let targets = predicted.flatMap(\.targets)
    let items = Grid.concatenated(
      [hyper.hasHash ? weights["hash"] : nil, hyper.hasCodes ? semantic(weights) : nil]
        .compactMap { $0 })
    var parts = Parts()
    switch losses.recommendation {
    case .crossEntropy:
      parts.recommendation = referenceCrossEntropy(states: read, items: items, targets: targets)
    case .binary:
      parts.recommendation = referenceBinaryCrossEntropy(
        states: read, items: items, targets: targets, negatives: predicted.flatMap(\.negatives))
    case .calibratedBinary, .sampledSoftmax:
      preconditionFailure("compared with the losses above in SampledLossTests")
    }
    if hyper.architecture == .h2rec, losses.alignmentWeight > 0 {
      parts.alignment = alignment(targets, weights)
    }
    if let softTargets = constants.maskedGranularityTargets {
      parts.maskedGranularity = referenceMaskedGranularity(
        masked: .stacked(outputs.compactMap(\.masked)), full: .stacked(outputs.compactMap(\.full)),
        targets: softTargets, temperature: Double(losses.msgTemperature))
    }
    return parts
  }

  /// Which views are hidden, and the soft targets of the masked-granularity loss, at some parameters.
  func constants(_ values: [String: Grid]) -> Constants {
    guard hyper.hasCross, losses.msgWeight > 0, hyper.levelCount > 1 else {
      return Constants()
    }
    let weights = Weights(values)
    var constants = Constants()
    for history in batch.histories {
      let inputs = self.inputs(history.map(Int.init), weights)
      let last = inputs.gate.rows([inputs.gate.rows - 1]).values
      let order = last.indices.sorted {
        losses.viewMask == .low ? last[$0] < last[$1] : last[$0] > last[$1]
      }
      let chosen = order.prefix(hyper.levelCount / 2)
      constants.hidden.append(last.indices.map { chosen.contains($0) ? 1 : 0 })
    }
    let outputs = zip(batch.histories, constants.hidden).map {
      states($0.map(Int.init), weights, hidden: $1)
    }
    constants.maskedGranularityTargets = referenceMaskedGranularityTargets(
      masked: .stacked(outputs.compactMap(\.masked)), full: .stacked(outputs.compactMap(\.full)),
      temperature: Double(losses.msgTemperature))
    return constants
  }

  // MARK: - Losses

  private struct Prediction {
    let positions: [Int]
    let targets: [UInt32]
    let negatives: [UInt32]
  }

  /// The positions of each sequence that predict, and what they predict.
  private func predictions() -> [Prediction] {
    let perTarget = batch.negatives.count / batch.targets.count
    var first = 0
    return batch.histories.map { history in
      let positions = losses.targets == .all ? Array(0..<history.count) : [history.count - 1]
      let tokens = positions.map { first + $0 }
      first += history.count
      return Prediction(
        positions: positions, targets: tokens.map { batch.targets[$0] },
        negatives: tokens.flatMap { batch.negatives[$0 * perTarget..<($0 + 1) * perTarget] })
    }
  }

  private func alignment(_ targets: [UInt32], _ weights: Weights) -> Double {
    let items = Set(targets).sorted().map(Int.init)
    return referenceAlignment(
      semantic: semantic(weights).rows(items), hash: weights["hash"].rows(items),
      weights: Grid(items.count, items.count) { pairWeights[items[$0], items[$1]] },
      temperature: Double(losses.alignmentTemperature))
  }

  /// s(v), the mean of the code vectors of each item: `[I, d]`.
  private func semantic(_ weights: Weights) -> Grid {
    let codes = weights["code"]
    return Grid(codeRows.count / hyper.levelCount, hyper.dimension) { item, column in
      let rows = codeRows[item * hyper.levelCount..<(item + 1) * hyper.levelCount]
      return rows.reduce(0.0) { $0 + codes[Int($1), column] } / Double(hyper.levelCount)
    }
  }
}

/// Parameters by name.
struct Weights {
  private let values: [String: Grid]

  init(_ values: [String: Grid]) { self.values = values }

  subscript(name: String) -> Grid {
    guard let grid = values[name] else { preconditionFailure("there is no '\(name)'") }
    return grid
  }
}

// MARK: - Network

extension ReferenceModel {
  private struct Inputs {
    let hash: Grid
    let views: [Grid]
    let fused: Grid
    let gate: Grid
  }

  private var isCausal: Bool { hyper.attention == .causal }

  /// `√d · rows of a table + positions`.
  private func embed(_ table: Grid, _ rows: [Int], _ weights: Weights) -> Grid {
    Double(hyper.dimension).squareRoot() * table.rows(rows)
      + weights["positions"].rows(Array(rows.indices))
  }

  private func inputs(_ items: [Int], _ weights: Weights) -> Inputs {
    let hash = embed(weights["hash"], items, weights)
    return Inputs(
      hash: hash,
      views: (0..<hyper.levelCount).map { level in
        embed(
          weights["code"], items.map { Int(codeRows[$0 * hyper.levelCount + level]) }, weights)
      },
      fused: embed(semantic(weights), items, weights), gate: gate(hash, weights))
  }

  /// The weights of the levels at every position, `[n, M]`.
  private func gate(_ hash: Grid, _ weights: Weights) -> Grid {
    let levels = hyper.levelCount
    let positions = 0..<hash.rows
    // linspace(1, 0.2, M).
    let hierarchy = (0..<levels).map { 1 - 0.8 * Double($0) / Double(levels - 1) }
    func network(_ read: Grid) -> Grid {
      read.appending(hierarchy)
        .linear(weights["gate.inner.weight"], bias: weights["gate.inner.bias"]).rectified
        .linear(weights["gate.outer.weight"], bias: weights["gate.outer.bias"])
        .softmax(shift: hierarchy)
    }
    switch hyper.gate {
    case .position: return network(hash)
    case .user: return network(hash.rows(positions.map { _ in hash.rows - 1 }))
    case .static: return weights["gate.logits"].softmax().rows(positions.map { _ in 0 })
    case .mean: return Grid(hash.rows, levels) { _, _ in 1 / Double(levels) }
    }
  }

  /// The states of one sequence, `[n, stateWidth]`, and its two views, `[1, d]` each, if `hidden` is not nil.
  private func states(
    _ items: [Int], _ weights: Weights, hidden: [UInt8]?
  ) -> (states: Grid, masked: Grid?, full: Grid?) {
    guard hyper.hasCross else {
      let hash = hyper.hasHash ? embed(weights["hash"], items, weights) : nil
      let fused = hyper.hasCodes ? embed(semantic(weights), items, weights) : nil
      return (.concatenated([hash, fused].compactMap { $0.map { encode($0, weights) } }), nil, nil)
    }
    let inputs = inputs(items, weights)
    let both = exchanged(inputs, weights)
    let states = Grid.concatenated([encode(both.hash, weights), encode(both.semantic, weights)])
    guard let hidden else { return (states, nil, nil) }
    let gate = inputs.gate.rows([items.count - 1])
    func view(_ hidden: [UInt8]) -> Grid {
      let mixture = Grid.stacked(inputs.views).mixingViews(
        gate, hidden: hidden, masks: weights["view-masks"], offsets: [0, UInt32(items.count)])
      return encode(mixture, weights).rows([items.count - 1]).normalizedRows
    }
    return (states, view(hidden), view(hidden.map { _ in 0 }))
  }

  /// C_H and C_S: the two branches after the cross-attention.
  private func exchanged(_ inputs: Inputs, _ weights: Weights) -> (hash: Grid, semantic: Grid) {
    let d = hyper.dimension
    let levels = hyper.levelCount
    let projections = weights["cross.hash-key-value-query.weight"]
    func block(_ number: Int) -> Grid { projections.rows(Array(number * d..<(number + 1) * d)) }
    func attend(_ q: Grid, _ k: Grid, _ v: Grid) -> Grid {
      referenceAttention(
        q: q, k: k, v: v, offsets: [0, UInt32(q.rows)], heads: hyper.crossHeadCount,
        causal: isCausal)
    }
    var toHash = Grid(inputs.hash.rows, d) { _, _ in 0 }
    for level in 0..<levels {
      let query = weights["cross.view-query.weight"].rows(Array(level * d..<(level + 1) * d))
      let attended = attend(
        inputs.views[level].linear(query.transposed), inputs.hash.linear(block(level)),
        inputs.hash.linear(block(levels + level)))
      let answer = attended.linear(
        weights["cross.view-output.weight"].columns(level * d..<(level + 1) * d),
        bias: weights["cross.view-output.bias"].rows([level]))
      toHash = toHash + Grid(answer.rows, d) { inputs.gate[$0, level] * answer[$0, $1] }
    }
    let keyValue = weights["cross.semantic-key-value.weight"]
    let toSemantic = attend(
      inputs.hash.linear(block(2 * levels)), inputs.fused.linear(keyValue.rows(Array(0..<d))),
      inputs.fused.linear(keyValue.rows(Array(d..<2 * d)))
    ).linear(weights["cross.semantic-output.weight"], bias: weights["cross.semantic-output.bias"])
    switch hyper.cross {
    case .none, .plain: return (toHash, toSemantic)
    case .residual: return (inputs.hash + toHash, inputs.fused + toSemantic)
    case .scaled:
      return (
        inputs.hash + weights["cross.scale.to-hash"].values[0] * toHash,
        inputs.fused + weights["cross.scale.to-semantic"].values[0] * toSemantic
      )
    }
  }

  /// The shared encoder on one sequence, `[n, d]`.
  private func encode(_ input: Grid, _ weights: Weights) -> Grid {
    let d = hyper.dimension
    var x = input
    for layer in 0..<hyper.layerCount {
      func weight(_ name: String) -> Grid { weights["encoder.\(layer).\(name)"] }
      func linear(_ x: Grid, _ name: String) -> Grid {
        x.linear(weight("\(name).weight"), bias: weight("\(name).bias"))
      }
      func norm(_ x: Grid, _ name: String) -> Grid {
        x.layerNorm(gain: weight("\(name).gain"), bias: weight("\(name).bias"))
      }
      let query = norm(x, "query-norm")
      let keyValue = linear(x, "key-value")
      let attended = referenceAttention(
        q: linear(query, "query"), k: keyValue.columns(0..<d), v: keyValue.columns(d..<2 * d),
        offsets: [0, UInt32(x.rows)], heads: hyper.headCount, causal: isCausal)
      let y = norm(query + linear(attended, "output"), "feed-norm")
      x = y + linear(linear(y, "feed-inner").rectified, "feed-outer")
    }
    return x.layerNorm(gain: weights["encoder.norm.gain"], bias: weights["encoder.norm.bias"])
  }
}
