import Clustering
import Numerics
import Testing

@testable import Quantizers
@testable import Tokenize

/// Two levels of structure: 8 far centres, around each the same 4 offsets, and a little noise.
///
/// Item i has centre i mod 8 and offset (i / 8) mod 4.
private func nestedClusters(_ count: Int, width: Int) -> Matrix {
  let random = CounterRandom(seed: 3, stream: 0)
  let normal = { (index: Int) in
    Float((0..<12).reduce(-6) { $0 + random.uniform(UInt64(index * 12 + $1)) })
  }
  var vectors = Matrix(rows: count, columns: width)
  for item in 0..<count {
    for column in 0..<width {
      let centre = normal(item % 8 * width + column)
      let offset = normal(100_000 + item / 8 % 4 * width + column)
      let noise = normal(200_000 + item * width + column)
      vectors.values[item * width + column] = 20 * centre + 2 * offset + 0.01 * noise
    }
  }
  return vectors
}

struct `Residual quantiser` {
  @Test(arguments: [0, 12])
  func `each level finds the structure planted for it`(components: Int) throws {
    let vectors = nestedClusters(640, width: 16)
    let found = try learn(RQKMeans.self, vectors, "--codebooks 8,4 --pca \(components)")
    for item in 0..<640 {
      #expect(found.codes[2 * item] == found.codes[2 * (item % 8)])
      #expect(found.codes[2 * item + 1] == found.codes[2 * (item / 8 % 4 * 8) + 1])
    }
    let statistics = CodeStatistics(found.codes, levelSizes: [8, 4])
    #expect(statistics.distinctCount == 32)
    #expect(statistics.levels.allSatisfy { $0.utilization == 1 })
    #expect(found.relativeError < 1e-4 + (components > 0 ? 0.01 : 0))
  }

  @Test(arguments: [0, 5, 12])
  func `centre and codebooks give the error back in the space of the vectors`(
    components: Int
  ) throws {
    let vectors = nestedClusters(200, width: 12)
    let found = try learn(RQKMeans.self, vectors, "--codebooks 6,5,3 --pca \(components)")
    var error = 0.0
    var variance = 0.0
    for item in 0..<200 {
      var rest = zip(vectors[row: item], found.center).map { Double($0) - Double($1) }
      variance += rest.reduce(0) { $0 + $1 * $1 }
      for (level, codebook) in found.codebooks.enumerated() {
        let code = codebook[row: Int(found.codes[3 * item + level])]
        rest = zip(rest, code).map { $0 - Double($1) }
      }
      error += rest.reduce(0) { $0 + $1 * $1 }
    }
    #expect(abs(found.variance - variance / 200) < 1e-4 * variance / 200)
    #expect(abs(found.relativeError - error / variance) < 1e-4)
  }

  @Test func `every level lowers the error`() throws {
    let found = try learn(
      RQKMeans.self, nestedClusters(500, width: 10), "--codebooks 16,16,16 --pca 0")
    let errors = found.residuals
    #expect(errors[0] < found.variance && errors[1] < errors[0] && errors[2] < errors[1])
  }

  @Test func `one and two threads, and a second run, give the same codes; another seed does not`()
    throws
  {
    let vectors = nestedClusters(3_000, width: 24)
    let words = "--codebooks 64,32 --pca 10"
    let one = try learn(RQKMeans.self, vectors, words, Learning(threads: 1))
    #expect(try one == learn(RQKMeans.self, vectors, words, Learning(threads: 2)))
    #expect(try one == learn(RQKMeans.self, vectors, words, Learning(threads: 1)))
    let other = try learn(RQKMeans.self, vectors, words, Learning(seed: 7, threads: 1))
    #expect(one.codes != other.codes)
  }

  @Test func `product and parallel codes lower the error`() throws {
    let vectors = nestedClusters(400, width: 16)
    let words = "--codebooks 16,16,8 --pca 12"
    for found in [
      try learn(PQ.self, vectors, words), try learn(OPQ.self, vectors, words),
      try learn(VQ.self, vectors, words),
    ] {
      #expect(found.relativeError < 0.5 && found.fits.count == 3)
    }
  }

  @Test func `the parts of product codes do not overlap, and cover everything`() throws {
    let found = try learn(
      PQ.self, nestedClusters(100, width: 8), "--codebooks 4,4,4 --pca 0")
    #expect(equalParts(8, 3) == [0..<2, 2..<5, 5..<8])
    for (level, part) in equalParts(8, 3).enumerated() {
      for (index, value) in found.codebooks[level].values.enumerated() {
        #expect(value == 0 || part.contains(index % 8))
      }
    }
  }

