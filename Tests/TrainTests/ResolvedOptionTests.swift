import ArgumentParser
import CommandSupport
import Losses
import Numerics
import ShardIO
import Tape
import Testing
import Training

@testable import Models
@testable import Train

/// What stands in place of an option that was not given, and what the manifest says about it.
@Suite struct ResolvedOptionTests {
  // MARK: - How long and how fast

  /// Sequences of an epoch, and the batch: a 64th, rounded down to a power of two, from 32 to 512.
  @Test(arguments: [
    (1, 32), (2048, 32), (4095, 32), (4096, 64), (8191, 64), (8192, 128), (16_384, 256),
    (32_767, 256), (32_768, 512), (10_000_000, 512),
  ])
  func `the batch follows the number of sequences`(sequences: Int, expected: Int) throws {
    var options = try ScheduleOptions.parse([])
    options.resolve(sequenceCount: sequences, eventCount: 100, userCount: 10)
    #expect(options.batchSize == expected && options.schedule.batchSize == expected)
    #expect(options.configuration["batchSize"] == JSONValue(expected))
  }

  /// Sequences, batch, and epochs that take 640 steps, at least 2.
  @Test(arguments: [
    (1, 32, 640), (32, 32, 640), (33, 32, 320), (2048, 32, 10), (2049, 32, 10), (100_000, 512, 4),
    (1_000_000, 512, 2), (1000, 1, 2),
  ])
  func `the patience follows the steps of an epoch`(
    sequences: Int, batch: Int, expected: Int
  ) throws {
    var options = try ScheduleOptions.parse(["--batch-size", "\(batch)"])
    options.resolve(sequenceCount: sequences, eventCount: 100, userCount: 10)
    #expect(options.batchSize == batch)
    #expect(options.patience == expected && options.schedule.patience == expected)
    #expect(options.configuration["patience"] == JSONValue(expected))
  }

  /// Train events, and epochs that read 32 million, from 10 to 200.
  @Test(arguments: [
    (0, 200), (100, 200), (160_000, 200), (160_001, 200), (162_000, 198), (3_200_000, 10),
    (3_199_999, 11), (100_000_000, 10),
  ])
  func `the most epochs follow the events`(events: Int, expected: Int) throws {
    var options = try ScheduleOptions.parse([])
    options.resolve(sequenceCount: 100, eventCount: events, userCount: 10)
    #expect(options.epochs == expected && options.schedule.epochs == expected)
    #expect(options.configuration["epochs"] == JSONValue(expected))
  }

  /// Sequences, batch, and a fifth of the steps, at most 500, of 512 sequences or more.
  @Test(arguments: [
    (20_000, 256, 0), (32_768, 511, 0), (32_768, 512, 12), (300_000, 512, 117),
    (1_280_000, 512, 500), (10_000_000, 512, 500), (100_000, 1024, 19),
  ])
  func `large steps warm up`(sequences: Int, batch: Int, expected: Int) throws {
    var options = try ScheduleOptions.parse(["--batch-size", "\(batch)"])
    options.resolve(sequenceCount: sequences, eventCount: 100, userCount: 10)
    #expect(options.warmUpSteps == expected && options.schedule.warmUpSteps == expected)
    #expect(options.configuration["warmUpSteps"] == JSONValue(expected))
  }

  @Test(arguments: [(10, 0), (20_000, 0), (20_001, 10_000), (5_000_000, 10_000)])
  func `many users are validated by a sample`(users: Int, expected: Int) throws {
    var options = try ScheduleOptions.parse([])
    options.resolve(sequenceCount: 100, eventCount: 100, userCount: users)
    #expect(options.validationUsers == expected)
    #expect(options.configuration["validationUsers"] == JSONValue(expected))
  }

