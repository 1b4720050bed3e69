internal import Foundation

/// The learning rate as a function of the step.
public struct LearningRateSchedule: Sendable {
  /// What the rate does after the warm-up.
  public enum Form: String, CaseIterable, Sendable {
    /// Stays.
    case constant
    /// Falls as half a cosine, to 0 after the last step.
    case cosine
  }

  let form: Form
  let peak: Float
  let warmUpSteps: Int
  let stepCount: Int

  /// A schedule.
  ///
  /// - Parameters:
  ///   - form: what the rate does after the warm-up.
  ///   - peak: the rate after the warm-up.
  ///   - warmUpSteps: the steps over which the rate rises.
  ///   - stepCount: the number of steps if training is not stopped early.
  public init(form: Form, peak: Float, warmUpSteps: Int, stepCount: Int) {
    self.form = form
    self.peak = peak
    self.warmUpSteps = warmUpSteps
    self.stepCount = stepCount
  }

  /// The rate of a step, from 0.
  ///
  /// Rises in a line over the warm-up, step 0 having `peak / warmUpSteps`; then as its form says.
  public func rate(step: Int) -> Float {
    if step < warmUpSteps { return peak * Float(step + 1) / Float(warmUpSteps) }
    switch form {
    case .constant:
      return peak
    case .cosine:
      guard stepCount > warmUpSteps else { return peak }
      let progress = Double(step - warmUpSteps) / Double(stepCount - warmUpSteps)
      return peak * Float((1 + cos(.pi * min(1, progress))) / 2)
    }
  }
}

/// How long and how fast a training goes.
public struct TrainingSchedule: Sendable {
  /// Examples in a step.
  public var batchSize = 128
  /// Most epochs.
  public var epochs = 200
  /// Epochs without a better validation after which training ends.
  public var patience = 10
  /// Whether training that goes on to its last epoch keeps what that one left, not the parameters of the best one.
  public var keepsLast = false
  /// What the learning rate does after the warm-up.
  public var form = LearningRateSchedule.Form.constant
  /// The learning rate after the warm-up.
  public var learningRate: Float = 1e-3
  /// The steps over which the learning rate rises.
  public var warmUpSteps = 0

  /// The defaults.
  public init() {}

  /// The learning rate of every step.
  ///
  /// - Parameter stepsPerEpoch: steps in an epoch.
  /// - Returns: the rate as a function of the step.
  public func rates(stepsPerEpoch: Int) -> LearningRateSchedule {
    LearningRateSchedule(
      form: form, peak: learningRate, warmUpSteps: warmUpSteps,
      stepCount: epochs * stepsPerEpoch)
  }
}
