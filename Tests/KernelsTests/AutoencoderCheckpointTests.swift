import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Numerics
@testable import Quantizers
@testable import Training

/// The learning of an autoencoder that is interrupted and resumed is the one that was not.
@Suite struct AutoencoderCheckpointTests {
  /// What learning begins with, and how its codebooks learn.
  private func stoppable(_ update: CodebookUpdate) -> AutoencoderOptions {
    // 7 epochs of 4 steps: the codebooks get their second start after 20; most codes starve and are revived.
    var settings = autoencoderOptions([40, 6], epochs: 7)
    settings.batchSize = 60
    settings.update = update
    settings.uniqueness = 0.1
    settings.patience = 2
    return settings
  }

  /// Learns until it is asked to stop after some steps of its own.
  private func learn(
    _ directory: FilePath?, _ update: CodebookUpdate, stopAfter steps: Int? = nil
  ) throws -> (found: ResidualAutoencoder, resumedStep: Int?) {
    var asked = 0
    let checkpoints = directory.map { directory in
      Checkpoints(
        CheckpointStore(output: directory, configuration: [:], inputs: [], threads: 1), minutes: 0,
        steps: 0, isQuiet: true,
        isStopAsked: {
          asked += 1
          return asked == steps
        })
    }
    let found = try ResidualAutoencoder(
      plantedPoints(230, 12), options: stoppable(update), threads: 1, checkpoints: checkpoints)
    return (found, checkpoints?.resumedStep)
  }

  @Test(arguments: [CodebookUpdate.gradient, .movingAverage(decay: 0.9)])
  func `stopping after any step and going on gives the bytes of a straight run`(
    update: CodebookUpdate
  ) throws {
    let straight = try learn(nil, update).found
    #expect(straight.epochs.contains { $0.revivedCount > 0 })
    // Within an epoch and at its end, before and after the second start of the codebooks.
    for steps in [3, 4, 20, 21] {
      try withTemporaryDirectory { directory in
        let error = #expect(throws: PipelineError.self) {
          try learn(directory, update, stopAfter: steps)
        }
        #expect(error?.kind == .temporaryFailure)
        let resumed = try learn(directory, update)
        #expect(resumed.resumedStep == steps)
        let isEqual = resumed.found == straight
        #expect(isEqual, "stopped after \(steps) steps")
      }
    }
  }

  @Test func `stopping again and again gives the bytes of a straight run`() throws {
    let update = CodebookUpdate.movingAverage(decay: 0.9)
    let straight = try learn(nil, update).found
    try withTemporaryDirectory { directory in
      for _ in 1...4 {
        #expect(throws: PipelineError.self) { try learn(directory, update, stopAfter: 5) }
      }
      let resumed = try learn(directory, update).found
      let isEqual = resumed == straight
      #expect(isEqual)
    }
  }

  @Test func `a loss that is no number ends learning and names step and parameter`() {
    var settings = autoencoderOptions([4, 3], epochs: 9)
    settings.learningRate = .infinity
    let error = #expect(throws: PipelineError.self) {
      try ResidualAutoencoder(plantedPoints(230, 12), options: settings, threads: 1)
    }
    #expect(error?.kind == .internalError)
    #expect(
      error?.message
        == "the reconstruction loss of step 2 is no finite number; the first parameter that is not finite is 'encoder.0.weight'"
    )
  }
}
