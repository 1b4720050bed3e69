import Models
import Numerics
import SystemPackage
import Tape
import TestSupport
import Testing

/// Scores, losses and every gradient against numbers of an independent implementation (Tests/Fixtures/golden).
@Suite struct GoldenTests {
  static let files = [
    "sasrec-ce", "sasrec-bce", "none-bce", "none-ce-alignment", "residual-ce",
    "plain-ce-alignment", "residual-bce-alignment", "scaled-ce-alignment",
    "residual-ce-alignment-consistency",
  ]

  @Test(arguments: files)
  func `states, losses and gradients are the reference's`(file: String) throws {
    let golden = try GoldenCase(file)
    let losses = golden.step.gradients(of: golden.batch, number: 0)
    #expect(abs(losses.recommendation - golden.number("out.recommendation")) < 2e-6)
    if golden.has("out.alignment") {
      let alignment = try #require(losses.alignment)
      #expect(abs(alignment - golden.number("out.alignment")) < 2e-6)
    }
    if golden.has("out.consistency") {
      let masked = try #require(losses.maskedGranularity)
      #expect(abs(masked - golden.number("out.consistency")) < 2e-6)
    }
    let gradients = try golden.gradients()
    #expect(gradients.count == golden.gradientCount)
    for (name, found, expected) in gradients {
      let scale = expected.reduce(1e-4) { max($0, abs($1)) }
      let error = zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(found.count == expected.count && error < 2e-5 * scale + 2e-7, "\(name): \(error)")
    }
  }

  @Test(arguments: files)
  func `scores of the last positions are the reference's`(file: String) throws {
    let golden = try GoldenCase(file)
    let states = golden.network.states(after: golden.batch.histories, threads: 1)
    let items = golden.network.model.itemVectors(threads: 1)
    let expected = golden.floats("out.scores")
    for user in 0..<states.rows {
      for item in 0..<items.rows {
        let score = zip(states[row: user], items[row: item]).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(score - expected[user * items.rows + item]) < 2e-5)
      }
    }
  }

  @Test func `the numbers of a step do not depend on how it is cut into threads`() throws {
    let results = try [1, 2].map { threads in
      let golden = try GoldenCase(
        "residual-ce-alignment-consistency", tokensPerPart: 4, threads: threads)
      _ = golden.step.run(golden.batch, number: 3)
      return golden.network.parameters.array + golden.network.tables.flatMap(\.values.array)
    }
    #expect(results[0] == results[1])
  }
}
