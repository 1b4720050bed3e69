import Testing

@testable import Training

@Suite struct LearningRateScheduleTests {
  private func rates(_ form: LearningRateSchedule.Form, warmUp: Int) -> [Float] {
    let schedule = LearningRateSchedule(form: form, peak: 8, warmUpSteps: warmUp, stepCount: 8)
    return (0..<8).map { schedule.rate(step: $0) }
  }

  @Test func `the rate rises in a line and stays`() {
    #expect(rates(.constant, warmUp: 4) == [2, 4, 6, 8, 8, 8, 8, 8])
    #expect(rates(.constant, warmUp: 0) == Array(repeating: 8, count: 8))
  }

  @Test func `the cosine falls from the peak towards zero`() {
    let found = rates(.cosine, warmUp: 4)
    #expect(found.prefix(5) == [2, 4, 6, 8, 8])
    // (1 + cos(π/4)) / 2, (1 + cos(π/2)) / 2, (1 + cos(3π/4)) / 2 of 8.
    let root = Float(2).squareRoot()
    for (rate, expected) in zip(found.suffix(3), [4 + 2 * root, 4, 4 - 2 * root]) {
      #expect(abs(rate - expected) < 1e-5)
    }
  }

  @Test func `a warm-up that never ends leaves no course to follow`() {
    let schedule = LearningRateSchedule(form: .cosine, peak: 8, warmUpSteps: 16, stepCount: 8)
    #expect(schedule.rate(step: 7) == 4)
    #expect(schedule.rate(step: 20) == 8)
  }
}
