import Dataset
import Foundation
import Numerics
import Testing

@testable import Preprocess

struct `Text encoder` {
  private static let things = ["desk lamp", "garden hose", "chess board", "running shoes"]
  private static let qualities = ["small", "large"]

  /// 24 texts, six of each thing.
  private var texts: [String] {
    (0..<24).map { "A \(Self.qualities[$0 / 12]) \(Self.things[$0 % 4]), number \($0)" }
  }

  private func cosine(_ vectors: ItemVectors, _ left: Int, _ right: Int) -> Float {
    let width = vectors.width
    return (0..<width).reduce(0) {
      $0 + vectors.values[left * width + $1] * vectors.values[right * width + $1]
    }
  }

  @Test func `texts of one thing are nearer than others`() throws {
    let vectors = try #require(TextEncoder(width: 8, seed: 1, threads: 1).encode(texts))
    #expect(vectors.count == 24 && vectors.width == 8)
    for left in 0..<24 {
      #expect(abs(cosine(vectors, left, left) - 1) < 1e-4)
      let nearest = (0..<24).filter { $0 != left }
        .max { cosine(vectors, left, $0) < cosine(vectors, left, $1) }
      #expect(nearest.map { $0 % 4 } == left % 4)
    }
  }

  @Test func `the bits do not depend on the threads, the directions on the seed`() throws {
    let many = (0..<1500).map { "\(texts[$0 % 24]) \($0 % 7)" }
    let first = try #require(TextEncoder(width: 4, seed: 1, threads: 1).encode(many))
    #expect(TextEncoder(width: 4, seed: 1, threads: 3).encode(many) == first)
    #expect(first.values.allSatisfy { $0.isFinite })
  }

  @Test func `with as many directions as texts, inner products are those of centred TF-IDF`() throws
  {
    let features = TextFeatures(texts, threads: 1).matrix
    var rows = (0..<24).map { row in
      var dense = [Double](repeating: 0, count: features.columns)
      for entry in features.offsets[row]..<features.offsets[row + 1] {
        dense[Int(features.indices[entry])] = Double(features.values[entry])
      }
      return dense
    }
    for column in 0..<features.columns {
      let mean = rows.reduce(0) { $0 + $1[column] } / 24
      for row in 0..<24 { rows[row][column] -= mean }
    }
    func exact(_ left: Int, _ right: Int) -> Double {
      func product(_ a: Int, _ b: Int) -> Double {
        zip(rows[a], rows[b]).reduce(0) { $0 + $1.0 * $1.1 }
      }
      return product(left, right) / (product(left, left) * product(right, right)).squareRoot()
    }
    let vectors = try #require(TextEncoder(width: 24, seed: 1, threads: 1).encode(texts))
    for left in 0..<24 {
      for right in 0..<left {
        #expect(abs(Double(cosine(vectors, left, right)) - exact(left, right)) < 2e-3)
      }
    }
  }

  @Test func `equal texts have equal vectors, to the last bit`() throws {
    // Each text many times, at places that products of matrices treat differently.
    let many = (0..<1537).map { texts[$0 * $0 % 24] }
    let vectors = try #require(TextEncoder(width: 12, seed: 1, threads: 2).encode(many))
    for text in Set(many) {
      let rows = many.indices.filter { many[$0] == text }.map { row in
        vectors.values[row * 12..<(row + 1) * 12].map(\.bitPattern)
      }
      #expect(Set(rows).count == 1)
    }
  }

  @Test func `texts without a word in common have no vectors`() {
    #expect(TextEncoder(width: 4, seed: 1, threads: 1).encode(["", "", ""]) == nil)
    #expect(TextEncoder(width: 4, seed: 1, threads: 1).encode(["abc", "xyz"]) == nil)
    #expect(TextEncoder(width: 4, seed: 1, threads: 1).encode([]) == nil)
    #expect(TextEncoder(width: 4, seed: 1, threads: 1).encode(["abc", "abc"]) == nil)
  }

  @Test func `an item without a text has a finite vector`() throws {
    let vectors = try #require(
      TextEncoder(width: 4, seed: 1, threads: 1).encode(texts + ["", "ÄÖÜ äöü 東京"]))
    #expect(vectors.values.allSatisfy { $0.isFinite })
  }
}
