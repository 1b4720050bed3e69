import Dataset
import ShardIO
import SystemPackage
import TestSupport
import Testing

/// What a stage writes and a later one reads.
struct `Outputs of the stages` {
  private func written(
    _ tables: [Table], in directory: FilePath, stage: String = "preprocess"
  ) throws -> StageInput {
    var output = try StageOutput(directory: directory, stage: stage)
    for table in tables { try output.write(table) }
    try output.commit(configuration: [:], inputs: [], counters: [:])
    return try StageInput(directory: directory, expecting: stage)
  }

  private let sequences = UserSequences(
    userIDs: ["u", "ü"], items: RaggedArray([[0, 1, 2, 0], [2]]),
    times: RaggedArray([[1, 2, 3, 4], [-5]]), trainEnds: [2, 1], validEnds: [3, 1])
  private let catalogue = Catalogue(
    itemIDs: ["a", "b", "c"], titles: ["A", "", "Č"], categories: [["x", "y"], [], [""]],
    texts: ["A. x", "", "Č"], trainCounts: [1, 12, 0], isHead: [false, true, false],
    isTail: [true, false, true], buckets: [.upTo9, .upTo29, .cold])
  private let vectors = ItemVectors(values: [1, 2, 3, 4, 5, 6], width: 2)

  @Test func `preprocessed data is read as it was written`() throws {
    try withTemporaryDirectory { directory in
      let input = try written([sequences.table, catalogue.table, vectors.table], in: directory)
      let data = try PreprocessedData(input)
      #expect(
        data == PreprocessedData(sequences: sequences, catalogue: catalogue, vectors: vectors))
      #expect(try PreprocessedData(input, includesVectors: false).vectors == nil)
    }
  }

  @Test func `ties of held-out events are read as they were written, and must fit the histories`()
    throws
  {
    var tied = sequences
    tied.heldOutTies = RaggedArray([[0, 1], []])
    try withTemporaryDirectory { directory in
      let input = try written([tied.table, catalogue.table], in: directory)
      let read = try PreprocessedData(input).sequences
      #expect(read == tied)
      #expect(read.sharesTime(of: 0, event: 2) == false)
      #expect(read.sharesTime(of: 0, event: 3) == true)
      #expect(sequences.sharesTime(of: 0, event: 3) == nil)
    }
    tied.heldOutTies = RaggedArray([[0], [1]])
    try withTemporaryDirectory { directory in
      let input = try written([tied.table, catalogue.table], in: directory)
      let error = #expect(throws: PipelineError.self) { try PreprocessedData(input) }
      #expect(error?.kind == .dataFormat)
    }
  }

  @Test func `the parts of a history are its train, valid and test events`() {
    #expect(Array(sequences.train(of: 0)) == [0, 1])
    #expect(Array(sequences.validTargets(of: 0)) == [2])
    #expect(Array(sequences.testTargets(of: 0)) == [0])
    #expect(Array(sequences.train(of: 1)) == [2])
    #expect(sequences.validTargets(of: 1).isEmpty && sequences.testTargets(of: 1).isEmpty)
  }

  @Test func `pairs and negatives are read as they were written`() throws {
    let pairs = PositivePairs(
      neighbours: RaggedArray([[1], [0, 2], []]), weights: RaggedArray([[1], [0.3, 0.5], []]))
    let negatives = EvaluationNegatives(users: [0], negatives: RaggedArray([[1, 2]]))
    try withTemporaryDirectory { directory in
      let input = try written([pairs.table(.ppmi), negatives.table(.popular)], in: directory)
      #expect(try PositivePairs(input, .ppmi) == pairs)
      #expect(try EvaluationNegatives(input, .popular, itemCount: 3, userCount: 1) == negatives)
      #expect(throws: PipelineError.self) { try PositivePairs(input, .decay) }
      #expect(throws: PipelineError.self) {
        try EvaluationNegatives(input, .popular, itemCount: 2, userCount: 1)
      }
      #expect(throws: PipelineError.self) {
        try EvaluationNegatives(input, .popular, itemCount: 3, userCount: 0)
      }
    }
  }

  @Test func `codes are read as they were written`() throws {
    let codes = ItemCodes(
      levelSizes: [2, 3], codes: [0, 2, 1, 0, 1, 1], codebooks: (0..<10).map { Float($0) },
      width: 2, usage: [1, 2, 1, 1, 1], center: [0.5, -0.5])
    try withTemporaryDirectory { directory in
      let input = try written(codes.tables, in: directory, stage: "tokenize")
      #expect(try ItemCodes(input) == codes)
    }
    #expect(codes.count == 3 && codes.levelCount == 2)
    #expect(Array(codes.tuple(of: 1)) == [1, 0])
    #expect(codes.firstRow(of: 1) == 2)
  }

  @Test func `an item beyond the catalogue is refused`() throws {
    var wrong = sequences
    wrong.items = RaggedArray([[0, 1, 3, 0], [2]])
    try expectRefusal([wrong.table, catalogue.table])
  }

  @Test func `a split beyond the history is refused`() throws {
    var wrong = sequences
    wrong.validEnds = [5, 1]
    try expectRefusal([wrong.table, catalogue.table])
    wrong.validEnds = [1, 1]
    try expectRefusal([wrong.table, catalogue.table])
  }

  @Test func `vectors for other items are refused`() throws {
    try expectRefusal([
      sequences.table, catalogue.table, ItemVectors(values: [1, 2], width: 2).table,
    ])
  }

  private func expectRefusal(_ tables: [Table]) throws {
    try withTemporaryDirectory { directory in
      let input = try written(tables, in: directory)
      do throws(PipelineError) {
        _ = try PreprocessedData(input)
        Issue.record("it was read")
      } catch {
        #expect(error.kind == .dataFormat)
      }
    }
  }

  @Test(arguments: [
    (0, "cold"), (1, "1-9"), (9, "1-9"), (10, "10-29"), (29, "10-29"), (30, "30-59"), (59, "30-59"),
    (60, "60-99"), (99, "60-99"), (100, "100+"), (100_000, "100+"),
  ])
  func `buckets have their limits`(count: Int, label: String) {
    #expect(PopularityBucket(trainCount: count).label == label)
  }
}
