import Dataset
import Numerics
import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Tokenize

/// Vectors around 60 centres, with an id that stays with its vector.
private func shop(_ items: Range<Int>, width: Int = 12) -> (ids: [String], vectors: Matrix) {
  let random = CounterRandom(seed: 17, stream: 0)
  var vectors = Matrix(rows: items.count, columns: width)
  for (row, item) in items.enumerated() {
    for column in 0..<width {
      let centre = random.uniform(UInt64(item % 60 * width + column))
      let noise = random.uniform(UInt64(1_000_000 + item * width + column))
      vectors.values[row * width + column] = Float(3 * centre + noise)
    }
  }
  return (items.map { "i\($0)" }, vectors)
}

/// Residual k-means codes of the leading components.
private func fitted(
  _ vectors: Matrix, _ sizes: String, components: Int = 8, seed: UInt64 = 42,
  start: CodeEncoder? = nil
) throws -> TokenizedItems {
  var learning = Learning(seed: seed, threads: 2)
  learning.start = start
  return try learn(RQKMeans.self, vectors, "--codebooks \(sizes) --pca \(components)", learning)
}

/// The share of items whose whole tuple changed, by the rows they had.
private func churn(_ items: TokenizedItems, _ previous: TokenizedItems, _ rows: [Int?]) -> [Double]
{
  Churn(
    items.codes, levelCount: items.levelSizes.count, ItemCodes(previous), rows: rows,
    catalogue(rows.count)
  ).all.values
}

struct `Code alignment` {
  @Test func `a pure renaming is undone`() throws {
    let original = try fitted(shop(0..<500).vectors, "32,16,8")
    var renamed = original
    let random = CounterRandom(seed: 9, stream: 9)
    for (level, size) in original.levelSizes.enumerated() {
      let names = random.substream(UInt64(level)).permutation(size)
      for item in 0..<500 {
        renamed.codes[3 * item + level] = UInt16(names[Int(original.codes[3 * item + level])])
      }
      for code in 0..<size {
        let columns = original.center.count
        renamed.codebooks[level].values.replaceSubrange(
          names[code] * columns..<(names[code] + 1) * columns,
          with: original.codebooks[level][row: code])
      }
    }
    let rows = (0..<500).map(Optional.init)
    #expect(churn(renamed, original, rows)[0] > 0.8)
    renamed.align(to: original.codes, levelCount: 3, rows: rows)
    #expect(renamed == original)
  }

  @Test func `the codes still belong to their codebooks`() throws {
    let data = shop(0..<300)
    let previous = try fitted(data.vectors, "16,8", seed: 1)
    var items = try fitted(data.vectors, "16,8", seed: 2)
    items.align(to: previous.codes, levelCount: 2, rows: (0..<300).map(Optional.init))
    let encoder = items.encoder
    #expect(encoder.encode(data.vectors, threads: 2).codes == items.codes)
  }

  @Test
  func `a fit on a tenth of new items changes far fewer codes, fewer still from a warm start`()
    throws
  {
    let before = shop(0..<1_000)
    let after = shop(100..<1_100)
    let rows = (100..<1_100).map { $0 < 1_000 ? Optional($0) : nil }
    let previous = try fitted(before.vectors, "32,16")
    let plain = try fitted(after.vectors, "32,16", seed: 5)
    var aligned = plain
    aligned.align(to: previous.codes, levelCount: 2, rows: rows)
    var warm = try fitted(
      after.vectors, "32,16", seed: 5, start: CodeEncoder(ItemCodes(previous)))
    warm.align(to: previous.codes, levelCount: 2, rows: rows)
    let shares = [plain, aligned, warm].map { churn($0, previous, rows)[0] }
    #expect(shares[0] > 0.8 && shares[1] < shares[0] / 2 && shares[2] < shares[0] / 5)
  }

  @Test func `fewer codes than before leave no code out of range`() throws {
    let data = shop(0..<200)
    let previous = try fitted(data.vectors, "32,16,4")
    var items = try fitted(data.vectors, "8,16")
    items.align(to: previous.codes, levelCount: 3, rows: (0..<200).map(Optional.init))
    #expect(items.codes.enumerated().allSatisfy { $0.element < [8, 16][$0.offset % 2] })
  }
}

