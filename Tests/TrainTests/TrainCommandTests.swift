import ArgumentParser
import Dataset
import Models
import Numerics
import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Train

/// What the program refuses, and what it leaves behind.
@Suite struct TrainCommandTests {
  private static let required = ["--data", "1", "--codes", "2", "--output", "3"]

  /// Options and the message that refuses them.
  static let refused: [([String], String)] = [
    (
      ["--attention", "bidirectional"],
      "'--attention bidirectional' shows every position its own target; add '--targets last'."
    ),
    (
      ["--cross", "plain", "--gate", "user"],
      "'--gate user' shows every position the last item; add '--targets last'."
    ),
    (
      ["--dimension", "50", "--heads", "4"],
      "'--dimension' must be a multiple of '--heads', not 50."
    ),
    (["--dimension", "1"], "'--dimension' must be from 2 to 4096, not 1."),
    (
      ["--dimension", "6", "--cross", "residual"],
      "'--dimension' must be a multiple of '--cross-heads', too, not 6."
    ),
    (["--dimension", "0"], "'--dimension' must be from 2 to 4096, not 0."),
    (["--max-length", "0"], "'--max-length' must be from 1 to 10000, not 0."),
    (["--dropout", "1"], "'--dropout' must be from 0 to below 1, not 1.0."),
    (["--attention-dropout=-0.1"], "'--attention-dropout' must be from 0 to below 1, not -0.1."),
    (["--learning-rate", "0"], "'--learning-rate' must be from 1e-12 to 10.0, not 0.0."),
    (["--learning-rate", "nan"], "'--learning-rate' must be from 1e-12 to 10.0, not nan."),
    (["--epochs", "0"], "'--epochs 0' carries over an earlier model; it needs '--start-from'."),
    (["--epochs=-1"], "'--epochs' must be from 0 to 100000, not -1."),
    (["--start-from", "4"], "'--start-from' and '--start-data' need one another."),
    (["--batch-size=-1"], "'--batch-size' must be from 1 to 65536, not -1."),
    (
      ["--loss", "ce", "--negatives", "5"],
      "'--loss ce' has no use for '--negatives'; leave it out."
    ),
    (["--negatives", "5"], "'--loss auto' has no use for '--negatives'; leave it out."),
    (["--calibration", "0.5"], "'--loss auto' has no use for '--calibration'; leave it out."),
    (
      ["--loss", "gbce", "--calibration", "1.5"],
      "'--calibration' must be from 0.0 to 1.0, not 1.5."
    ),
    (["--gate", "mean"], "'--cross none' has no use for '--gate'; leave it out."),
    (["--cross-heads", "2"], "'--cross none' has no use for '--cross-heads'; leave it out."),
    (["--msg-weight", "0.1"], "'--cross none' has no use for '--msg-weight'; leave it out."),
    (
      ["--cross", "none", "--msg-temperature", "2"],
      "'--cross none' has no use for '--msg-temperature'; leave it out."
    ),
    (["--view-mask", "low"], "'--cross none' has no use for '--view-mask'; leave it out."),
    (
      ["--cross", "plain", "--msg-weight", "0", "--view-mask", "high"],
      "'--msg-weight 0' has no use for '--view-mask'; leave it out."
    ),
    (
      ["--alignment-weight", "0", "--pairs", "decay"],
      "'--alignment-weight 0' has no use for '--pairs'; leave it out."
    ),
    (
      ["--negatives-power", "0.75"],
      "'--negatives-power' is for '--loss bce' and '--loss sampled-softmax' alone."
    ),
    (
      ["--loss", "gbce", "--negatives-power", "0.75"],
      "'--negatives-power' is for '--loss bce' and '--loss sampled-softmax' alone."
    ),
    (["--ema-decay", "1"], "'--ema-decay' must be from 0.0 to 0.999999999999, not 1.0."),
    (["--checkpoint-steps=-1"], "'--checkpoint-steps' must be from 0 to 1000000000, not -1."),
    (["--loss", "bce", "--negatives", "0"], "'--negatives' must be from 1 to 1000000, not 0."),
    (
      ["--alignment-temperature", "0"],
      "'--alignment-temperature' must be from 0.02 to 100.0, not 0.0."
    ),
  ]

