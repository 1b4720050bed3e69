import Numerics
import Retrieval
import ShardIO

/// Users and items whose scores a reader can compute: small whole numbers multiply and add without rounding.
struct PlantedScores {
  let users: [[Float]]
  let items: [[Float]]

  static func random(users: Int, items: Int, width: Int, _ random: inout SplitMix) -> Self {
    func rows(_ count: Int) -> [[Float]] {
      (0..<count).map { _ in (0..<width).map { _ in Float(random.next(below: 5)) - 2 } }
    }
    return Self(users: rows(users), items: rows(items))
  }

  /// The rows as a matrix; an empty one takes its width from the other.
  private func matrix(_ rows: [[Float]]) -> Matrix {
    let width = users.first?.count ?? items.first?.count ?? 0
    return Matrix(rows: rows.count, columns: width, values: rows.flatMap { $0 })
  }

  var userMatrix: Matrix { matrix(users) }
  var itemMatrix: Matrix { matrix(items) }

  /// The score in double precision.
  func score(user: Int, item: Int) -> Double {
    zip(users[user], items[item]).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  /// The mid-rank by its definition.
  func definition(user: Int, target: Int, among others: Set<Int>) -> Double {
    let own = score(user: user, item: target)
    let scores = others.subtracting([target]).map { score(user: user, item: $0) }
    return 1 + Double(scores.filter { $0 > own }.count)
      + Double(scores.filter { $0 == own }.count) / 2
  }

  /// All items but some, best first, by a full sort.
  func sortedItems(user: Int, without excluded: [UInt32]) -> [UInt32] {
    let left = (0..<items.count).filter { !excluded.contains(UInt32($0)) }
    let scores = (0..<items.count).map { score(user: user, item: $0) }
    let sorted = left.sorted { a, b in
      scores[a] == scores[b] ? a < b : scores[a] > scores[b]
    }
    return sorted.map { UInt32($0) }
  }

  func ranks(targets: [UInt32], excluded: [[UInt32]]? = nil, threads: Int = 1) -> [Double] {
    midRanks(
      users: userMatrix, items: itemMatrix, targets: targets,
      excluded: RaggedArray(excluded ?? users.map { _ in [] }), threads: threads)
  }

  func ranks(targets: [UInt32], candidates: [[UInt32]], threads: Int = 1) -> [Double] {
    midRanks(
      users: userMatrix, items: itemMatrix, targets: targets, candidates: RaggedArray(candidates),
      threads: threads)
  }
}

/// A small random sequence that is the same on every machine (Steele, Lea and Flood 2014).
struct SplitMix {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next(below limit: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ (z >> 31)) >> 33) % limit
  }

  /// A number in [−1, 1).
  mutating func nextUnit() -> Float { Float(next(below: 1 << 24)) / Float(1 << 23) - 1 }
}
