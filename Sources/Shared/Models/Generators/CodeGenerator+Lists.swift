internal import Dataset
internal import Layers
internal import Numerics
public import Retrieval
public import ShardIO
internal import Tape

extension CodeGenerator: ListScoring {
  /// Prefixes that are decoded at the same time on a thread, at most, unless one user has more; bounds the memory of the beam:
  /// a prefix takes `2 · layers · heads · headWidth` floats for each of its digits, twice.
  static let prefixLimit = 512

  /// How far a list reaches.
  public var listLimit: Int { beamWidth }

  /// The best items of each user by beam search over the tuples of the catalogue.
  ///
  /// Equal scores go by smaller item. A tuple that several items have gives all of them, with one score. With a beam as wide as the
  /// catalogue every item is found, with its exact likelihood.
  public func lists(
    _ histories: RaggedArray<UInt32>, count: Int, excluded: RaggedArray<UInt32>, threads: Int
  ) -> TopItems {
    let blocks = ranges(histories.count, of: max(1, Self.prefixLimit / max(1, beamWidth)))
    let tapes = TapePool(parameters: store.values)
    let found = parallelMap(blocks.count, threads: threads) { number in
      tapes.withTape { tape in
        self.search(
          blocks[number].map { histories[$0] }, count: count,
          excluded: blocks[number].map { Set(excluded[$0]) }, on: tape)
      }
    }
    var (items, scores) = (RaggedArray<UInt32>(), RaggedArray<Float>())
    for list in found.joined() {
      items.append(contentsOf: list.map(\.item))
      scores.append(contentsOf: list.map(\.score))
    }
    return TopItems(items: items, scores: scores)
  }

  /// The logarithm of the likelihood of each candidate.
  public func scores(
    _ histories: RaggedArray<UInt32>, candidates: RaggedArray<UInt32>, threads: Int
  ) -> RaggedArray<Float> {
    let blocks = Self.blocks(of: candidates, limit: Self.prefixLimit)
    let tapes = TapePool(parameters: store.values)
    let values = parallelMap(blocks.count, threads: threads) { number in
      tapes.withTape { tape in
        self.likelihoods(blocks[number], histories, candidates, on: tape)
      }
    }
    return RaggedArray(offsets: candidates.offsets, values: values.flatMap(\.self))
  }

  // MARK: - Beam

  /// A prefix that is on the beam.
  private struct Prefix {
    let user: Int
    /// Its node in the trie.
    let node: Int
    let score: Float
    /// Its place among the prefixes before.
    let parent: Int
  }

  private func search(
    _ histories: [ArraySlice<UInt32>], count: Int, excluded: [Set<UInt32>], on tape: Tape
  ) -> [[(item: UInt32, score: Float)]] {
    guard trie.nodeCount(at: 0) > 0 else { return histories.map { _ in [] } }
    let encoded = encodedHistories(histories, on: tape)
    var beam = histories.indices.map { Prefix(user: $0, node: 0, score: 0, parent: 0) }
    var memory = [[Float]](repeating: [], count: decoder.blockCount)
    for level in 0..<digitCount {
      let candidates = extend(beam, level, &memory, encoded, excluded, on: tape)
      let count = beam.count
      beam = candidates.flatMap(best)
      memory = memory.map { Self.gathered($0, beam.map(\.parent), of: count) }
    }
    var lists = [[(item: UInt32, score: Float)]](repeating: [], count: histories.count)
    for prefix in beam {
      lists[prefix.user] += trie.items(of: prefix.node)
        .filter { !excluded[prefix.user].contains($0) }.map { ($0, prefix.score) }
    }
    return lists.map { list in
      Array(
        list.sorted { $0.score > $1.score || ($0.score == $1.score && $0.item < $1.item) }
          .prefix(count))
    }
  }