struct `Churn counts` {
  @Test func `changes of prefixes, in head and tail`() {
    // catalogue(6): items 4 and 5 are head, 0 to 3 are tail.
    let previous = ItemCodes(
      levelSizes: [4, 4], codes: [0, 0, 1, 1, 2, 2, 3, 3],
      codebooks: [Float](repeating: 0, count: 8),
      width: 1, usage: [UInt32](repeating: 1, count: 8), center: [0])
    let rows: [Int?] = [0, 1, nil, 2, 3, nil]
    let codes: [UInt16] = [0, 0, 1, 2, 0, 0, 3, 2, 3, 0, 1, 1]
    let churn = Churn(codes, levelCount: 2, previous, rows: rows, catalogue(6))
    #expect(churn.sharedCount == 4 && churn.addedCount == 2 && churn.removedCount == 0)
    #expect(churn.all.values == [1.0 / 4, 3.0 / 4])
    #expect(churn.head.values == [0, 1])
    #expect(churn.tail.values == [1.0 / 3, 2.0 / 3])
  }
}

struct `A frozen tokenizer` {
  @Test func `is out of date when its error has grown, or known items have moved`() {
    func drift(new: Double, known: Double, moved: Int) -> FrozenEncoding.Drift {
      FrozenEncoding.Drift(
        knownCount: 100, newCount: 5, movedCount: moved, knownError: known, newError: new,
        fitError: 2, limit: 1.5)
    }
    #expect(drift(new: 1, known: 2.2, moved: 10).ratio == 1.1)
    #expect(drift(new: 2.8, known: 2, moved: 0).ratio == 1.4)
    #expect(!drift(new: 2.8, known: 2.8, moved: 10).isRefitAdvised)
    #expect(drift(new: 3.2, known: 2, moved: 0).isRefitAdvised)
    // As many errors among known items as among new ones: the ratio of the two says nothing.
    #expect(drift(new: 9, known: 9, moved: 0).isRefitAdvised)
    #expect(drift(new: 2, known: 2, moved: 11).isRefitAdvised)
  }

  @Test(arguments: [0, 8])
  func `gives stored codes again`(components: Int) throws {
    try withTemporaryDirectory { directory in
      let data = shop(0..<700)
      let items = try fitted(data.vectors, "32,16,8", components: components)
      var stage = try StageOutput(directory: directory.appending("2"), stage: "tokenize")
      for table in ItemCodes(items).tables { try stage.write(table) }
      try stage.commit(configuration: [:], inputs: [], counters: [:])
      let read = try ItemCodes(
        try StageInput(directory: directory.appending("2"), expecting: "tokenize"))
      #expect(read == ItemCodes(items))
      #expect(CodeEncoder(read).encode(data.vectors, threads: 1).codes == read.codes)
    }
  }

  @Test func `keeps the codes of known items and reports the error of new ones`() throws {
    try withTemporaryDirectory { directory in
      let known = shop(0..<300)
      let items = try fitted(known.vectors, "16,8")
      var stage = try StageOutput(directory: directory.appending("2"), stage: "tokenize")
      for table in ItemCodes(items).tables { try stage.write(table) }
      try stage.write(PreviousRun.table(known.ids, nil))
      try stage.commit(configuration: [:], inputs: [], counters: [:])
      let previous = try PreviousRun(directory.appending("2").string)

      // Item 10 moves far away; 50 new items follow, each far from everything.
      var now = shop(0..<350)
      for item in [10] + Array(300..<350) {
        for column in 0..<12 { now.vectors.values[item * 12 + column] += 40 }
      }
      let rows = now.ids.map { previous.rows[$0] }
      let frozen = FrozenEncoding(now.vectors, previous, rows: rows, limit: 1.25, threads: 2)
      #expect(Array(frozen.items.codes.prefix(600)) == items.codes)
      #expect(frozen.drift.knownCount == 300 && frozen.drift.newCount == 50)
      #expect(frozen.drift.movedCount == 1)
      #expect(frozen.drift.ratio > 2)
      #expect(frozen.drift.json["refitAdvised"] == true)
      var report = CodeReport(frozen.items, catalogue(350), now.vectors, threads: 1)
      report.drift = frozen.drift
      #expect(report.markdown.contains("A new fit is advised; the limits are 1.25 and 10.00 % of"))
      #expect(frozen.drift.fitError == frozen.drift.knownError)
      let lenient = FrozenEncoding(
        now.vectors, previous, rows: rows, limit: frozen.drift.ratio * 10, threads: 2)
      #expect(lenient.drift.json["refitAdvised"] == false)
      report.drift = lenient.drift
      #expect(report.markdown.contains("No new fit is needed"))
    }
  }
}