  /// Words of a command line in front of which `model` stands, refused.
  private func requireRefused(_ words: [String], _ message: String) throws {
    let error = try #require(throws: (any Error).self) { try TrainCommand.parseAsRoot(words) }
    #expect(TrainCommand.message(for: error) == message)
    #expect(TrainCommand.exitCode(for: error).rawValue == 64)
  }

  @Test(arguments: refused)
  func `options that cannot work are refused`(options: [String], message: String) throws {
    try requireRefused(["h2rec"] + Self.required + options, message)
    // The first model is also the one without a name.
    try requireRefused(Self.required + options, message)
  }

  /// Options of other models.
  static let foreign = [
    ("sid", "cross", "plain"), ("sid", "gate", "mean"), ("sid", "alignment-weight", "0.2"),
    ("sid", "view-mask", "low"), ("sid", "hash-init", "pca"), ("sasrec", "cross", "plain"),
    ("gru4rec", "heads", "2"), ("tiger", "loss", "bce"),
  ]

  @Test(arguments: foreign)
  func `an option of another model is none of this one`(
    model: String, option: String, value: String
  ) throws {
    let codes = ["sid", "tiger"].contains(model) ? ["--codes", "2"] : []
    let error = try #require(throws: (any Error).self) {
      try TrainCommand.parseAsRoot(
        [model, "--data", "1", "--output", "3", "--\(option)", value] + codes)
    }
    #expect(TrainCommand.message(for: error).hasPrefix("Unknown option '--\(option)'"))
    #expect(TrainCommand.exitCode(for: error).rawValue == 64)
  }

  @Test func `rounded products need a processor that has them`() throws {
    let words = Self.required + ["--precision", "bfloat16"]
    if ProductPrecision.bfloat16.isAvailable {
      _ = try TrainCommand.parseAsRoot(words)
    } else {
      try requireRefused(
        words, "'--precision bfloat16' needs a processor with AVX-512 and bfloat16.")
    }
  }

  @Test func `a model with codes needs their directory, another one has no use for it`() throws {
    for model in ["h2rec", "sid", "tiger"] {
      try requireRefused(
        [model, "--data", "1", "--output", "3"], "'\(model)' needs '--codes DIR'.")
    }
    try requireRefused(["--data", "1", "--output", "3"], "'h2rec' needs '--codes DIR'.")
    for model in ["sasrec", "gru4rec"] {
      _ = try TrainCommand.parseAsRoot([model, "--data", "1", "--output", "3"])
      try requireRefused(
        [model] + Self.required, "'\(model)' has no use for '--codes'; leave it out.")
    }
  }

  @Test(arguments: [
    ["--attention", "bidirectional", "--targets", "last"],
    ["--cross", "plain", "--gate", "user", "--targets", "last"],
    ["--loss", "bce", "--negatives-power", "0.75"],
    ["--loss", "sampled-softmax", "--negatives-power", "0.75"],
    ["--loss", "gbce", "--calibration", "0.5"],
    ["--cross", "plain", "--gate", "position", "--cross-heads", "2"],
    ["--cross", "scaled", "--gate", "mean", "--msg-weight", "0"],
    ["--dimension", "48", "--heads", "4"], ["--dimension", "50"],
    ["--learning-rate", "10", "--alignment-weight", "0"], ["--ema-decay", "0.999"],
    ["--attention-dropout", "0"],
  ])
  func `their neighbours are accepted`(options: [String]) throws {
    let command = try TrainCommand.parseAsRoot(Self.required + options)
    #expect(command is ModelCommand<H2Rec>)
  }

  // MARK: - Whole runs of the ID-only model

  /// A finished stage 1 with the planted shop, or other histories in it.
  private func writeShop(_ directory: FilePath, sequences: UserSequences? = nil) throws {
    let world = PlantedWorld()
    let items = 0..<world.itemCount
    var stage = try StageOutput(directory: directory, stage: "preprocess")
    let catalogue = Catalogue(
      itemIDs: items.map { "i\($0)" }, titles: items.map { "Item \($0)" },
      categories: items.map { _ in [] }, texts: items.map { _ in "" },
      trainCounts: items.map { _ in 12 }, isHead: items.map { $0 < 5 },
      isTail: items.map { $0 >= 5 }, buckets: items.map { _ in PopularityBucket(trainCount: 12) })
    try stage.write((sequences ?? world.sequences).table)
    try stage.write(catalogue.table)
    try stage.commit(configuration: [:], inputs: [], counters: [:])
  }

  private func train(_ directory: FilePath, _ output: String, _ options: [String]) throws {
    let command = try TrainCommand.parseAsRoot(
      [
        "sasrec", "--data", directory.appending("1").string, "--output",
        directory.appending(output).string, "--dimension", "16", "--epochs", "3", "--quiet",
      ] + options)
    try #require(command as? ModelCommand<SASRec>).runStage()
  }

  @Test func `a saved model scores as the trained one, whatever the threads`() throws {
    try withTemporaryDirectory { directory in
      try writeShop(directory.appending("1"))
      try train(directory, "one", ["--hash-init", "random", "--threads", "1"])
      try train(directory, "two", ["--hash-init", "random", "--threads", "2"])
      #expect(
        try contents(of: directory.appending("one")) == contents(of: directory.appending("two")))
      let data = try PreprocessedData(
        StageInput(directory: directory.appending("1"), expecting: "preprocess"))
      let model = try StageInput(directory: directory.appending("one"), expecting: "train")
      let trained = try TrainedModel(model, itemCount: data.catalogue.count, codes: nil)
      #expect(trained.name == "sasrec" && !trained.usesCodes)
      let measured = try #require(trained.model as? SequentialModel).validation(
        data.sequences, userCount: nil, seed: 1, threads: 1)
      let counters = model.manifest.counters
      #expect(try counters["validationNdcg@10"] == JSONValue(#require(measured.ndcg)))
    }
  }

  @Test func `the item table cannot start from vectors that do not exist`() throws {
    try withTemporaryDirectory { directory in
      try writeShop(directory.appending("1"))
      let error = #expect(throws: PipelineError.self) {
        try train(directory, "3", ["--hash-init", "pca"])
      }
      #expect(error?.kind == .configuration)
      #expect(
        error?.message == "there are no item vectors, but the item table starts from them")
      // Where nobody asks for them, it starts without.
      try train(directory, "3", [])
      let input = try StageInput(directory: directory.appending("3"), expecting: "train")
      #expect(input.manifest.configuration["hashInit"] == "random")
    }
  }

  @Test func `options of several levels are refused with codes of one`() throws {
    try withTemporaryDirectory { directory in
      try writeShop(directory.appending("1"))
      let data = try StageInput(directory: directory.appending("1"), expecting: "preprocess")
      let count = PlantedWorld().itemCount
      let codes = ItemCodes(
        levelSizes: [4], codes: (0..<count).map { UInt16($0 % 4) },
        codebooks: [1, 2, 3, 4], width: 1, usage: [6, 6, 6, 6], center: [0])
      var stage = try StageOutput(directory: directory.appending("2"), stage: "tokenize")
      for table in codes.tables { try stage.write(table) }
      try stage.commit(configuration: [:], inputs: [data.reference], counters: [:])
      for (option, value) in [("gate", "mean"), ("view-mask", "low")] {
        let command = try ModelCommand<H2Rec>.parse([
          "--data", directory.appending("1").string, "--codes", directory.appending("2").string,
          "--output", directory.appending("3").string, "--hash-init", "random", "--dimension",
          "16", "--cross", "plain", "--\(option)", value, "--quiet",
        ])
        let error = #expect(throws: PipelineError.self) { try command.runStage() }
        #expect(error?.kind == .configuration)
        #expect(error?.message == "these codes have one level, so '--\(option)' has no use")
      }
    }
  }

  @Test func `histories of one item leave nothing to train, and nothing is written`() throws {
    try withTemporaryDirectory { directory in
      let short = UserSequences(
        userIDs: ["u"], items: RaggedArray([[1, 2, 3]]), times: RaggedArray([[1, 2, 3]]),
        trainEnds: [1], validEnds: [2])
      try writeShop(directory.appending("1"), sequences: short)
      let error = #expect(throws: PipelineError.self) {
        try train(directory, "3", ["--hash-init", "random"])
      }
      #expect(error?.kind == .configuration)
      #expect(
        error?.message == "no user has two train interactions, so there is nothing to predict")
      #expect(try contents(of: directory).keys.allSatisfy { $0.hasPrefix("1/") })
    }
  }
}
