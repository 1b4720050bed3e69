import ArgumentParser
import CommandSupport
import Dataset
import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Models

/// Prefixes of codes, where they are what wins.
@Suite struct PGSIDTests {
  private static func codes(_ sizes: [Int], _ tuples: [[UInt16]]) -> ItemCodes {
    var usage: [UInt32] = []
    for (level, size) in sizes.enumerated() {
      usage += (0..<size).map { code in UInt32(tuples.count { $0[level] == UInt16(code) }) }
    }
    return ItemCodes(
      levelSizes: sizes, codes: tuples.flatMap { $0 }, codebooks: [], width: 0, usage: usage,
      center: [])
  }

  /// After an item come three others with shares of .46, .27 and .27, the last two with one first code: the first codes' shares and the
  /// second codes' make a fourth item the best, which never comes.
  @Test(arguments: [1, 2] as [UInt64])
  func `prefixes tell which codes go together, and codes alone do not`(seed: UInt64) throws {
    let tuples = (0..<16).map { [UInt16($0 / 4), UInt16($0 % 4)] }
    func item(_ first: Int, _ second: Int) -> Int { 4 * first + second }
    func following(_ asked: Int) -> [Int] {
      let (a, b) = (asked % 2, asked / 2 % 2)
      return [item(a, b), item(1 - a, 2), item(1 - a, 3)]
    }
    let trained = (8..<16).flatMap { asked in
      zip(following(asked), [12, 7, 7]).flatMap { next, times in
        [[Int]](repeating: [asked, next], count: times)
      }
    }
    let shop = PlantedShop(
      itemCount: 16, trained: trained, asked: (8..<16).map { [$0, following($0)[0]] },
      codes: Self.codes([4, 4], tuples))
    let words = ["--dimension", "32", "--max-length", "4", "--layers", "1"]
    let prefixes = try shop.accuracy(PGSID.self, words, epochs: 120, seed: seed)
    let codes = try shop.accuracy(SIDOnly.self, words, epochs: 120, seed: seed)
    #expect(prefixes > 0.8 && codes < 0.3, "\(prefixes) \(codes)")
  }

  @Test func `a number of rows that the table has not is refused before memory is taken`() throws {
    try withTemporaryDirectory { directory in
      let world = try ContractWorld(in: directory.appending("data"))
      var options = try PGSID.Options.parse(["--dimension", "8"])
      options.resolve(world.data)
      let model = try PGSID.build(options, world.data)
      var stage = try StageOutput(directory: directory.appending("out"), stage: "train")
      for table in model.store.savedTables { try stage.write(table) }
      var configuration = options.configuration
      configuration["model"] = "pg-sid"
      configuration["prefixRows"] = 256
      try stage.commit(configuration: configuration, inputs: [], counters: [:])
      let input = try StageInput(directory: directory.appending("out"), expecting: "train")
      let error = #expect(throws: PipelineError.self) {
        try TrainedModel(input, itemCount: ContractWorld.itemCount, codes: world.codes)
      }
      // Six first codes and 24 pairs: 128 rows.
      #expect(error?.kind == .dataFormat)
      #expect("\(error, default: "")".contains("found 128 rows, expected 256"))
    }
  }

  @Test func `prefixes are rows of their own as far as the table allows`() {
    let tuples = (0..<64).map { (item: Int) -> [UInt16] in
      [item / 16, item / 4 % 4, item % 4].map { UInt16($0) }
    }
    let codes = Self.codes([4, 4, 4], tuples)
    // 4 + 16 + 64 different prefixes.
    #expect(PrefixRows.size(for: codes) == 512)
    let prefixes = PrefixRows(count: 512)
    let rows = prefixes.rows(of: codes)
    #expect(rows.count == 192 && rows.allSatisfy { $0 < 512 })
    // Items with one prefix share its row, and other ones seldom do.
    #expect(rows[0] == rows[3 * 15] && rows[1] == rows[3 * 3 + 1])
    #expect(Set(rows).count > 70)
    #expect(Set(PrefixRows(count: 1).rows(of: codes)) == [0])
    // The same numbers are other prefixes at other lengths, and rows do not depend on the other items.
    let single = Self.codes([4, 4, 4], [[1, 2, 3]])
    #expect(prefixes.rows(of: single) == Array(rows[3 * 27..<3 * 28]))
  }
}
