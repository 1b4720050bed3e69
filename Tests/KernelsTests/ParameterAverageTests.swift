import TestSupport
import Testing

@testable import Numerics
@testable import Tape

/// The average of the parameters against its definition in Double, row by row and step by step.
@Suite struct ParameterAverageTests {
  private static let rows = 6
  private static let width = 3

  /// Steps that touch some rows and set them to noise, as an optimiser would.
  private final class World {
    let parameters = AlignedBuffer(count: 16)
    let table = EmbeddingTable(count: rows, width: width)
    let average: ParameterAverage
    let decay: Double
    /// The definition: every number at every step.
    var expected: [Double]
    var step = 0

    init(decay: Double) {
      self.decay = decay
      table.values.set(Grid.noise(rows, width, seed: 1).floats)
      average = ParameterAverage(parameters: parameters, tables: [table], decay: decay)
      expected = Array(repeating: 0, count: 16 + rows * width)
    }

    /// Row 0 in every step, row 5 never, the others now and then.
    func run() {
      step += 1
      let touched = (0..<rows - 1).filter { step % ($0 + 1) == 0 }
      touched.forEach { table.touch(UInt32($0)) }
      average.prepare(step: step)
      parameters.set(Grid.noise(1, 16, seed: 1000 + step).floats)
      for row in touched {
        table.values.set(
          Grid.noise(1, width, seed: 5000 + 10 * step + row).floats, at: row * width)
      }
      table.endStep()
      average.follow(step: step, threads: 1)
      let share = min(1 - 1 / Double(step), step <= Int(1 / (1 - decay)) ? 1 : decay)
      let values = parameters.array + table.values.array
      for place in expected.indices {
        expected[place] = share * expected[place] + (1 - share) * Double(values[place])
      }
    }

    var found: [Float] { average.blocks[0].array + average.blocks[1].array }
  }

  @Test(arguments: [0.5, 0.75, 0.9, 0.999])
  func `every row has the average of its definition, however seldom it is touched`(
    decay: Double
  ) throws {
    let world = World(decay: decay)
    // Made up after steps 7 and 8 and at the end.
    for step in 1...40 {
      world.run()
      if step == 7 || step == 8 || step == 40 {
        world.average.catchUp(to: step)
        for (found, expected) in zip(world.found, world.expected) {
          try #require(abs(Double(found) - expected) < 1e-6, "step \(step)")
        }
      }
    }
  }

  @Test func `the first steps are averaged evenly, the start takes no part`() {
    let world = World(decay: 0.75)
    let start = world.table.values.array(0..<3)
    var sum = [0.0, 0, 0]
    for _ in 1...4 {
      world.run()
      for place in 0..<3 { sum[place] += Double(world.table.values[place]) }
    }
    world.average.catchUp(to: 4)
    let found = world.average.blocks[1].array(0..<3)
    for place in 0..<3 { #expect(abs(Double(found[place]) - sum[place] / 4) < 1e-6) }
    #expect(found != start)
    // The row that no step touches stays what it was.
    #expect(
      world.average.blocks[1].array(15..<18) == world.table.values.array(15..<18))
  }

  @Test func `the products of the shares are those of the single steps`() {
    let average = ParameterAverage(
      parameters: AlignedBuffer(count: 0), tables: [], decay: 0.9)
    func share(_ step: Int) -> Double { step <= 10 ? 1 - 1 / Double(step) : 0.9 }
    for first in 0..<15 {
      var product = 1.0
      for last in first + 1..<30 {
        product *= share(last)
        #expect(abs(average.share(after: first, to: last) - product) < 1e-12)
      }
    }
  }

  @Test func `exchanging twice changes nothing`() {
    let world = World(decay: 0.9)
    for _ in 1...5 { world.run() }
    world.average.catchUp(to: 5)
    let before = [world.parameters.array, world.table.values.array, world.found]
    world.average.exchange()
    #expect(world.parameters.array + world.table.values.array == before[2])
    world.average.exchange()
    #expect([world.parameters.array, world.table.values.array, world.found] == before)
  }
}
