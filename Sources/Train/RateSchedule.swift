import ArgumentParser
import Foundation

/// The learning rate as a function of the step.
struct RateSchedule {
  /// The course after the warm-up.
  enum Form: String, CaseIterable, ExpressibleByArgument {
    case constant, cosine, step
  }

  let form: Form
  let peak: Float
  let warmUpSteps: Int
  /// The number of steps if training is not stopped early.
  let stepCount: Int
  /// Steps after which ``Form/step`` multiplies the rate by ``decayFactor``, counted from the first step.
  var decaySteps = 1
  /// What it is multiplied by.
  var decayFactor: Float = 1

  /// The rate of a step.
  ///
  /// Rises in a line over the warm-up, step 0 having `peak / warmUpSteps`; then stays, or falls as half a cosine that
  /// would reach 0 after the last step, or falls by a factor at regular steps.
  func rate(step: Int) -> Float {
    if step < warmUpSteps { return peak * Float(step + 1) / Float(warmUpSteps) }
    switch form {
    case .constant:
      return peak
    case .step:
      return peak * Float(pow(Double(decayFactor), Double(step / decaySteps)))
    case .cosine:
      guard stepCount > warmUpSteps else { return peak }
      let progress = Double(step - warmUpSteps) / Double(stepCount - warmUpSteps)
      return peak * Float((1 + cos(.pi * min(1, progress))) / 2)
    }
  }
}
