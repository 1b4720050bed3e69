import CKernels
import Numerics
import Retrieval
import Testing

/// Ranks and lists against the exact scores of all pairs.
@Suite struct ScreeningTests {
  static let precisions = ProductPrecision.allCases.filter(\.isAvailable)

  @Test(arguments: ScreenedWorld.all, precisions)
  func `ranks are those of the exact scores`(
    world: ScreenedWorld, precision: ProductPrecision
  ) {
    let expected = (0..<world.users.rows).map { world.rank(user: $0) }
    for threads in [1, 2] {
      let ranks = catalogueMidRanks(
        users: world.users, items: world.items, targets: world.targets,
        offsets: world.offsets, excluded: world.excluded, precision: precision, threads: threads)
      #expect(ranks == expected)
    }
  }

  @Test(arguments: ScreenedWorld.all, precisions)
  func `lists are those of the exact scores, equal ones by smaller item`(
    world: ScreenedWorld, precision: ProductPrecision
  ) {
    let sorted = (0..<world.users.rows).map { world.sortedItems(user: $0) }
    for (count, threads) in [(1, 1), (10, 1), (10, 2), (150, 1), (2000, 2)] {
      let top = catalogueTop(
        users: world.users, items: world.items, count: count, offsets: world.offsets,
        excluded: world.excluded, precision: precision, threads: threads)
      for user in 0..<world.users.rows {
        let places = user * count..<user * count + top.filled[user]
        let expected = sorted[user].prefix(count)
        #expect(Array(top.items[places]) == expected.map { UInt32($0.item) })
        #expect(top.scores[places].map(\.bitPattern) == expected.map(\.score.bitPattern))
      }
    }
  }

  @Test func `one rank is the same among all items and among candidates`() {
    let world = ScreenedWorld.all[0]
    let ranks = candidateMidRanks(
      users: world.users, items: world.items, targets: world.targets,
      offsets: (0...world.users.rows).map { $0 * world.items.rows },
      candidates: (0..<world.users.rows).flatMap { _ in 0..<UInt32(world.items.rows) }, threads: 1)
    #expect(
      ranks
        == catalogueMidRanks(
          users: world.users, items: world.items, targets: world.targets,
          offsets: [Int](repeating: 0, count: world.users.rows + 1), excluded: [], threads: 1))
  }
}

/// Users, items, targets and items to leave out that are hard to rank without computing every score.
struct ScreenedWorld: CustomTestStringConvertible {
  let testDescription: String
  let users: Matrix
  let items: Matrix
  let targets: [UInt32]
  let offsets: [Int]
  let excluded: [UInt32]

  private static let (userCount, itemCount, width) = (70, 1100, 36)

  /// Random vectors, changed by `change`, which gets the matrices of users and items and a random sequence.
  private init(
    _ description: String, _ change: (inout [Float], inout [Float], inout SplitMix) -> Void
  ) {
    testDescription = description
    var random = SplitMix(seed: 11)
    var users = (0..<Self.userCount * Self.width).map { _ in random.nextUnit() }
    var items = (0..<Self.itemCount * Self.width).map { _ in random.nextUnit() }
    change(&users, &items, &random)
    self.users = Matrix(rows: Self.userCount, columns: Self.width, values: users)
    self.items = Matrix(rows: Self.itemCount, columns: Self.width, values: items)
    targets = (0..<Self.userCount).map { _ in UInt32(random.next(below: Self.itemCount)) }
    offsets = (0...Self.userCount).map { $0 * 12 }
    excluded = (0..<Self.userCount * 12).map { _ in UInt32(random.next(below: Self.itemCount)) }
  }

  private static func scaled(users userScale: Float, items itemScale: Float) -> Self {
    Self("users times \(userScale), items times \(itemScale)") { users, items, _ in
      users = users.map { $0 * userScale }
      items = items.map { $0 * itemScale }
    }
  }

