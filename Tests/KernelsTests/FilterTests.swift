import TestSupport
import Testing

@testable import Numerics
@testable import Tape

/// Filters along time against the Fourier transforms that define them.
@Suite struct FilterTests {
  /// A window, a number of channels, and the lengths of sequences.
  struct World: Sendable, CustomTestStringConvertible {
    let window: Int
    let width: Int
    let lengths: [Int]

    var testDescription: String { "window \(window), \(width) wide, \(lengths)" }
    var tokenCount: Int { lengths.reduce(0, +) }
    var frequencies: WindowFrequencies { WindowFrequencies(length: window) }
    var sequences: PackedSequences {
      PackedSequences(
        offsets: [0] + lengths.indices.map { UInt32(lengths[...$0].reduce(0, +)) })
    }
  }

  static let worlds = [
    World(window: 1, width: 3, lengths: [1]), World(window: 2, width: 1, lengths: [1, 2]),
    World(window: 7, width: 16, lengths: [7, 1, 4]), World(window: 8, width: 17, lengths: [8, 3]),
    World(window: 12, width: 5, lengths: [2, 5, 12]),
  ]

  @Test(arguments: worlds, [true, false])
  func `a learned filter multiplies the spectrum of its window`(
    world: World, isCausal: Bool
  ) throws {
    let count = world.frequencies.count
    let inputs: [Input] = [
      .tensor(.noise(world.tokenCount, world.width, seed: 1)),
      .parameter(.noise(2 * count, world.width, seed: 2)),
    ]
    try check(.filter, inputs) { bench in
      bench.tape.filter(
        bench.tensor(0), bench.tape.product(world.frequencies.synthesis, bench.parameter(1)),
        queries: world.sequences, keys: world.sequences,
        mask: isCausal ? .causal : .bidirectional)
    } reference: { grids in
      grids[0].filtered(lengths: world.lengths, window: world.window, isCausal: isCausal) {
        (grids[1][$0, $1], grids[1][count + $0, $1])
      }
    }
  }

  @Test(arguments: worlds, [true, false])
  func `a low pass keeps the lowest frequencies and the square of a root of the others`(
    world: World, isCausal: Bool
  ) throws {
    for kept in Set([1, (1 + world.frequencies.count) / 2, world.frequencies.count]) {
      let inputs: [Input] = [
        .tensor(.noise(world.tokenCount, world.width, seed: 1)),
        .parameter(.noise(1, world.width, seed: 2)),
      ]
      try check(.filter, inputs) { bench in
        bench.tape.filter(
          bench.tensor(0),
          bench.tape.lowPassKernel(
            world.frequencies.lowPass(keeping: kept), root: bench.parameter(1)),
          queries: world.sequences, keys: world.sequences,
          mask: isCausal ? .causal : .bidirectional)
      } reference: { grids in
        grids[0].filtered(lengths: world.lengths, window: world.window, isCausal: isCausal) {
          ($0 < kept ? 1 : grids[1][0, $1] * grids[1][0, $1], 0)
        }
      }
    }
  }

  @Test(arguments: worlds)
  func `the last token alone has what it has among all, with either reach`(world: World) {
    let grids: [Input] = [
      .tensor(.noise(world.tokenCount, world.width, seed: 1)),
      .tensor(.noise(world.window, world.width, seed: 2)),
    ]
    let bench = OperationBench(grids)
    let (x, kernel, all) = (bench.tensor(0), bench.tensor(1), world.sequences)
    let masks: [AttentionMask] = [.causal, .bidirectional]
    let answers = masks.flatMap { mask in
      let y = bench.tape.filter(x, kernel, queries: all, keys: all, mask: mask)
      let last = bench.tape.filter(x, kernel, queries: all.lastQueries, keys: all, mask: mask)
      return [bench.tape.rows(y, all.lastTokens).array, last.array]
    }
    #expect(answers.allSatisfy { $0 == answers[0] })
  }
}
