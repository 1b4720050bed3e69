import ArgumentParser
import Foundation

/// The learning rate as a function of the step.
struct RateSchedule {
  /// The course after the warm-up.
  enum Form: String, CaseIterable, ExpressibleByArgument {
    case constant, cosine
  }

  let form: Form
  let peak: Float
  let warmUpSteps: Int
  /// The number of steps if training is not stopped early.
  let stepCount: Int

  /// The rate of a step.
  ///
  /// Rises in a line over the warm-up, step 0 having `peak / warmUpSteps`; then stays, or falls as half a cosine that
  /// would reach 0 after the last step.
  func rate(step: Int) -> Float {
    if step < warmUpSteps { return peak * Float(step + 1) / Float(warmUpSteps) }
    guard form == .cosine, stepCount > warmUpSteps else { return peak }
    let progress = Double(step - warmUpSteps) / Double(stepCount - warmUpSteps)
    return peak * Float((1 + cos(.pi * min(1, progress))) / 2)
  }
}
