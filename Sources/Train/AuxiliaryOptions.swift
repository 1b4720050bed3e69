public import ArgumentParser
import CommandSupport
public import Models
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
    try refuse(detailsOfAlignment, if: alignmentWeight == 0, for: "--alignment-weight 0")
    try refuse(detailsOfMasks, if: consistencyWeight == 0, for: "--consistency-weight 0")
  }

  /// Refuses what the network has no use for.
  ///
  /// - Throws: `ValidationError` that names the option and the choice that leaves it without use.
  func validate(for network: NetworkOptions) throws {
    let model = "--model \(network.model.rawValue)"
    try refuse(optionsOfAlignment + optionsOfMasks, if: network.model != .h2rec, for: model)
    try refuse(optionsOfMasks, if: !network.hasCross, for: "--cross none")
  }

  private var optionsOfAlignment: [GivenOption] {
    [("alignment-weight", alignmentWeight != nil)] + detailsOfAlignment
  }

  private var detailsOfAlignment: [GivenOption] {
    [
      ("alignment-temperature", alignmentTemperature != nil),
      ("alignment-items", alignmentItems != nil), ("pairs", pairs != nil),
    ]
  }

  /// The options of the masked-granularity loss, and whether they were given.
  var optionsOfMasks: [GivenOption] {
    [("consistency-weight", consistencyWeight != nil)] + detailsOfMasks
  }

  private var detailsOfMasks: [GivenOption] {
    [
      ("consistency-temperature", consistencyTemperature != nil), ("view-mask", viewMask != nil),
    ]
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
