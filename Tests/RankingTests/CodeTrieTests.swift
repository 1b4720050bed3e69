import Retrieval
import Testing

/// The tree of the tuples of a catalogue.
struct CodeTrieTests {
  @Test func `paths are the tuples of items, and equal tuples share a leaf`() {
    // Items 0 and 3 have (1, 0, 2); item 1 has (0, 5, 0); item 2 has (1, 0, 1); item 4 has (1, 4, 1).
    let trie = CodeTrie(codes: [1, 0, 2, 0, 5, 0, 1, 0, 1, 1, 0, 2, 1, 4, 1], depth: 3)
    #expect((0...3).map(trie.nodeCount) == [1, 2, 3, 4])
    let first = trie.children(of: 0, at: 0)
    #expect(first.map { trie.digit(of: $0, at: 1) } == [0, 1])
    let second = trie.children(of: 1, at: 1)
    #expect(second.map { trie.digit(of: $0, at: 2) } == [0, 4])
    let leaves = trie.children(of: second.lowerBound, at: 2)
    #expect(leaves.map { trie.digit(of: $0, at: 3) } == [1, 2])
    #expect(leaves.map { Array(trie.items(of: $0)) } == [[2], [0, 3]])
    #expect(trie.children(of: 0, at: 1).map { trie.digit(of: $0, at: 2) } == [5])
  }

  @Test func `every tuple is found, and nothing else`() {
    let depth = 4
    let codes = (0..<300).flatMap { (item: Int) -> [UInt16] in
      let hash = item &* 2_654_435_761
      return (0..<depth).map { UInt16(hash >> (7 * $0) & 3) }
    }
    let trie = CodeTrie(codes: codes, depth: depth)
    var found: [[UInt16]: [UInt32]] = [:]
    func walk(_ node: Int, _ prefix: [UInt16]) {
      guard prefix.count < depth else {
        found[prefix] = Array(trie.items(of: node))
        return
      }
      for child in trie.children(of: node, at: prefix.count) {
        walk(child, prefix + [UInt16(trie.digit(of: child, at: prefix.count + 1))])
      }
    }
    walk(0, [])
    var expected: [[UInt16]: [UInt32]] = [:]
    for item in 0..<codes.count / depth {
      expected[Array(codes[item * depth..<(item + 1) * depth]), default: []].append(UInt32(item))
    }
    #expect(found == expected)
    #expect(CodeTrie(codes: [], depth: 2).nodeCount(at: 0) == 0)
  }
}
