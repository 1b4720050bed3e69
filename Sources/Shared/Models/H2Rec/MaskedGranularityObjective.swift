internal import Losses
internal import Numerics
internal import Training

/// L_MSG, the contrast of a sequence's masked and full view (H2Rec, Part 1.4).
///
/// `@unchecked Sendable`: its memory is used between the parallel regions of a step alone.
final class MaskedGranularityObjective: Objective, @unchecked Sendable {
  let name = "maskedGranularity"
  private let temperature: Float
  let weight: Float
  private let loss: MaskedGranularityLoss

  init(temperature: Float, weight: Float, precision: ProductPrecision) {
    self.temperature = temperature
    self.weight = weight
    loss = MaskedGranularityLoss(precision: precision)
  }

  func evaluate(
    _ batch: NextItemBatch, _ outputs: [NextItemOutput], _ context: StepContext
  ) -> Double {
    loss.add(
      views: outputs.compactMap(\.views), temperature: temperature, weight: weight,
      threads: context.threads)
  }
}
