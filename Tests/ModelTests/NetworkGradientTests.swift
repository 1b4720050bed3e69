import Layers
import Models
import Numerics
import Tape
import TestSupport
import Testing

/// Losses and gradients of whole networks against a Double model and its central differences.
@Suite struct NetworkGradientTests {
  /// A network and an objective.
  struct Form: CustomTestStringConvertible, Sendable {
    var architecture = ModelShape.Architecture.h2rec
    var cross = H2RecOptions.Cross.none
    var gate = GranularityGate.Kind.position
    var attention = AttentionOptions.Mask.causal
    var targets = Readout.all
    var loss = NextItemLoss.Form.crossEntropy
    var viewMask = ViewMaskStrategy.low
    var layers = 1
    var heads = 1

    var testDescription: String {
      "\(architecture) \(cross) \(gate) \(attention) \(targets) \(loss) \(viewMask)"
    }
  }

  static let forms = [
    Form(architecture: .sasrec, layers: 2, heads: 2),
    Form(
      architecture: .sasrec, attention: .bidirectional, targets: .last,
      loss: .binary(negativeCount: 2)),
    Form(architecture: .sid, loss: .binary(negativeCount: 1)),
    Form(architecture: .sid, attention: .bidirectional, targets: .last),
    Form(cross: .none), Form(cross: .none, targets: .last, loss: .binary(negativeCount: 1)),
    Form(cross: .plain, gate: .position, loss: .binary(negativeCount: 1)),
    Form(cross: .plain, gate: .user, attention: .bidirectional, targets: .last),
    Form(cross: .residual, gate: .position, layers: 2, heads: 2),
    Form(cross: .residual, gate: .static, loss: .binary(negativeCount: 2), viewMask: .high),
    Form(cross: .residual, gate: .mean, viewMask: .high),
    Form(cross: .residual, gate: .user, targets: .last, viewMask: .high),
    Form(cross: .scaled, gate: .position, loss: .binary(negativeCount: 1)),
    Form(cross: .scaled, gate: .static, attention: .bidirectional, targets: .last),
  ]

  @Test(arguments: forms)
  func `losses and gradients are those of the Double model`(form: Form) throws {
    let world = TinyWorld(form)
    let names = world.network.names
    let inputs = names.map(world.network.grid)
    let model = world.reference
    let constants = model.constants(Dictionary(uniqueKeysWithValues: zip(names, inputs)))
    func parts(_ inputs: [Grid]) -> ReferenceModel.Parts {
      model.parts(Dictionary(uniqueKeysWithValues: zip(names, inputs)), constants)
    }
    let found = world.step.gradients(of: world.batch, number: 0)
    let expected = parts(inputs)
    #expect(abs(found.recommendation - expected.recommendation) < 1e-5)
    #expect((found.alignment == nil) == (expected.alignment == nil))
    #expect(abs((found.alignment ?? 0) - (expected.alignment ?? 0)) < 1e-5)
    #expect((found.maskedGranularity == nil) == (expected.maskedGranularity == nil))
    #expect(abs((found.maskedGranularity ?? 0) - (expected.maskedGranularity ?? 0)) < 1e-5)
    try requireGradients(
      of: inputs, names: names, equal: names.map { world.network.gradient($0, of: world.step) },
      coordinates: 3, tolerance: 1e-4
    ) { model.total(parts($0)) }
  }
}

/// Seven items, two levels of three codes, four short sequences.
private struct TinyWorld {
  let network: TestNetwork
  let step: TestStep
  let batch: NextItemBatch
  let reference: ReferenceModel

  init(_ form: NetworkGradientTests.Form) {
    var hyper = ModelShape()
    hyper.architecture = form.architecture
    hyper.dimension = 8
    hyper.maxLength = 5
    hyper.layerCount = form.layers
    hyper.headCount = form.heads
    hyper.crossHeadCount = 2
    hyper.dropout = 0
    hyper.cross = form.cross
    hyper.gate = form.gate
    hyper.attention = form.attention
    hyper.levelSizes = form.architecture == .sasrec ? [] : [3, 3]
    // Items 1 and 4 share their semantic ID.
    let codes: [UInt32] = [0, 3, 1, 4, 2, 5, 0, 4, 1, 4, 2, 3, 0, 5]
    let codeRows = hyper.hasCodes ? codes : []
    network = TestNetwork(hyper, itemCount: 7, codeRows: codeRows)
    for (number, name) in network.names.enumerated() {
      let grid = network.grid(name)
      let center = name.hasSuffix("gain") ? 1.0 : 0
      network.set(
        name,
        Grid.noise(grid.rows, grid.columns, seed: number, scale: 0.6).floats.map {
          $0 + Float(center)
        })
    }
    var losses = LossShape()
    losses.recommendation = form.loss
    losses.targets = form.targets
    losses.alignmentWeight = 0.3
    losses.msgWeight = 0.7
    losses.viewMask = form.viewMask
    let negatives = form.loss.negativesPerPosition
    batch = NextItemBatch(
      histories: [[0, 1, 2, 1], [3], [4, 4, 5], [6, 0, 3, 5, 2]],
      targets: [1, 2, 1, 6, 5, 4, 5, 0, 0, 3, 5, 2, 4],
      negatives: (0..<13 * negatives).map { UInt32($0 * 5 % 7) })
    let pairs: [(Int, Int, Float)] = [(0, 2, 0.5), (2, 0, 0.25), (5, 6, 1), (1, 4, 1), (4, 1, 1)]
    var weights = Grid(7, 7) { $0 == $1 ? 1 : 0 }
    var lists = [[(item: UInt32, weight: Float)]](repeating: [], count: 7)
    for (item, other, weight) in pairs {
      weights.values[item * 7 + other] = Double(weight)
      lists[item].append((UInt32(other), weight))
    }
    step = TestStep(
      network: network, losses: losses, pairs: AlignmentPairs(lists: lists),
      optimizer: Adam.Settings(), tokensPerPart: 5, seed: 1, threads: 2)
    reference = ReferenceModel(
      hyper: hyper, losses: losses, batch: batch, codeRows: codeRows, pairWeights: weights)
  }
}

extension TestNetwork {
  /// Every parameter and table.
  var names: [String] {
    store.entries.map(\.name) + (hash == nil ? [] : ["hash"]) + (codeTable == nil ? [] : ["code"])
  }

  /// The values of a parameter or table.
  func grid(_ name: String) -> Grid {
    if let table = name == "hash" ? hash : name == "code" ? codeTable : nil {
      return Grid(table.count, table.width, floats: table.values.array)
    }
    guard let place = store[name] else { preconditionFailure("there is no '\(name)'") }
    return Grid(
      place.rows, place.columns, floats: parameters.array(place.offset..<place.offset + place.count)
    )
  }
}
