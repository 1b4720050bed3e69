public import Dataset
internal import Layers
public import Numerics
public import Retrieval
internal import ShardIO
public import Tape
public import Training

/// A model that makes the codes of the next item digit by digit, from the digits of a history.
///
/// The likelihood of an item is the product of the softmaxes over the codes of each level; training sees every event of a user but the
/// first as a target, with the events before it as its history.
public final class CodeGenerator: TrainableRecommender, Sendable {
  /// What a micro-batch leaves for the loss.
  public struct Output {
    /// The scores of the codes of each level, `[N, K]` each.
    let logits: [Tensor]
    /// The true codes of each level, `[N]` each.
    let digits: [[Int32]]
    /// Where the scores are.
    let tape: Tape
  }

  /// Everything that is learned.
  public let store: ParameterStore
  /// The most recent items of a history that are read.
  public let maxLength: Int
  /// The inputs of the products of the layers in training.
  public let precision: ProductPrecision
  /// Prefixes that go on after each digit.
  let beamWidth: Int
  let codes: ItemCodes
  let trie: CodeTrie
  let decoder: CodeDecoder
  private let encoder: HistoryEncoder
  /// A row for each code of each level, and one before the first digit, `[Σ K + 1, d]`.
  private let table: EmbeddingTable
  /// The rows of the codes of each item, `[I · C]`.
  private let rows: [UInt32]
  /// The output embedding of each level, `[K, d]`.
  private let outputs: [Parameter]
  private let dropout: Float

  /// Composes a generator, all zeros.
  ///
  /// - Parameters:
  ///   - codes: the codes of the catalogue.
  ///   - shape: sizes and dropout of the network.
  ///   - maxLength: the most recent items of a history that are read.
  ///   - beamWidth: prefixes that go on after each digit.
  ///   - precision: of the products of the layers in training.
  init(
    _ codes: ItemCodes, _ shape: GeneratorShape, maxLength: Int, beamWidth: Int,
    precision: ProductPrecision
  ) {
    self.codes = codes
    self.maxLength = maxLength
    self.beamWidth = beamWidth
    self.precision = precision
    dropout = shape.dropout
    trie = CodeTrie(codes: codes.codes, depth: codes.levelCount)
    rows = codes.rows
    store = ParameterStore()
    table = store.addTable(
      "code", rows: codes.levelSizes.reduce(0, +) + 1, width: shape.dimension)
    encoder = HistoryEncoder(shape, tokenLimit: maxLength * codes.levelCount, in: store)
    decoder = CodeDecoder(shape, digitCount: codes.levelCount, in: store)
    outputs = codes.levelSizes.enumerated().map { [store] level, size in
      store.addWeight("output.\(level).weight", size, shape.dimension)
    }
    store.seal()
  }

  /// The digits of an item, C.
  var digitCount: Int { codes.levelCount }

  /// Lists by beam search, and exact likelihoods of candidates.
  public var scoring: Scoring { .lists(self) }

  /// The accuracy of each digit.
  public var diagnostics: Diagnostics {
    var result = Diagnostics()
    result.digits = { [self] in digitReadings($0, targets: $1, threads: $2) }
    return result
  }

  /// Gives every parameter its initial value.
  public func initialize(_ data: ModelData) {
    let random = CounterRandom(seed: data.seed, stream: 0x5354_4152)
    store.initialize(random: random.substream(0))
    let start = Initialization.xavier(fanIn: table.width, fanOut: table.width)
    table.values.set(start.values(table.count * table.width, random.substream(1)))
  }

  // MARK: - Training

  /// Every event of the train part of a user but the first, with those before it.
  public func examples(
    _ sequences: UserSequences, seed: UInt64
  ) -> any ExampleSource<GeneratorBatch> {
    GeneratorExamples(
      sequences, maxLength: maxLength, digitCount: digitCount, seed: seed)
  }

  /// Lists of every validation target, with the history excluded unless the log keeps repeated items.
  public func validation(
    _ sequences: UserSequences, userCount: Int?, seed: UInt64, threads: Int
  ) -> any ValidationTask {
    NextItemValidation(
      sequences, userCount: userCount, seed: seed, scoring: scoring, itemCount: codes.count,
      threads: threads)
  }

  /// The cross entropy of the digits.
  public func objectives() -> [any Objective<GeneratorBatch, Output>] { [DigitObjective()] }