  @Test func `what was given stays`() throws {
    var options = try ScheduleOptions.parse([
      "--batch-size", "7", "--patience", "3", "--validation-users", "0", "--ema-decay", "0.5",
      "--learning-rate", "0.02", "--weight-decay", "0.25", "--clip-norm", "5", "--rate-schedule",
      "cosine", "--warm-up-steps", "9", "--epochs", "11", "--micro-batch-tokens", "64",
    ])
    options.resolve(sequenceCount: 1_000_000, eventCount: 100_000_000, userCount: 1_000_000)
    #expect(
      options.configuration == [
        "batchSize": 7, "patience": 3, "validationUsers": 0, "emaDecay": 0.5, "learningRate": 0.02,
        "weightDecay": 0.25, "clipNorm": 5.0, "rateSchedule": "cosine", "warmUpSteps": 9,
        "epochs": 11, "microBatchTokens": 64,
      ])
    let schedule = options.schedule
    #expect(schedule.batchSize == 7 && schedule.patience == 3 && schedule.epochs == 11)
    #expect(schedule.form == .cosine && schedule.warmUpSteps == 9 && schedule.learningRate == 0.02)
    let optimizer = options.optimizer
    #expect(optimizer.rate == 0.02 && optimizer.weightDecay == 0.25 && optimizer.largestNorm == 5)
  }

  // MARK: - Loss

  private func resolved(_ words: [String], itemCount: Int) throws -> NextItemLossOptions {
    var options = try NextItemLossOptions.parse(words)
    options.resolve(ModelData(itemCount: itemCount), maxLength: 50)
    return options
  }

  @Test func `every event is read where the last ones are less than 95 % of all`() throws {
    // Two users: 19 targets and 1, or 18 and 2, of which a model reads the last one at most.
    func windows(_ lengths: [Int], maxLength: Int, _ words: [String] = []) throws -> JSONValue? {
      var options = try NextItemLossOptions.parse(words)
      var data = ModelData(itemCount: 10)
      data.trainLengths = lengths
      options.resolve(data, maxLength: maxLength)
      return options.configuration["windows"]
    }
    #expect(try windows([20, 2, 1, 0], maxLength: 18) == "last")
    #expect(try windows([20, 3, 1, 0], maxLength: 17) == "all")
    #expect(try windows([], maxLength: 5) == "last")
    #expect(try windows([100, 100], maxLength: 5, ["--windows", "last"]) == "last")
    #expect(try windows([3, 3], maxLength: 5, ["--windows", "all"]) == "all")
  }

  @Test func `the loss is the whole softmax up to 12,288 items, a sampled one above`() throws {
    let whole = try resolved([], itemCount: 12_288)
    #expect(whole.configuration["loss"] == "ce" && whole.configuration["negatives"] == .null)
    #expect(whole.resolved(trainCounts: []).form == .crossEntropy)
    let sampled = try resolved([], itemCount: 12_289)
    #expect(sampled.configuration["loss"] == "sampled-softmax")
    #expect(sampled.configuration["negatives"] == 4096)
    #expect(sampled.resolved(trainCounts: []).form == .sampledSoftmax(negativeCount: 4096))
  }

  /// Words, negatives and calibration of the manifest, and the form.
  static let forms: [([String], JSONValue, JSONValue, NextItemLoss.Form)] = [
    (["--loss", "ce"], .null, .null, .crossEntropy),
    (["--loss", "bce"], 1, .null, .binary(negativeCount: 1)),
    (["--loss", "bce", "--negatives", "3"], 3, .null, .binary(negativeCount: 3)),
    (["--loss", "gbce"], 128, 0.75, .calibratedBinary(negativeCount: 128, calibration: 0.75)),
    (
      ["--loss", "gbce", "--negatives", "5", "--calibration", "0.1"], 5, 0.1,
      .calibratedBinary(negativeCount: 5, calibration: 0.1)
    ),
    (["--loss", "sampled-softmax"], 4096, .null, .sampledSoftmax(negativeCount: 4096)),
    (
      ["--loss", "sampled-softmax", "--negatives", "9"], 9, .null,
      .sampledSoftmax(negativeCount: 9)
    ),
  ]

  @Test(arguments: forms)
  func `a loss that was chosen stays, and the manifest has the numbers that it uses`(
    words: [String], negatives: JSONValue, calibration: JSONValue, form: NextItemLoss.Form
  ) throws {
    for itemCount in [10, 1_000_000] {
      let options = try resolved(words, itemCount: itemCount)
      #expect(options.configuration["loss"] == JSONValue(words[1]))
      #expect(options.configuration["negatives"] == negatives)
      #expect(options.configuration["calibration"] == calibration)
      #expect(options.resolved(trainCounts: []).form == form)
    }
  }

  @Test func `the precision is the best of the processor, and the manifest says which`() throws {
    let best: ProductPrecision = ProductPrecision.bfloat16.isAvailable ? .bfloat16 : .float32
    let options = try resolved([], itemCount: 10)
    #expect(options.configuration["precision"] == (best == .bfloat16 ? "bfloat16" : "float32"))
    #expect(options.resolved(trainCounts: []).precision == best)
    let exact = try resolved(["--precision", "float32"], itemCount: 10)
    #expect(exact.configuration["precision"] == "float32")
    #expect(exact.resolved(trainCounts: []).precision == .float32)
  }

  // MARK: - Initialisation

  @Test func `the item table starts from vectors where there are some`() {
    var data = ModelData(itemCount: 2)
    #expect(HashInitialization.auto.resolved(data) == .random)
    #expect(HashInitialization.pca.resolved(data) == .pca)
    data.vectors = Matrix(rows: 2, columns: 1, values: [1, 2])
    #expect(HashInitialization.auto.resolved(data) == .pca)
    #expect(HashInitialization.random.resolved(data) == .random)
    #expect(HashInitialization.auto.needs == .itemVectorsIfPresent)
    #expect(HashInitialization.pca.needs == .itemVectors && HashInitialization.random.needs == [])
  }
}
