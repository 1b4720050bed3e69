import CommandSupport
import Models
import ShardIO
import SystemPackage
import Tape
import TestSupport
import Testing

@testable import Numerics
@testable import Training

/// A training that is interrupted and resumed is the training that was not.
@Suite struct CheckpointTests {
  private let world = PlantedWorld()
  private static let epochs = 4

  /// What a training leaves: the bits of everything learned, and what it says about itself.
  private struct Result: Equatable {
    var bits: [[UInt32]]
    var log: [UInt8]
    var counters: [String: JSONValue]
  }

  /// What is trained.
  struct Form: Sendable, CustomTestStringConvertible {
    var architecture = ModelShape.Architecture.h2rec
    var losses = LossShape()
    var emaDecay = 0.0
    var testDescription: String { "\(architecture) \(losses.recommendation) \(emaDecay)" }
  }

  static let forms = [
    Form(), Form(architecture: .sid, losses: TrainingLoopTests.calibrated),
    Form(architecture: .sasrec, losses: TrainingLoopTests.binary, emaDecay: 0.75),
    Form(losses: TrainingLoopTests.sampled, emaDecay: 0.9),
  ]

  /// Among the settings a number without a fraction, which is read back as another kind of number.
  private static func configuration(_ rate: Float) -> [String: JSONValue] {
    ["learningRate": decimal(rate), "clipNorm": decimal(0), "pairs": "none", "calibration": .null]
  }

  /// A training of the planted shop that is asked to stop after some steps of its own.
  private func train(
    _ directory: FilePath?, _ form: Form = Form(), stopAfter steps: Int? = nil,
    stopInValidation validation: Int? = nil, every: Int = 0, rate: Float = 0.01,
    warn: @escaping (String, FilePath) -> Void = { _, _ in }
  ) throws -> (result: Result, checkpoints: Checkpoints?) {
    let network = world.network(form.architecture)
    let loop = try world.loop(
      network, epochs: Self.epochs, rate: rate, losses: form.losses,
      emaDecay: form.emaDecay)
    var asked = 0
    var validations = 0
    let checkpoints = directory.map { directory in
      Checkpoints(
        CheckpointStore(
          output: directory, configuration: Self.configuration(rate), inputs: [], threads: 2),
        minutes: 0, steps: every, isQuiet: false,
        isStopAsked: {
          asked += 1
          return asked == steps
        },
        isValidationOver: {
          validations += 1
          return validations == validation
        }, warn: warn)
    }
    let outcome = try loop.run(isQuiet: true, checkpoints: checkpoints)
    let bits = network.store.stateBlocks.map { $0.buffer.array.map(\.bitPattern) }
    return (
      Result(bits: bits, log: outcome.log, counters: outcome.counters), checkpoints
    )
  }

