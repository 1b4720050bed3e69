import TestSupport
import Testing

@testable import Numerics
@testable import Tape

/// Adam against its definition in Double, and what it leaves alone.
@Suite struct AdamTests {
  /// Kingma and Ba 2015, algorithm 1, for one number.
  private struct Reference {
    var value: Double
    var first = 0.0
    var second = 0.0

    /// `decay1` and `decay2` are β₁ᵗ and β₂ᵗ of the global step.
    mutating func step(_ gradient: Double, rate: Double, decay1: Double, decay2: Double) {
      first = 0.9 * first + 0.1 * gradient
      second = 0.999 * second + 0.001 * gradient * gradient
      value -= rate * (first / (1 - decay1)) / ((second / (1 - decay2)).squareRoot() + 1e-8)
    }
  }

  private func settings(rate: Float) -> Adam.Settings {
    var settings = Adam.Settings()
    settings.rate = rate
    return settings
  }

  @Test(arguments: [1, 17, 70_000], [1, 2])
  func `dense steps are the definition's`(count: Int, threads: Int) throws {
    let start = Grid.noise(1, count, seed: 1)
    let parameters = AlignedBuffer(count: count)
    parameters.set(start.floats)
    let gradient = AlignedBuffer(count: count)
    let adam = Adam(parameters: parameters, tables: [], settings: settings(rate: 0.01))
    // The first, some, and the last number, across the blocks of the threads.
    let watched = Set([0, count / 2, min(65_536, count - 1), count - 1]).sorted()
    var expected = watched.map { Reference(value: start.values[$0]) }
    var (decay1, decay2) = (1.0, 1.0)
    for step in 1...20 {
      let numbers = Grid.noise(1, count, seed: 100 + step, scale: step == 5 ? 100 : 1)
      gradient.set(numbers.floats)
      adam.step(gradient: gradient, threads: threads)
      decay1 *= 0.9
      decay2 *= 0.999
      for place in watched.indices {
        expected[place].step(
          numbers.values[watched[place]], rate: 0.01, decay1: decay1, decay2: decay2)
        let found = Double(parameters[watched[place]])
        try #require(abs(found - expected[place].value) < 2e-6, "step \(step), place \(place)")
      }
      try #require(gradient.array.allSatisfy { $0 == 0 })
    }
    #expect(adam.stepCount == 20)
  }

  @Test func `rows that a step does not touch keep value and moments; others follow the rule`()
    throws
  {
    let start = Grid.noise(4, 3, seed: 1)
    let table = EmbeddingTable(count: 4, width: 3)
    table.values.set(start.floats)
    let none = AlignedBuffer(count: 0)
    let adam = Adam(parameters: none, tables: [table], settings: settings(rate: 0.01))
    var expected = start.values.map { Reference(value: $0) }
    var (decay1, decay2) = (1.0, 1.0)
    for step in 1...20 {
      // Row 3 never; row 1 only in odd steps, row 2 in every fourth; step 12 touches nothing.
      let rows = step == 12 ? [] : [0] + (step % 2 == 1 ? [1] : []) + (step % 4 == 0 ? [2] : [])
      let before = table.values.array
      let numbers = Grid.noise(4, 3, seed: 100 + step)
      decay1 *= 0.9
      decay2 *= 0.999
      for row in rows {
        table.touch(UInt32(row))
        table.gradient.set(numbers.rows([row]).floats, at: row * 3)
        for place in row * 3..<row * 3 + 3 {
          expected[place].step(numbers.values[place], rate: 0.01, decay1: decay1, decay2: decay2)
        }
      }
      adam.step(gradient: none, threads: 2)
      let after = table.values.array
      for place in 0..<12 {
        if rows.contains(place / 3) {
          try #require(abs(Double(after[place]) - expected[place].value) < 2e-6, "step \(step)")
        } else {
          try #require(after[place] == before[place], "step \(step)")
        }
      }
      try #require(table.touchedRows.isEmpty && table.gradient.array.allSatisfy { $0 == 0 })
    }
    #expect(table.values.array(9..<12) == Array(start.floats[9...]))
  }

  @Test func `a table that is touched everywhere follows the dense rule`() {
    let start = Grid.noise(5, 7, seed: 1).floats
    let parameters = AlignedBuffer(count: 35)
    parameters.set(start)
    let table = EmbeddingTable(count: 5, width: 7)
    table.values.set(start)
    let gradient = AlignedBuffer(count: 35)
    let adam = Adam(parameters: parameters, tables: [table], settings: settings(rate: 0.1))
    for step in 0..<5 {
      let numbers = Grid.noise(5, 7, seed: step).floats
      gradient.set(numbers)
      table.gradient.set(numbers)
      table.touchAll()
      adam.step(gradient: gradient, threads: 1)
    }
    #expect(table.values.array == parameters.array)
  }

  @Test func `weight decay shrinks values apart from the gradient`() {
    var decayed = settings(rate: 0.1)
    decayed.weightDecay = 0.5
    let start: [Float] = [2, -4, 0]
    func step(_ settings: Adam.Settings, _ gradient: [Float]) -> [Float] {
      let parameters = AlignedBuffer(count: 3)
      parameters.set(start)
      let buffer = AlignedBuffer(count: 3)
      buffer.set(gradient)
      Adam(parameters: parameters, tables: [], settings: settings).step(
        gradient: buffer, threads: 1)
      return parameters.array
    }
    // 1 − 0.1 · 0.5 = 19/20.
    let shrunk: [Float] = [1.9, -3.8, 0]
    for (value, expected) in zip(step(decayed, [0, 0, 0]), shrunk) {
      #expect(abs(value - expected) < 1e-6)
    }
    let moved = step(settings(rate: 0.1), [1, 1, 1])
    for (index, value) in step(decayed, [1, 1, 1]).enumerated() {
      #expect(abs(value - (moved[index] - start[index] / 20)) < 1e-6)
    }
  }

  @Test func `a gradient longer than the limit is scaled as a whole, tables included`() {
    // Norm 13 = √(3² + 4² + 12²); the moments after one step are 0.1 · g and 0.001 · g².
    func moved(limit: Float, scale: Float) -> [Float] {
      var settings = settings(rate: 1)
      settings.largestNorm = limit
      settings.epsilon = 1
      let parameters = AlignedBuffer(count: 2)
      let table = EmbeddingTable(count: 3, width: 1)
      let gradient = AlignedBuffer(count: 2)
      gradient.set([3 * scale, 4 * scale])
      table.touch(1)
      table.gradient.set([12 * scale], at: 1)
      Adam(parameters: parameters, tables: [table], settings: settings).step(
        gradient: gradient, threads: 1)
      return parameters.array + table.values.array
    }
    let clipped = moved(limit: 6.5, scale: 1)
    for (a, b) in zip(clipped, moved(limit: 0, scale: 0.5)) { #expect(abs(a - b) < 1e-6) }
    #expect(moved(limit: 13.5, scale: 1) == moved(limit: 0, scale: 1))
    #expect(clipped != moved(limit: 0, scale: 1))
  }
}