  /// All prefixes that are one digit longer, by user; `memory` gets that digit's rows, in the order of `beam`.
  private func extend(
    _ beam: [Prefix], _ level: Int, _ memory: inout [[Float]], _ encoded: EncodedHistories,
    _ excluded: [Set<UInt32>], on tape: Tape
  ) -> [[Prefix]] {
    var candidates = [[Prefix]](repeating: [], count: excluded.count)
    var grown = [[Float]](repeating: [], count: memory.count)
    for block in ranges(beam.count, of: Self.prefixLimit) {
      tape.begin(recording: false, randomness: nil)
      let users = beam[block.lowerBound].user..<beam[block.upperBound - 1].user + 1
      let last =
        level == 0 ? nil : beam[block].map { trie.digit(of: $0.node, at: level) }
      let (scores, now) = step(
        level, last: last, count: block.count,
        memory: memory.map { Self.rows($0, block, of: beam.count) },
        readers: Self.readers(beam[block].map(\.user), users: users),
        encoded.history(of: users, on: tape), on: tape)
      for (number, values) in now.enumerated() { grown[number] += values }
      let (columns, values) = (scores.columns, scores.array)
      for (row, place) in block.enumerated() {
        let prefix = beam[place]
        for child in trie.children(of: prefix.node, at: level) {
          if level == digitCount - 1,
            trie.items(of: child).allSatisfy(excluded[prefix.user].contains)
          {
            continue
          }
          candidates[prefix.user].append(
            Prefix(
              user: prefix.user, node: child,
              score: prefix.score + values[row * columns + trie.digit(of: child, at: level + 1)],
              parent: place))
        }
      }
    }
    memory = grown
    return candidates
  }

  /// The best candidates of a user, in the order of their nodes; equal scores by smaller node.
  private func best(_ candidates: [Prefix]) -> [Prefix] {
    guard candidates.count > beamWidth else { return candidates }
    let kept = candidates.sorted {
      $0.score > $1.score || ($0.score == $1.score && $0.node < $1.node)
    }
    return kept.prefix(beamWidth).sorted { $0.node < $1.node }
  }

  // MARK: - Given candidates

  private func likelihoods(
    _ block: [(user: Int, members: Range<Int>)], _ histories: RaggedArray<UInt32>,
    _ candidates: RaggedArray<UInt32>, on tape: Tape
  ) -> [Float] {
    tape.begin(recording: false, randomness: nil)
    let items = block.flatMap { part in
      part.members.map { candidates.values[$0] }
    }
    var offsets: [UInt32] = [0]
    for part in block {
      offsets.append(offsets[offsets.count - 1] + UInt32(part.members.count * digitCount))
    }
    let logits = logits(
      items, readers: PackedSequences(offsets: offsets),
      encode(block.map { histories[$0.user] }, on: tape), on: tape)
    var sums = [Float](repeating: 0, count: items.count)
    for (level, scores) in logits.enumerated() {
      tape.takeLogSoftmax(scores)
      let (columns, values) = (scores.columns, scores.array)
      for (row, item) in items.enumerated() {
        sums[row] += values[row * columns + Int(codes.codes[Int(item) * digitCount + level])]
      }
    }
    return sums
  }

  /// Neighbouring candidates, about `limit` together: the users and their places among all candidates.
  private static func blocks(
    of candidates: RaggedArray<UInt32>, limit: Int
  ) -> [[(user: Int, members: Range<Int>)]] {
    var blocks: [[(user: Int, members: Range<Int>)]] = []
    var (block, size): ([(user: Int, members: Range<Int>)], Int) = ([], 0)
    for user in 0..<candidates.count {
      var first = candidates.offsets[user]
      while first < candidates.offsets[user + 1] {
        let end = min(candidates.offsets[user + 1], first + limit - size)
        block.append((user, first..<end))
        size += end - first
        first = end
        if size == limit {
          blocks.append(block)
          (block, size) = ([], 0)
        }
      }
    }
    return block.isEmpty ? blocks : blocks + [block]
  }

  // MARK: - Digits

