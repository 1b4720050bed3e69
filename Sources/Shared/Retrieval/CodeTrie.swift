/// The codes of a catalogue as a tree: every path from the root to a leaf is the tuple of some item.
///
/// A generator that only follows its edges makes no tuple that no item has. Nodes of a depth are numbered in the order of
/// their prefixes, from 0; depth 0 is the root alone.
public struct CodeTrie: Sendable {
  /// The digits of a tuple, C.
  public let depth: Int
  /// For each depth below C the first child of each node, and the end of the last; children are nodes of the next depth.
  private let firstChildren: [[Int32]]
  /// For each depth from 1 on, at its number less 1, the last digit of each node's prefix.
  private let digits: [[UInt16]]
  private let itemOffsets: [Int]
  private let items: [UInt32]

  /// Sorts the tuples of a catalogue.
  ///
  /// - Parameters:
  ///   - codes: row by row, `[I, C]`.
  ///   - depth: C, at least 1.
  public init(codes: [UInt16], depth: Int) {
    precondition(depth > 0 && codes.count.isMultiple(of: depth))
    self.depth = depth
    let tuple = { (item: UInt32) in codes[Int(item) * depth..<(Int(item) + 1) * depth] }
    items = (0..<UInt32(codes.count / depth)).sorted { a, b in
      let (first, second) = (tuple(a), tuple(b))
      for (x, y) in zip(first, second) where x != y { return x < y }
      return a < b
    }
    // The first item, in this order, of each node of a depth.
    var starts: [[Int]] = [items.isEmpty ? [] : [0]]
    var digits: [[UInt16]] = []
    for level in 0..<depth {
      var (own, labels): ([Int], [UInt16]) = ([], [])
      var parents = starts[level][...]
      for (place, item) in items.enumerated() {
        let digit = codes[Int(item) * depth + level]
        let isNewParent = parents.first == place
        if isNewParent { parents = parents.dropFirst() }
        guard isNewParent || digit != labels.last else { continue }
        own.append(place)
        labels.append(digit)
      }
      starts.append(own)
      digits.append(labels)
    }
    self.digits = digits
    firstChildren = (0..<depth).map { level in
      var children: [Int32] = []
      var next = 0
      for start in starts[level] {
        while starts[level + 1][next] < start { next += 1 }
        children.append(Int32(next))
      }
      return children + [Int32(starts[level + 1].count)]
    }
    itemOffsets = starts[depth] + [items.count]
  }

  /// The number of nodes of a depth.
  public func nodeCount(at depth: Int) -> Int {
    depth == 0 ? (items.isEmpty ? 0 : 1) : digits[depth - 1].count
  }

  /// The children of a node of a depth below C, as nodes of the next depth.
  public func children(of node: Int, at depth: Int) -> Range<Int> {
    Int(firstChildren[depth][node])..<Int(firstChildren[depth][node + 1])
  }

  /// The last digit of the prefix of a node of a depth from 1 on.
  public func digit(of node: Int, at depth: Int) -> Int { Int(digits[depth - 1][node]) }

  /// The items with the tuple of a leaf, ascending.
  public func items(of leaf: Int) -> ArraySlice<UInt32> {
    items[itemOffsets[leaf]..<itemOffsets[leaf + 1]]
  }
}
