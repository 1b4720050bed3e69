import ShardIO
import TestSupport

/// Tables of every schema, with the values that formats get wrong: extremes, runs, sorted and empty rows, NaN.
struct RandomTable {
  private var generator: SeededGenerator
  private let rowCount: Int

  /// The table of a seed; it has at most `maximumRowCount` rows.
  static func make(seed: Int, maximumRowCount: Int = 40) -> Table {
    var generator = SeededGenerator(seed: seed)
    let rowCount =
      Bool.random(using: &generator)
      ? Int.random(in: 0...3, using: &generator)
      : Int.random(in: 0...maximumRowCount, using: &generator)
    let columnCount = Int.random(in: 0...6, using: &generator)
    var random = RandomTable(generator: generator, rowCount: rowCount)
    let columns = (0..<columnCount).map { random.column("column-\($0)") }
    return Table(kind: "table_\(seed)", rowCount: rowCount, columns: columns)
  }

  private mutating func column(_ name: String) -> Column {
    switch Int.random(in: 0..<12, using: &generator) {
    case 0: numbers(name, UInt8.self)
    case 1: numbers(name, UInt16.self)
    case 2: numbers(name, UInt32.self)
    case 3: numbers(name, UInt64.self)
    case 4: numbers(name, Int32.self)
    case 5: numbers(name, Int64.self)
    case 6: reals(name) { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) }
    case 7: reals(name) { Double(bitPattern: $0) }
    case 8, 9: .strings(name, (0..<rowCount).map { _ in string() })
    default: .stringLists(name, (0..<rowCount).map { _ in (0..<length()).map { _ in string() } })
    }
  }

  private mutating func numbers<Number: FixedWidthInteger & ShardElement>(
    _ name: String, _ type: Number.Type
  ) -> Column {
    let bits = Int.random(in: 0...Number.bitWidth, using: &generator)
    let isSorted = Bool.random(using: &generator)
    let make: (inout RandomTable, Int) -> [Number] = { random, count in
      let values = (0..<count).map { _ -> Number in
        switch Int.random(in: 0..<20, using: &random.generator) {
        case 0 where bits == Number.bitWidth: .max
        case 1 where bits == Number.bitWidth: .min
        default:
          bits == 0
            ? 7
            : Number.random(in: .min ... .max, using: &random.generator)
              >> (Number.bitWidth - bits)
        }
      }
      return isSorted ? values.sorted() : values
    }
    return column(name, make)
  }

  private mutating func reals<Number: ShardElement>(
    _ name: String, _ number: @escaping (UInt64) -> Number
  ) -> Column {
    column(name) { random, count in (0..<count).map { _ in number(random.generator.next()) } }
  }

  private mutating func column<Number: ShardElement>(
    _ name: String, _ make: (inout RandomTable, Int) -> [Number]
  ) -> Column {
    if Bool.random(using: &generator) {
      let width = Int.random(in: 1...5, using: &generator)
      return .fixed(name, make(&self, rowCount * width), width: width)
    }
    var offsets = [0]
    for _ in 0..<rowCount { offsets.append(offsets[offsets.count - 1] + length()) }
    return .ragged(
      name, RaggedArray(offsets: offsets, values: make(&self, offsets[offsets.count - 1])))
  }

  private mutating func length() -> Int {
    Bool.random(using: &generator) ? 0 : Int.random(in: 0...6, using: &generator)
  }

  private mutating func string() -> String {
    let pieces = ["a", "Ω", "漢", "🧴", "\u{0}", "\"", "\n", "é", "e\u{301}", " ", "\u{10FFFF}"]
    return (0..<length()).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
  }
}
