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

  /// The vectors of an encoder that is fitted to the same texts.
  private func encode(_ texts: [String], width: Int, threads: Int) -> ItemVectors? {
    TextEncoder(fitting: texts, width: width, seed: 1, threads: threads)?
      .encode(texts, threads: threads)
  }

  private func cosine(_ vectors: ItemVectors, _ left: Int, _ right: Int) -> Float {
    let width = vectors.width
    return (0..<width).reduce(0) {
      $0 + vectors.values[left * width + $1] * vectors.values[right * width + $1]
    }
  }

  @Test func `texts of one thing are nearer than others`() throws {
    let vectors = try #require(encode(texts, width: 8, threads: 1))
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
    let first = try #require(encode(many, width: 4, threads: 1))
    #expect(encode(many, width: 4, threads: 3) == first)
    #expect(first.values.allSatisfy { $0.isFinite })
  }

  @Test func `with as many directions as texts, inner products are those of centred TF-IDF`() throws
  {
    let counts = TextFeatures(texts, threads: 1)
    let features = TextVocabulary(counts).matrix(counts)
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
    let vectors = try #require(encode(texts, width: 24, threads: 1))
    for left in 0..<24 {
      for right in 0..<left {
        #expect(abs(Double(cosine(vectors, left, right)) - exact(left, right)) < 2e-3)
      }
    }
  }

  @Test func `equal texts have equal vectors, to the last bit`() throws {
    // Each text many times, at places that products of matrices treat differently.
    let many = (0..<1537).map { texts[$0 * $0 % 24] }
    let vectors = try #require(encode(many, width: 12, threads: 2))
    for text in Set(many) {
      let rows = many.indices.filter { many[$0] == text }.map { row in
        vectors.values[row * 12..<(row + 1) * 12].map(\.bitPattern)
      }
      #expect(Set(rows).count == 1)
    }
  }

  @Test func `a text has its vector in any company, to the last bit`() throws {
    let encoder = try #require(TextEncoder(fitting: texts, width: 6, seed: 1, threads: 1))
    let all = encoder.encode(texts, threads: 1)
    let few = encoder.encode(["quite new words"] + texts[5...9] + [""], threads: 2)
    #expect(
      few.values[6..<36].map(\.bitPattern) == all.values[30..<60].map(\.bitPattern))
  }

  @Test func `of too many features those of most texts stay`() {
    // Texts with a word of their own and the next one's, and a word that all have.
    let texts = (0..<90).map { "w\($0)q w\($0 + 1)q common" }
    let features = TextFeatures(texts, threads: 2)
    let all = TextVocabulary(features)
    let few = TextVocabulary(features, limit: 20)
    #expect(all.buckets.count > 90 && few.buckets.count == 20)
    #expect(zip(few.buckets, few.buckets.dropFirst()).allSatisfy { $0 < $1 })
    // What more texts have weighs less.
    #expect(few.weights.sorted() == Array(all.weights.sorted().prefix(20)))
    #expect(few.weights.contains { $0 < 1e-4 })
  }

  @Test func `texts without a word in common have no vectors`() {
    #expect(encode(["", "", ""], width: 4, threads: 1) == nil)
    #expect(encode(["abc", "xyz"], width: 4, threads: 1) == nil)
    #expect(encode([], width: 4, threads: 1) == nil)
    #expect(encode(["abc", "abc"], width: 4, threads: 1) == nil)
  }

  @Test func `an item without a text has a finite vector`() throws {
    let vectors = try #require(
      encode(texts + ["", "ÄÖÜ äöü 東京"], width: 4, threads: 1))
    #expect(vectors.values.allSatisfy { $0.isFinite })
  }
}