  /// How well each digit of some targets is predicted where the digits before it are known.
  func digitReadings(
    _ histories: RaggedArray<UInt32>, targets: [UInt32], threads: Int
  ) -> [DigitReading] {
    let blocks = ranges(targets.count, of: Self.prefixLimit / 4)
    let tapes = TapePool(parameters: store.values)
    let found = parallelMap(blocks.count, threads: threads) { number in
      tapes.withTape { self.digitRanks(histories, targets, blocks[number], on: $0) }
    }
    return (0..<digitCount).map { level in
      let ranks = found.flatMap { $0[level] }
      let count = Double(max(1, ranks.count))
      return DigitReading(
        accuracy: Double(ranks.count { $0 == 1 }) / count, meanRank: ranks.reduce(0, +) / count)
    }
  }

  /// For each level the mid-ranks of the true digits of a block of targets.
  private func digitRanks(
    _ histories: RaggedArray<UInt32>, _ targets: [UInt32], _ block: Range<Int>, on tape: Tape
  ) -> [[Double]] {
    tape.begin(recording: false, randomness: nil)
    let readers = PackedSequences(
      offsets: (0...UInt32(block.count)).map { $0 * UInt32(digitCount) })
    let logits = logits(
      Array(targets[block]), readers: readers, encode(block.map { histories[$0] }, on: tape),
      on: tape)
    return logits.enumerated().map { level, scores in
      let (columns, values) = (scores.columns, scores.array)
      return block.enumerated().map { row, place in
        let own = values[
          row * columns + Int(codes.codes[Int(targets[place]) * digitCount + level])]
        var (greater, equal) = (0, -1)
        for score in values[row * columns..<(row + 1) * columns] {
          if score > own { greater += 1 } else if score == own { equal += 1 }
        }
        return 1 + Double(greater) + Double(equal) / 2
      }
    }
  }

  // MARK: - Memory

  /// Encoded histories outside of a tape.
  private struct EncodedHistories {
    let keyValues: [[Float]]
    let width: Int
    let offsets: [UInt32]

    /// Those of some users on a tape.
    func history(of users: Range<Int>, on tape: Tape) -> CodeDecoder.History {
      let tokens = Int(offsets[users.lowerBound])..<Int(offsets[users.upperBound])
      return CodeDecoder.History(
        keyValues: keyValues.map {
          tape.tensor(
            rows: tokens.count, columns: width,
            values: Array($0[tokens.lowerBound * width..<tokens.upperBound * width]))
        },
        sequences: PackedSequences(
          offsets: offsets[users.lowerBound...users.upperBound].map {
            $0 - offsets[users.lowerBound]
          }))
    }
  }

  private func encodedHistories(
    _ histories: [ArraySlice<UInt32>], on tape: Tape
  ) -> EncodedHistories {
    tape.begin(recording: false, randomness: nil)
    let history = encode(histories, on: tape)
    return EncodedHistories(
      keyValues: history.keyValues.map(\.array), width: history.keyValues[0].columns,
      offsets: history.sequences.offsets)
  }

  /// Which prefixes, sorted by user, belong to each of some users.
  private static func readers(_ users: [Int], users range: Range<Int>) -> PackedSequences {
    var offsets: [UInt32] = [0]
    var place = 0
    for user in range {
      while place < users.count, users[place] == user { place += 1 }
      offsets.append(UInt32(place))
    }
    return PackedSequences(offsets: offsets)
  }

  /// The rows of some of `count` prefixes.
  private static func rows(_ memory: [Float], _ block: Range<Int>, of count: Int) -> [Float] {
    let width = memory.count / max(1, count)
    return Array(memory[block.lowerBound * width..<block.upperBound * width])
  }

  /// The rows of the parents of new prefixes, among those of `count`.
  private static func gathered(_ memory: [Float], _ parents: [Int], of count: Int) -> [Float] {
    let width = memory.count / max(1, count)
    var result: [Float] = []
    result.reserveCapacity(parents.count * width)
    for parent in parents { result += memory[parent * width..<(parent + 1) * width] }
    return result
  }
}
