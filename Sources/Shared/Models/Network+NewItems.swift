public import Dataset
internal import Layers
public import Numerics
internal import Tape

extension Network {
  /// Vectors for items that the network was not trained with, from their codes alone.
  ///
  /// The semantic half is the mean of the trained code vectors, as for every item. An item without training has no row in the
  /// hash table; its hash half is the mean row of the items that share the longest prefix of its codes with it, of all
  /// items where none shares the first code (decision 24 has what zeros would do).
  ///
  /// - Parameters:
  ///   - codes: codes of the levels that the network was trained with.
  ///   - threads: the largest number of threads; does not change the result.
  /// - Returns: `[items of codes, stateWidth]`.
  /// - Precondition: the network has codes, and the sizes of the levels are its own.
  public func itemVectors(of codes: ItemCodes, threads: Int) -> Matrix {
    guard let table = self.codes, codes.levelSizes == hyper.levelSizes else {
      preconditionFailure("codes of other levels")
    }
    let rows = codes.rows
    let branch = ItemBranch(.codes(table, rows: rows, levelCount: codes.levelCount))
    branch.refresh(threads: threads)
    let width = hyper.dimension
    let semantic = branch.vectors.array
    let hash = self.hash.map { PeerRows(rows, of: self).means($0.values.array, width: width) }
    var values: [Float] = []
    values.reserveCapacity(codes.count * hyper.stateWidth)
    for item in 0..<codes.count {
      let range = item * width..<(item + 1) * width
      if let hash { values += hash[range] }
      values += semantic[range]
    }
    return Matrix(rows: codes.count, columns: hyper.stateWidth, values: values)
  }
}

/// The prefixes of the codes of new items, and which known items share them.
private struct PeerRows {
  private let levelCount: Int
  private let rows: [UInt32]
  private let knownRows: [UInt32]
  /// A number for each prefix of a new item, the empty one included.
  private var numbers: [ArraySlice<UInt32>: Int] = [:]

  /// Numbers the prefixes of items with these code rows, `[N · M]`.
  init(_ rows: [UInt32], of network: Network) {
    levelCount = network.hyper.levelCount
    self.rows = rows
    knownRows = network.codeRows
    for item in 0..<rows.count / levelCount {
      for length in 0...levelCount {
        let prefix = prefix(rows, item, length)
        if numbers[prefix] == nil { numbers[prefix] = numbers.count }
      }
    }
  }

  /// For each new item the mean of the table's rows of its peers, `[N, width]`.
  func means(_ table: [Float], width: Int) -> [Float] {
    var sums = [Double](repeating: 0, count: numbers.count * width)
    var counts = [Int](repeating: 0, count: numbers.count)
    for item in 0..<knownRows.count / levelCount {
      for length in 0...levelCount {
        // A longer prefix of the item is no new item's either.
        guard let number = numbers[prefix(knownRows, item, length)] else { break }
        counts[number] += 1
        for column in 0..<width {
          sums[number * width + column] += Double(table[item * width + column])
        }
      }
    }
    return (0..<rows.count / levelCount).flatMap { item -> [Float] in
      let shared = (0...levelCount).reversed().lazy.compactMap { numbers[prefix(rows, item, $0)] }
      let number = shared.first { counts[$0] > 0 } ?? 0
      let count = Double(max(1, counts[number]))
      return (0..<width).map { Float(sums[number * width + $0] / count) }
    }
  }

  private func prefix(_ rows: [UInt32], _ item: Int, _ length: Int) -> ArraySlice<UInt32> {
    rows[item * levelCount..<item * levelCount + length]
  }
}

extension Recommender {
  /// Vectors for items that the model was not trained with; see ``Network/itemVectors(of:threads:)``.
  public func itemVectors(of codes: ItemCodes, threads: Int) -> Matrix {
    network.itemVectors(of: codes, threads: threads)
  }
}
