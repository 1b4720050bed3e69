public import ArgumentParser
public import Model
import ShardIO

extension ViewMaskStrategy: ExpressibleByArgument {}

/// The two losses beside the recommendation loss; networks of one branch have no use for either.
struct AuxiliaryOptions: ParsableArguments {
  enum Pairs: String, CaseIterable, ExpressibleByArgument {
    case ppmi, decay, none
  }

  @Option(
    help: "Weight of the code-guided alignment (h2rec); 0 switches it off (default: 0.1).")
  var alignmentWeight: Float?

  @Option(help: "Temperature of the alignment (default: 0.5).")
  var alignmentTemperature: Float?

  @Option(help: "Most distinct items that take part in the alignment in a step (default: 1024).")
  var alignmentItems: Int?

  @Option(
    help: """
      Positives of the alignment besides equal codes, from train sequences: ppmi, decay (by distance), none (default: ppmi).
      """)
  var pairs: Pairs?

  @Option(
    help: """
      Weight of the masked-granularity loss (h2rec with a cross-attention); 0 switches it off (default: 0.1).
      """)
  var consistencyWeight: Float?

  @Option(help: "Temperature of the masked-granularity loss (default: 1).")
  var consistencyTemperature: Float?

  @Option(
    help: """
      Levels that the masked-granularity loss hides: low or high gate weights, or random (default: low).
      """)
  var viewMask: ViewMaskStrategy?

  func validate() throws {
    try requireRange("alignment-weight", alignmentWeight ?? 0, 0...1000)
    try requireRange("alignment-temperature", alignmentTemperature ?? 1, 0.02...100)
    try requireRange("alignment-items", alignmentItems ?? 2, 2...16_384)
    try requireRange("consistency-weight", consistencyWeight ?? 0, 0...1000)
    try requireRange("consistency-temperature", consistencyTemperature ?? 1, 0.01...100)
  }

  /// The options that were given although a network of one branch has no use for them.
  var optionsOfTwoBranches: [String] {
    let given: [(String, Bool)] = [
      ("alignment-weight", alignmentWeight != nil),
      ("alignment-temperature", alignmentTemperature != nil),
      ("alignment-items", alignmentItems != nil), ("pairs", pairs != nil),
      ("consistency-weight", consistencyWeight != nil),
      ("consistency-temperature", consistencyTemperature != nil), ("view-mask", viewMask != nil),
    ]
    return given.filter(\.1).map(\.0)
  }

  /// Where the positives of the alignment come from.
  var positives: Pairs { pairs ?? .ppmi }

  /// Sets what was given; the rest keeps its default.
  func apply(to losses: inout LossSettings) {
    if let alignmentWeight { losses.alignmentWeight = alignmentWeight }
    if let alignmentTemperature { losses.alignmentTemperature = alignmentTemperature }
    if let alignmentItems { losses.alignmentItemLimit = alignmentItems }
    if let consistencyWeight { losses.consistencyWeight = consistencyWeight }
    if let consistencyTemperature { losses.consistencyTemperature = consistencyTemperature }
    if let viewMask { losses.viewMask = viewMask }
  }

  /// The options as the manifest has them, with their defaults.
  var configuration: [String: JSONValue] {
    var losses = LossSettings()
    apply(to: &losses)
    return [
      "alignmentWeight": number(losses.alignmentWeight),
      "alignmentTemperature": number(losses.alignmentTemperature),
      "alignmentItems": JSONValue(losses.alignmentItemLimit),
      "pairs": JSONValue(positives.rawValue),
      "consistencyWeight": number(losses.consistencyWeight),
      "consistencyTemperature": number(losses.consistencyTemperature),
      "viewMask": JSONValue(losses.viewMask.rawValue),
    ]
  }
}