  @Test(arguments: forms)
  func `stopping after any step and going on gives the bytes of a straight run`(
    form: Form
  ) throws {
    let straight = try train(nil, form).result
    // 4 epochs of 3 steps.
    for steps in 1...12 {
      try withTemporaryDirectory { directory in
        let error = #expect(throws: PipelineError.self) {
          try train(directory, form, stopAfter: steps)
        }
        #expect(error?.kind == .temporaryFailure)
        #expect(error?.message == "stopped by a signal after step \(steps), which is saved")
        let resumed = try train(directory, form)
        #expect(resumed.checkpoints?.resumedStep == steps)
        #expect(resumed.result == straight, "stopped after \(steps) steps")
      }
    }
  }

  @Test(arguments: forms)
  func `stopping in any validation and going on gives the bytes of a straight run`(
    form: Form
  ) throws {
    let straight = try train(nil, form).result
    for validation in 1...Self.epochs {
      try withTemporaryDirectory { directory in
        let error = #expect(throws: PipelineError.self) {
          try train(directory, form, stopInValidation: validation)
        }
        // Three steps an epoch.
        #expect(
          error?.message == "stopped by a signal after step \(3 * validation), which is saved")
        let resumed = try train(directory, form)
        #expect(resumed.checkpoints?.resumedStep == 3 * validation)
        #expect(resumed.result == straight, "stopped in validation \(validation)")
      }
    }
  }

  @Test func `stopping after every single step gives the bytes of a straight run`() throws {
    let straight = try train(nil).result
    try withTemporaryDirectory { directory in
      for _ in 1...12 {
        #expect(throws: PipelineError.self) { try train(directory, stopAfter: 1) }
      }
      let resumed = try train(directory)
      #expect(resumed.result == straight)
    }
  }

  @Test func `the last two checkpoints are kept`() throws {
    try withTemporaryDirectory { directory in
      #expect(throws: PipelineError.self) { try train(directory, stopAfter: 7, every: 2) }
      // Of steps 2, 4, 6 and 7.
      let saved = try steps(in: directory)
      #expect(saved == [6, 7])
      #expect(throws: PipelineError.self) { try train(directory, stopAfter: 2, every: 0) }
      #expect(try steps(in: directory) == [7, 9])
    }
  }

  @Test func `a training of other settings begins anew and says what differs`() throws {
    let straight = try train(nil, rate: 0.02).result
    try withTemporaryDirectory { directory in
      #expect(throws: PipelineError.self) { try train(directory, stopAfter: 5, every: 3) }
      var warnings: [String] = []
      let other = try train(directory, rate: 0.02) { text, path in
        warnings.append("\(path.lastComponent?.string ?? ""): \(text)")
      }
      #expect(other.checkpoints?.resumedStep == nil)
      #expect(other.result == straight)
      let words =
        "this checkpoint is of other settings (learningRate 0.01, now 0.02) and is not used"
      #expect(warnings == ["1: \(words)", "2: \(words)"])
    }
  }

  @Test func `a damaged checkpoint is replaced by the one before it, with a warning`() throws {
    let straight = try train(nil).result
    try withTemporaryDirectory { directory in
      #expect(throws: PipelineError.self) { try train(directory, stopAfter: 5, every: 3) }
      let saved = try contents(of: directory)
      let shards = saved.keys.filter { $0.hasPrefix("checkpoints/2/") && $0.hasSuffix(".h2s") }
      for name in shards.sorted() {
        // The second is of step 5, the first of step 3.
        try restore(saved, in: directory)
        var bytes = try #require(saved[name])
        bytes[bytes.count / 2] ^= 1
        try write(bytes, to: directory.appending(name))
        var warnings: [String] = []
        let resumed = try train(directory) { text, _ in warnings.append(text) }
        #expect(resumed.checkpoints?.resumedStep == 3)
        #expect(resumed.result == straight)
        try #require(warnings.count == 1)
        #expect(warnings[0].hasSuffix("; the checkpoint of step 3 is used"))
      }
    }
  }

  @Test func `without any good checkpoint training is refused`() throws {
    try withTemporaryDirectory { directory in
      #expect(throws: PipelineError.self) { try train(directory, stopAfter: 5) }
      let manifest = directory.appending("checkpoints/1/manifest.json")
      try write(Array("{}".utf8), to: manifest)
      let error = #expect(throws: PipelineError.self) { try train(directory) }
      #expect(error?.kind == .dataFormat)
      #expect(
        error?.message
          == "the manifest has no 'configuration', and there is no other checkpoint to go on from")
      #expect(
        error?.note == "remove \(directory.appending("checkpoints")) to train from the start")
    }
  }

  @Test func `numerical trouble leaves the last good checkpoint and names it`() throws {
    try withTemporaryDirectory { directory in
      #expect(throws: PipelineError.self) { try train(directory, stopAfter: 5) }
      let error = #expect(throws: PipelineError.self) { try diverge(directory) }
      #expect(error?.kind == .internalError)
      #expect(error?.message == "the parameter 'positions' is not finite after step 6")
      #expect(error?.note == "lower --learning-rate; the checkpoint of step 5 is left")
      #expect(try steps(in: directory) == [5])
      let straight = try train(nil).result
      #expect(try train(directory).result == straight)
    }
  }

  /// Goes on with a rate that makes the parameters infinite in one step; the loss, computed before it, is finite.
  private func diverge(_ directory: FilePath) throws {
    let store = CheckpointStore(
      output: directory, configuration: Self.configuration(0.01), inputs: [], threads: 1)
    let checkpoints = Checkpoints(store, minutes: 0, steps: 1, isQuiet: true)
    let loop = try world.loop(world.network(.h2rec), epochs: Self.epochs, rate: .infinity)
    _ = try loop.run(isQuiet: true, checkpoints: checkpoints)
  }

  // MARK: - Directories

  /// The steps of the checkpoints in a directory, in order.
  private func steps(in directory: FilePath) throws -> [Int64] {
    try contents(of: directory).filter { $0.key.hasSuffix("/manifest.json") }
      .compactMap {
        try JSONValue(parsing: $0.value, path: $0.key)["counters"]?["step"]?.integerValue
      }.sorted()
  }

  /// Puts files back as they were, links included, which nothing here changes.
  private func restore(_ saved: [String: [UInt8]], in directory: FilePath) throws {
    for (name, bytes) in saved where !bytes.starts(with: Array("-> ".utf8)) {
      try write(bytes, to: directory.appending(name))
    }
  }
}