  @Test func `a rotation lowers the error of product codes where coordinates belong together`()
    throws
  {
    // Coordinates 0 and 4, 1 and 5, … are nearly equal: neighbours hold little of each other.
    var vectors = nestedClusters(600, width: 8)
    for row in 0..<600 {
      for column in 0..<4 {
        vectors.values[row * 8 + column + 4] =
          vectors.values[row * 8 + column] + 0.1 * vectors.values[row * 8 + column + 4]
      }
    }
    let plain = try learn(PQ.self, vectors, "--codebooks 8,8 --pca 0")
    let rotated = try learn(OPQ.self, vectors, "--codebooks 8,8 --pca 0")
    #expect(rotated.relativeError < plain.relativeError)
  }

  @Test func `cosine levels group directions whatever their length`() throws {
    // Three directions, lengths 1 to 40.
    var vectors = Matrix(rows: 120, columns: 3)
    for row in 0..<120 { vectors.values[row * 3 + row % 3] = Float(1 + row / 3) }
    let encoder = CodeEncoder(
      codebooks: [Matrix(rows: 3, columns: 3, values: [1, 0, 0, 0, 9, 0, 0, 0, 4])],
      center: [0, 0, 0], distances: [.cosine])
    let codes = encoder.encode(vectors, threads: 1).codes
    #expect(codes.enumerated().allSatisfy { Int($0.element) == $0.offset % 3 })
    let found = try learn(
      RQKMeans.self, nestedClusters(320, width: 6),
      "--codebooks 3,4 --pca 0 --distance cosine,l2")
    #expect(found.encoder.distances == [.cosine, .l2])
    #expect(found.encoder.encode(nestedClusters(320, width: 6), threads: 1).codes == found.codes)
    #expect(found.residuals[0] < found.variance)
  }

  @Test func `whitening lets directions of small variance count as much as the others`() throws {
    // Two groups that differ by little in one coordinate, much noise in the others.
    let random = CounterRandom(seed: 8, stream: 0)
    var vectors = Matrix(rows: 400, columns: 3)
    for row in 0..<400 {
      vectors.values[row * 3] = Float(row % 2) + 0.02 * Float(random.normal(UInt64(row)))
      for column in 1..<3 {
        vectors.values[row * 3 + column] =
          20 * Float(random.normal(UInt64(1000 * column + row)))
      }
    }
    let words = "--codebooks 2 --pca 0 --restarts 10"
    let plain = try learn(RQKMeans.self, vectors, words)
    let whitened = try learn(RQKMeans.self, vectors, words + " --whiten")
    let separates = { (items: TokenizedItems) in
      (0..<400).count { items.codes[$0] == items.codes[$0 % 2] }
    }
    #expect(separates(plain) < 300)
    #expect(separates(whitened) == 400 && Set(whitened.codes.prefix(2)).count == 2)
  }

  @Test func `a whitened space and the space of the vectors are there and back again`() {
    let vectors = nestedClusters(60, width: 7)
    let space = QuantizerSpace(projecting: vectors, count: 5, isWhitened: true, threads: 1)
    let inside = Matrix(rows: 3, columns: 5, values: Array(space.vectors.values.prefix(15)))
    for (there, back) in [
      (space.expand(inside), space.coordinates), (space.expandMap(inside), space.mapCoordinates),
    ] {
      let again = back(there)
      #expect(zip(again.values, inside.values).allSatisfy { abs($0 - $1) < 1e-3 })
    }
    #expect(abs(meanSquaredLength(space.vectors, threads: 1) - 5) < 0.2)
  }

  @Test func `as many codes as items leave no error`() throws {
    let found = try learn(RQKMeans.self, nestedClusters(50, width: 6), "--codebooks 50,2 --pca 0")
    #expect(found.relativeError < 1e-9)
    #expect(found.residuals[0] < 1e-6)
  }
}

struct `Level sizes` {
  @Test func `are read from a list`() throws {
    #expect(try LevelSizes(parsing: "64,128,65536,1").values == [64, 128, 65_536, 1])
    #expect("\(LevelSizes([4, 2]))" == "4,2")
  }

  @Test(arguments: ["", "0", "65537", "4,,4", "4,x", "-1", "256, 256"])
  func `out of range or no number are refused with the part that is wrong`(text: String) {
    #expect(throws: (any Error).self) { try LevelSizes(parsing: text) }
  }

  @Test func `more than 64 levels are refused`() {
    let text = [String](repeating: "2", count: 65).joined(separator: ",")
    #expect(throws: (any Error).self) { try LevelSizes(parsing: text) }
  }
}
