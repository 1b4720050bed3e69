import Clustering
import Dataset
import Numerics

/// The linear model that predicts each item of a user from all others, in closed form (Steck 2019).
///
/// The items of users in training as a binary matrix X, the weights B minimise ‖X − X B‖² + λ ‖B‖² with a diagonal of 0. Up to
/// ``denseLimit`` items they come from one inverse. Above, each item has a ridge regression of its own on its neighbours by
/// cosine (as in Steck 2019b, who leaves weak correlations out): the same weights where these are all other items.
struct EASE: Sendable {
  /// The most items whose weights are computed for all pairs: an inverse of seconds, and 100 MB.
  static let denseLimit = 5000
  /// The penalty λ, in events.
  ///
  /// On validation targets of ml-latest-small and amazon-scientific-2018 NDCG@10 is highest about here, and .005 lower at
  /// most from 10 to 300.
  static let penalty = 30.0
  /// The events of a user that are read, from the end of training; bounds the time, which grows with their square.
  static let eventLimit = 500

  private enum Weights: Sendable {
    /// From the item of a row to that of a column, shape `[items, items]`.
    case dense(Matrix)
    case sparse(ItemGraph)
  }
  private let weights: Weights

  /// Fits the weights on training events.
  ///
  /// - Parameters:
  ///   - sequences: the training events.
  ///   - neighbours: for each item those that may predict it in the sparse form, at most 127.
  ///   - itemCount: items of the catalogue.
  ///   - denseLimit: the most items of the dense form.
  ///   - threads: threads to use; the result does not depend on it.
  init(
    _ sequences: UserSequences, neighbours: ItemGraph, itemCount: Int,
    denseLimit: Int = EASE.denseLimit, threads: Int
  ) {
    let sets = ItemSets(sequences, itemCount: itemCount, eventLimit: Self.eventLimit)
    weights =
      itemCount <= denseLimit
      ? .dense(Self.dense(sets, threads: threads))
      : .sparse(Self.sparse(sets, neighbours, threads: threads))
  }

  /// Adds the weights from the items of a history to all other ones.
  func score(_ history: some Sequence<UInt32>, on board: inout ScoreBoard) {
    for item in history {
      switch weights {
      case .dense(let matrix): board.add(matrix[row: Int(item)])
      case .sparse(let graph):
        for other in graph.neighbours[Int(item)] { board.add(other.weight, to: other.item) }
      }
    }
  }

  // MARK: - Dense

  /// B = −P / diag(P) with P = (XᵀX + λ)⁻¹, through the matrix whose diagonal is scaled to 1.
  private static func dense(_ sets: ItemSets, threads: Int) -> Matrix {
    let count = sets.users.count
    let scales = sets.users.map { 1 / (Double($0.count) + penalty).squareRoot() }
    let blocks = ranges(count, of: 64)
    let rows = parallelMap(blocks.count, threads: threads) { block in
      var row = [Double](repeating: 0, count: count)
      return blocks[block].flatMap { item in
        for other in 0..<count { row[other] = 0 }
        for user in sets.users[item] {
          for other in sets.histories[Int(user)] { row[Int(other)] += 1 }
        }
        row[item] += penalty
        return (0..<count).map { Float(row[$0] * scales[item] * scales[$0]) }
      }
    }
    var matrix = Matrix(rows: count, columns: count, values: rows.flatMap(\.self))
    matrix = inverse(ofPositiveDefinite: matrix, threads: threads)
    let diagonal = (0..<count).map { Double(matrix.values[$0 * (count + 1)]) }
    for row in 0..<count {
      for column in 0..<count {
        let place = row * count + column
        let ratio = scales[row] / (scales[column] * diagonal[column])
        matrix.values[place] = row == column ? 0 : Float(-Double(matrix.values[place]) * ratio)
      }
    }
    return matrix
  }

  // MARK: - Sparse

  private static func sparse(_ sets: ItemSets, _ neighbours: ItemGraph, threads: Int) -> ItemGraph {
    let count = sets.users.count
    let blocks = ranges(count, of: 256)
    let found = parallelMap(blocks.count, threads: threads) { block in
      var memberships = Memberships(userCount: sets.histories.count)
      return blocks[block].map { item in
        regression(of: item, on: neighbours.neighbours[item].map(\.item), sets, &memberships)
      }
    }
    var outgoing = [[ItemGraph.Neighbour]](repeating: [], count: count)
    for (item, weights) in found.joined().enumerated() {
      for (other, weight) in zip(neighbours.neighbours[item], weights) where weight != 0 {
        outgoing[Int(other.item)].append(.init(item: UInt32(item), weight: weight))
      }
    }
    return ItemGraph(neighbours: outgoing)
  }

  /// The weight of each of some items in the prediction of another one.
  private static func regression(
    of item: Int, on others: [UInt32], _ sets: ItemSets, _ memberships: inout Memberships
  ) -> [Double] {
    let size = others.count
    memberships.clear()
    for (bit, other) in (others + [UInt32(item)]).enumerated() {
      for user in sets.users[Int(other)] { memberships.insert(bit, of: user) }
    }
    var gram = [Double](repeating: 0, count: size * size)
    var right = [Double](repeating: 0, count: size)
    for mask in memberships.masks {
      var rows = mask
      while rows != 0 {
        let row = rows.trailingZeroBitCount
        rows &= rows - 1
        // What is left are items of higher numbers; their rows of the lower triangle get the pair.
        guard row < size else { break }
        gram[row * (size + 1)] += 1
        var columns = rows
        while columns != 0 {
          let column = columns.trailingZeroBitCount
          columns &= columns - 1
          if column == size { right[row] += 1 } else { gram[column * size + row] += 1 }
        }
      }
    }
    for row in 0..<size { gram[row * (size + 1)] += penalty }
    return solution(ofPositiveDefinite: gram, right)
  }

  /// Which of up to 128 items each user has, for the users who have any.
  private struct Memberships {
    private(set) var masks: [UInt128] = []
    /// The place of each user in ``masks`` plus 1, or 0.
    private var places: [Int32]
    private var users: [Int32] = []

    init(userCount: Int) { places = [Int32](repeating: 0, count: userCount) }

    mutating func insert(_ bit: Int, of user: Int32) {
      if places[Int(user)] == 0 {
        users.append(user)
        masks.append(0)
        places[Int(user)] = Int32(users.count)
      }
      masks[Int(places[Int(user)]) - 1] |= 1 << UInt128(bit)
    }

    mutating func clear() {
      for user in users { places[Int(user)] = 0 }
      users.removeAll(keepingCapacity: true)
      masks.removeAll(keepingCapacity: true)
    }
  }
}