  /// Vectors whose rounding errors all go one way: `down` is rounded to 1, `up` to 1 + 2⁻⁷, the others are exact.
  private static func oneSided(users roundsUsers: Bool) -> Self {
    let (down, up): (Float, Float) = (1 + 0x1p-8 - 0x1p-12, 1 + 0x1p-8 + 0x1p-12)
    return Self("rounding errors of \(roundsUsers ? "users" : "items") add up") {
      users, items, random in
      for place in users.indices {
        users[place] = roundsUsers ? (place % width < width / 2 ? down : up) : 1
      }
      for place in items.indices {
        let isFirstHalf = place % width < width / 2
        switch place / width % 4 {
        case 0: items[place] = roundsUsers ? 0 : down
        case 1: items[place] = roundsUsers ? 0 : random.next(below: 4) == 0 ? 1 + 0x1p-7 : 1
        case 2: items[place] = isFirstHalf ? 1 : 0
        default: items[place] = isFirstHalf ? 0 : 1 - 0x1p-8
        }
      }
    }
  }

  static let all: [Self] =
    [
      Self("random vectors") { _, _, _ in },
      Self("every vector thirty times") { _, items, _ in
        for place in items.indices { items[place] = items[place % (37 * width)] }
      },
      Self("all vectors equal") { _, items, _ in
        for place in items.indices { items[place] = items[place % width] }
      },
      Self("items that differ by their last bits") { _, items, random in
        for place in items.indices {
          items[place] = items[place % width] * (1 + Float(random.next(below: 9)) * 0x1p-23)
        }
      },
      Self("zero vectors") { users, items, _ in
        for place in 0..<3 * width { users[place] = 0 }
        for place in 0..<400 * width { items[place] = place % 2 == 0 ? 0 : -0.0 }
      },
      Self("one item a million times longer") { _, items, _ in
        for place in 500 * width..<501 * width { items[place] *= 1e6 }
      },
      Self("lengths over twelve powers of ten") { _, items, _ in
        for place in items.indices { items[place] *= [1e-6, 1, 1e6, 1e-3][place / width % 4] }
      },
      Self("vectors with elements that are not finite") { users, items, random in
        let strange: [Float] = [.nan, .infinity, -.infinity, .greatestFiniteMagnitude, 3e38]
        for place in 0..<10 { users[place * 5 * width + place] = strange[place % 5] }
        for place in 0..<200 {
          items[random.next(below: items.count)] = strange[place % 5]
        }
      },
    ]
    + [(1e-18, 1e-18), (1e15, 1e15), (1e-30, 1e-13), (0x1p-130, 1), (1e25, 1e20), (0x1p-140, 1e30)]
    .map { scaled(users: $0.0, items: $0.1) } + [oneSided(users: false), oneSided(users: true)]

  private func score(user: Int, item: Int) -> Float {
    users.values.withUnsafeBufferPointer { vectors in
      items.values.withUnsafeBufferPointer { rows in
        guard let user = vectors.baseAddress.map({ $0 + user * Self.width }),
          let item = rows.baseAddress.map({ $0 + item * Self.width })
        else { return .nan }
        return h2rec_dot(user, item, Self.width)
      }
    }
  }

  /// The items that a user may be given.
  private func allowed(user: Int) -> [Int] {
    let out = Set(excluded[offsets[user]..<offsets[user + 1]])
    return (0..<items.rows).filter { !out.contains(UInt32($0)) }
  }

  /// The mid-rank by its definition.
  func rank(user: Int) -> Double {
    let target = Int(targets[user])
    let own = score(user: user, item: target)
    let others = allowed(user: user).filter { $0 != target }.map { score(user: user, item: $0) }
    return own.isNaN
      ? Double(items.rows)
      : 1 + Double(others.count { $0 > own }) + Double(others.count { $0 == own }) / 2
  }

  /// All items with scores, best first, by a full sort.
  func sortedItems(user: Int) -> [(item: Int, score: Float)] {
    allowed(user: user).map { ($0, score(user: user, item: $0)) }.filter { !$0.1.isNaN }
      .sorted { $0.1 == $1.1 ? $0.0 < $1.0 : $0.1 > $1.1 }
  }
}