  /// The forward pass of training.
  public func forward(
    _ microBatch: GeneratorBatch, on tape: Tape, random: CounterRandom
  ) -> Output {
    let history = encode(microBatch.histories, on: tape)
    let each = PackedSequences(
      offsets: (0...UInt32(microBatch.targets.count)).map { $0 * UInt32(digitCount) })
    return Output(
      logits: logits(microBatch.targets, readers: each, history, on: tape),
      digits: (0..<digitCount).map { level in
        microBatch.targets.map { Int32(codes.codes[Int($0) * digitCount + level]) }
      }, tape: tape)
  }

  // MARK: - Network

  /// What the decoder reads of some histories.
  func encode(_ histories: [ArraySlice<UInt32>], on tape: Tape) -> CodeDecoder.History {
    var (tokens, offsets): ([UInt32], [UInt32]) = ([], [0])
    for history in histories {
      for item in history.suffix(maxLength) { tokens += codeRows(of: item) }
      offsets.append(UInt32(tokens.count))
    }
    let sequences = PackedSequences(offsets: offsets)
    let embedded = tape.embed(table, tokens, scale: 1, positions: nil, rate: dropout)
    let states = encoder.encode(embedded, sequences: sequences, on: tape)
    return decoder.history(states, sequences: sequences, on: tape)
  }

  /// The scores of all codes at each digit of some items, given the true digits before it.
  ///
  /// - Parameters:
  ///   - items: the items, `[N]`.
  ///   - readers: which of their `N · C` digits read each history.
  ///   - history: the histories.
  ///   - tape: where the operations go.
  /// - Returns: `[N, K]` for each level.
  func logits(
    _ items: [UInt32], readers: PackedSequences, _ history: CodeDecoder.History, on tape: Tape
  ) -> [Tensor] {
    let count = digitCount
    let before = items.flatMap { [startRow] + codeRows(of: $0).dropLast() }
    let ids = PositionIDs(
      indices: items.flatMap { _ in 0..<UInt32(count) }, table: decoder.positions)
    let tokens = tape.embed(table, before, scale: 1, positions: ids, rate: dropout)
    let each = PackedSequences(offsets: (0...UInt32(items.count)).map { $0 * UInt32(count) })
    let states = decoder.decode(tokens, items: each, readers: readers, history, on: tape)
    return (0..<count).map { level in
      let own = items.indices.map { UInt32($0 * count + level) }
      return tape.linear(count == 1 ? states : tape.rows(states, own), outputs[level])
    }
  }

  /// The logarithms of the probabilities of the codes of a level after some prefixes.
  ///
  /// - Parameters:
  ///   - level: the level.
  ///   - last: the last digit of each prefix; nil before the first level.
  ///   - count: the prefixes, N.
  ///   - memory: what the decoder remembers of the digits before.
  ///   - readers: which of the prefixes read each history.
  ///   - history: the histories.
  ///   - tape: where the operations go; it does not record.
  /// - Returns: `[N, K]`, and what the decoder remembers now.
  func step(
    _ level: Int, last: [Int]?, count: Int, memory: [[Float]], readers: PackedSequences,
    _ history: CodeDecoder.History, on tape: Tape
  ) -> (logProbabilities: Tensor, memory: [[Float]]) {
    let first = level > 0 ? codes.firstRow(of: level - 1) : 0
    let tokens =
      last.map { $0.map { UInt32(first + $0) } } ?? Array(repeating: startRow, count: count)
    let ids = PositionIDs(
      indices: Array(repeating: UInt32(level), count: count), table: decoder.positions)
    let embedded = tape.embed(table, tokens, scale: 1, positions: ids, rate: 0)
    let (states, grown) = decoder.step(
      embedded, memory: memory, readers: readers, history, on: tape)
    let logits = tape.linear(states, outputs[level])
    tape.takeLogSoftmax(logits)
    return (logits, grown)
  }

  private var startRow: UInt32 { UInt32(table.count - 1) }

  private func codeRows(of item: UInt32) -> ArraySlice<UInt32> {
    rows[Int(item) * digitCount..<(Int(item) + 1) * digitCount]
  }
}

/// The cross entropy of the digits of the targets, mean over targets and digits, in nats.
private final class DigitObjective: Objective {
  let name = "recommendation"

  func evaluate(
    _ batch: GeneratorBatch, _ outputs: [CodeGenerator.Output], _ context: StepContext
  ) -> Double {
    let count = batch.targets.count * batch.digitCount
    // Each output has a tape of its own.
    nonisolated(unsafe) let outputs = outputs
    let sums = parallelMap(outputs.count, threads: context.threads) { index in
      let output = outputs[index]
      return zip(output.logits, output.digits).reduce(0.0) {
        $0 + output.tape.addClassification($1.0, classes: $1.1, factor: 1 / Float(count))
      }
    }
    return sums.reduce(0, +) / Double(count)
  }
}
