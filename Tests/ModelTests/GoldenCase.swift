import Models
import Numerics
import SystemPackage
import Tape
import TestSupport

/// A network with the weights and the batch of a golden file.
struct GoldenCase {
  let network: TestNetwork
  let step: TestStep
  let batch: NextItemBatch
  private let file: Safetensors

  init(_ name: String, tokensPerPart: Int = 256, threads: Int = 1) throws {
    let path = fixtureDirectory.appending("golden").appending("\(name).safetensors")
    file = try Safetensors(path)
    let form = String(name.prefix { $0 != "-" })
    var hyper = ModelShape()
    hyper.dimension = 16
    hyper.maxLength = 12
    hyper.dropout = 0
    hyper.architecture = form == "sasrec" ? .sasrec : .h2rec
    hyper.cross = H2RecOptions.Cross(rawValue: form) ?? .none
    hyper.levelSizes = form == "sasrec" ? [] : [8, 8, 8, 8]
    let codes = form == "sasrec" ? [] : try file.integers("in.codes").values
    let rows = codes.enumerated().map { UInt32($0.element) + UInt32($0.offset % 4 * 8) }
    network = TestNetwork(hyper, itemCount: 60, codeRows: rows)
    for (ours, theirs) in Self.names(network) where file.names.contains("w.\(theirs)") {
      network.set(ours, try file.floats("w.\(theirs)").values)
    }
    let offsets = try file.integers("in.offsets").values.map(Int.init)
    let items = try file.integers("in.items").values.map(UInt32.init)
    batch = NextItemBatch(
      histories: zip(offsets, offsets.dropFirst()).map { items[$0..<$1] },
      targets: try file.integers("in.targets").values.map(UInt32.init),
      negatives: file.names.contains("in.negatives")
        ? try file.integers("in.negatives").values.map(UInt32.init) : [])
    step = TestStep(
      network: network, losses: Self.losses(name),
      pairs: try Self.pairs(file, targets: batch.targets), optimizer: Adam.Settings(),
      tokensPerPart: tokensPerPart, seed: 1, threads: threads)
  }

  private static func losses(_ name: String) -> LossShape {
    var losses = LossShape()
    losses.recommendation = name.contains("bce") ? .binary(negativeCount: 1) : .crossEntropy
    losses.alignmentWeight = name.contains("alignment") ? 0.1 : 0
    losses.msgWeight = name.contains("consistency") ? 0.1 : 0
    return losses
  }

  private static func pairs(_ file: Safetensors, targets: [UInt32]) throws -> AlignmentPairs? {
    guard file.names.contains("in.pair_weights") else { return nil }
    let weights = try file.floats("in.pair_weights").values
    var lists = [[(item: UInt32, weight: Float)]](repeating: [], count: 60)
    for (row, item) in targets.enumerated() {
      for (column, other) in targets.enumerated() where column != row {
        let weight = weights[row * targets.count + column]
        if weight > 0 { lists[Int(item)].append((other, weight)) }
      }
    }
    return AlignmentPairs(lists: lists)
  }

  func has(_ name: String) -> Bool { file.names.contains(name) }

  func floats(_ name: String) -> [Float] { (try? file.floats(name).values) ?? [] }

  var gradientCount: Int { file.names.count { $0.hasPrefix("g.") } }

  func number(_ name: String) -> Double { Double(floats(name).first ?? .nan) }

  /// Every gradient of the file beside ours.
  func gradients() throws -> [(name: String, found: [Float], expected: [Float])] {
    try Self.names(network).compactMap { ours, theirs in
      guard file.names.contains("g.\(theirs)") else { return nil }
      return (ours, network.gradient(ours, of: step), try file.floats("g.\(theirs)").values)
    }
  }

  /// Our name and the reference's of everything that is learned.
  private static func names(_ network: TestNetwork) -> [(String, String)] {
    var names = [
      ("hash", network.hyper.architecture == .sasrec ? "item" : "hash"), ("code", "books"),
      ("positions", "pos"), ("cross.view-query.weight", "view_q"),
      ("cross.hash-key-value-query.weight", "hash_kvq.weight"),
      ("cross.view-output.weight", "view_o.weight"), ("cross.view-output.bias", "view_ob"),
      ("cross.semantic-key-value.weight", "sid_kv.weight"),
      ("cross.semantic-output.weight", "sid_o.weight"),
      ("cross.semantic-output.bias", "sid_o.bias"), ("gate.inner.weight", "gate1.weight"),
      ("gate.inner.bias", "gate1.bias"), ("gate.outer.weight", "gate2.weight"),
      ("gate.outer.bias", "gate2.bias"), ("cross.scales", "cross_scale"),
      ("view-masks", "view_mask"), ("encoder.norm.gain", "backbone.ln.weight"),
      ("encoder.norm.bias", "backbone.ln.bias"),
    ]
    for layer in 0..<network.hyper.layerCount {
      for (ours, theirs) in [
        ("query", "q"), ("key-value", "kv"), ("output", "o"), ("feed-inner", "f1"),
        ("feed-outer", "f2"),
      ] {
        for kind in ["weight", "bias"] {
          names.append(
            ("encoder.\(layer).\(ours).\(kind)", "backbone.blocks.\(layer).\(theirs).\(kind)"))
        }
      }
      for (ours, theirs) in [("query-norm", "ln1"), ("feed-norm", "ln2")] {
        names.append(
          ("encoder.\(layer).\(ours).gain", "backbone.blocks.\(layer).\(theirs).weight"))
        names.append(("encoder.\(layer).\(ours).bias", "backbone.blocks.\(layer).\(theirs).bias"))
      }
    }
    return names
  }
}

extension TestNetwork {
  /// The ranges of the parameter block, or the table, that a name of the golden files stands for.
  private func place(_ name: String) -> (table: EmbeddingTable?, parameters: [Parameter]) {
    switch name {
    case "hash": (hash, [])
    case "code": (codeTable, [])
    case "cross.scales":
      (nil, ["cross.scale.to-hash", "cross.scale.to-semantic"].compactMap { store[$0] })
    default: (nil, [store[name]].compactMap { $0 })
    }
  }

  func set(_ name: String, _ values: [Float]) {
    let place = place(name)
    place.table?.values.set(values)
    var first = 0
    for parameter in place.parameters {
      parameters.set(
        Array(values[first..<first + parameter.count]), at: parameter.offset)
      first += parameter.count
    }
  }

  func gradient(_ name: String, of step: TestStep) -> [Float] {
    let place = place(name)
    if let table = place.table { return table.gradient.array }
    return place.parameters.flatMap { parameter in
      step.denseGradient?.array(parameter.offset..<parameter.offset + parameter.count) ?? []
    }
  }
}
