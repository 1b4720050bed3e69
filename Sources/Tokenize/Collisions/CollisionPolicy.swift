internal import ArgumentParser
internal import Numerics
internal import Quantizers
internal import ShardIO

/// What happens to items that share their tuple with another item.
enum CollisionPolicy: String, Sendable, CaseIterable, ExpressibleByArgument {
  /// Nothing: equal tuples make items positives of one another.
  case keep
  /// One more level that numbers the items of a group.
  case append
  /// Codes of the last level by entropic optimal transport, so that the items of a prefix spread over them.
  case sinkhorn
  /// Codes of the last level by the assignment with the smallest error in which no code is used twice where possible.
  case reassign
}

/// What a policy did.
struct CollisionChange: Sendable, Equatable {
  var policy: CollisionPolicy
  var rateBefore: Double
  var rateAfter: Double
  var relativeErrorBefore: Double
  var relativeErrorAfter: Double
  /// The items that got another code.
  var movedCount: Int

  /// The change for reports.
  var json: JSONValue {
    .object([
      "policy": .string(policy.rawValue),
      "rateBefore": JSONValue(rateBefore),
      "rateAfter": JSONValue(rateAfter),
      "relativeErrorBefore": JSONValue(relativeErrorBefore),
      "relativeErrorAfter": JSONValue(relativeErrorAfter),
      "movedItems": JSONValue(movedCount),
    ])
  }
}

extension TokenizedItems {
  /// Makes tuples unique, as far as a policy can.
  ///
  /// - Parameters:
  ///   - policy: how.
  ///   - vectors: the item vectors, row = item; nil where there are none, which `sinkhorn` and `reassign` refuse.
  /// - Returns: what was done.
  /// - Throws: `PipelineError` `.configuration`.
  mutating func separate(
    _ policy: CollisionPolicy, _ vectors: Matrix?
  ) throws(PipelineError) -> CollisionChange {
    let before = CodeStatistics(codes, levelSizes: levelSizes)
    var change = CollisionChange(
      policy: policy, rateBefore: before.collisionRate, rateAfter: before.collisionRate,
      relativeErrorBefore: relativeError, relativeErrorAfter: relativeError, movedCount: 0)
    switch policy {
    case .keep: break
    case .append: appendCounter(before.groups)
    case .sinkhorn, .reassign:
      guard let vectors else { throw .noVectorsToSpread(policy) }
      change.movedCount = respread(
        before, vectors, by: policy == .sinkhorn ? sinkhornColumns : cheapestColumns)
    }
    change.rateAfter = CodeStatistics(codes, levelSizes: levelSizes).collisionRate
    change.relativeErrorAfter = relativeError
    return change
  }

  /// Adds a level in which the items of a group are numbered in the order of the catalogue; its vectors are zero.
  private mutating func appendCounter(_ groups: [CodeGroup]) {
    isNumbered = true
    let levelCount = levelSizes.count
    let itemCount = codes.count / levelCount
    var counter = [UInt16](repeating: 0, count: itemCount)
    for group in groups {
      for (number, item) in group.items.enumerated() {
        counter[item] = UInt16(min(number, LevelSizes.largestSize - 1))
      }
    }
    let size = min(groups.first?.items.count ?? 1, LevelSizes.largestSize)
    codes = (0..<itemCount).flatMap { item in
      codes[item * levelCount..<(item + 1) * levelCount] + [counter[item]]
    }
    levelSizes.append(size)
    codebooks.append(Matrix(rows: size, columns: center.count))
    if let width = network?.encoder.outputWidth {
      network?.codebooks.append(Matrix(rows: size, columns: width))
    }
    distances?.append(.l2)
    if hasVectors { residuals.append(residuals.last ?? variance) }
  }

  /// Gives items whose prefix leads to collisions new codes at the last level.
  ///
  /// - Parameters:
  ///   - statistics: the codes, counted.
  ///   - vectors: the item vectors, row = item.
  ///   - columns: the code of each item, from squared distances `[n, K]` and K.
  /// - Returns: the number of items with another code.
  private mutating func respread(
    _ statistics: CodeStatistics, _ vectors: Matrix, by columns: ([Float], Int) -> [Int]
  ) -> Int {
    let last = levelSizes.count - 1
    let size = levelSizes[last]
    var moved = 0
    var added = 0.0
    for items in prefixGroups(statistics) {
      let distances = lastLevelDistances(items, vectors)
      for (row, code) in columns(distances, size).enumerated() {
        let place = items[row] * levelSizes.count + last
        guard Int(codes[place]) != code else { continue }
        added += Double(distances[row * size + code] - distances[row * size + Int(codes[place])])
        codes[place] = UInt16(code)
        moved += 1
      }
    }
    residuals[last] += added / Double(vectors.rows)
    return moved
  }

  /// The items of each prefix (all codes but the last) under which some tuple occurs twice.
  private func prefixGroups(_ statistics: CodeStatistics) -> [[Int]] {
    let levelCount = levelSizes.count
    let colliding = Set(statistics.groups.map { Array($0.codes.dropLast()) })
    var groups: [[UInt16]: [Int]] = [:]
    for item in 0..<codes.count / levelCount {
      let prefix = Array(codes[item * levelCount..<(item + 1) * levelCount - 1])
      if colliding.contains(prefix) { groups[prefix, default: []].append(item) }
    }
    return groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
  }

  /// Squared distances of what the other levels leave of some items to the code vectors of the last level.
  private func lastLevelDistances(_ items: [Int], _ vectors: Matrix) -> [Float] {
    let last = levelSizes.count - 1
    var distances: [Float] = []
    distances.reserveCapacity(items.count * levelSizes[last])
    for item in items {
      var rest = zip(vectors[row: item], center).map { $0 - $1 }
      for level in 0..<last {
        let code = codebooks[level][row: Int(codes[item * levelSizes.count + level])]
        rest = zip(rest, code).map { $0 - $1 }
      }
      for code in 0..<levelSizes[last] {
        distances.append(
          zip(rest, codebooks[last][row: code]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) })
      }
    }
    return distances
  }
}
