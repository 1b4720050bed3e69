import Numerics
import Testing

@testable import Tokenize

/// Eight points on a line and one code level of four codes at 0, 10, 20 and 30.
///
/// Points 0 to 4 lie near 0, the others near 30; codes are the nearest ones.
private func crowded() -> (items: TokenizedItems, vectors: Matrix) {
  let points: [Float] = [0, 1, 2, 3, 4, 29, 30, 31]
  let vectors = Matrix(rows: 8, columns: 1, values: points)
  let codebook = Matrix(rows: 4, columns: 1, values: [0, 10, 20, 30])
  let encoding = CodeEncoder(codebooks: [codebook], center: [0]).encode(vectors, threads: 1)
  return (
    TokenizedItems(
      levelSizes: [4], codes: encoding.codes, codebooks: [codebook], center: [0],
      variance: encoding.variance, residuals: encoding.residuals), vectors
  )
}

struct `Collision policies` {
  @Test func `keep changes nothing`() throws {
    var (items, vectors) = crowded()
    let before = items
    #expect(try items.separate(.keep, vectors).movedCount == 0 && items == before)
    #expect(items.codes == [0, 0, 0, 0, 0, 3, 3, 3])
  }

  @Test func `append numbers the items of a group and leaves the error as it was`() throws {
    var (items, vectors) = crowded()
    let change = try items.separate(.append, vectors)
    #expect(items.levelSizes == [4, 5])
    #expect(items.codes == [0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 3, 0, 3, 1, 3, 2])
    #expect(items.codebooks[1].values == [0, 0, 0, 0, 0])
    #expect(change.rateBefore == 1 && change.rateAfter == 0)
    #expect(change.relativeErrorAfter == change.relativeErrorBefore)
  }

  @Test func `reassign uses every code as evenly as it must, at the smallest error`() throws {
    var (items, vectors) = crowded()
    let change = try items.separate(.reassign, vectors)
    // Eight items and four codes: two each. The cheapest way keeps the order on the line.
    #expect(items.codes == [0, 0, 1, 1, 2, 2, 3, 3])
    #expect(change.movedCount == 4)
    // Squared distances 0 1 64 49 256 81 0 1, over 8.
    let error = 452.0 / 8
    #expect(abs(change.relativeErrorAfter - error / items.variance) < 1e-6)
  }

  @Test func `reassign makes tuples unique where there are codes enough`() {
    let columns = cheapestColumns([0, 1, 9, 0, 1, 9, 0, 1, 9], 3)
    #expect(columns.sorted() == [0, 1, 2])
  }

  @Test func `sinkhorn spreads items over the codes`() throws {
    var (items, vectors) = crowded()
    let change = try items.separate(.sinkhorn, vectors)
    let counts = CodeStatistics(items.codes, levelSizes: [4]).levels[0].usage
    #expect(counts.allSatisfy { $0 > 0 })
    #expect(change.relativeErrorAfter > change.relativeErrorBefore)
  }

  @Test func `prefixes without collisions keep their codes`() throws {
    let vectors = Matrix(rows: 4, columns: 1, values: [0, 1, 100, 110])
    let codebooks = [
      Matrix(rows: 2, columns: 1, values: [0, 100]), Matrix(rows: 2, columns: 1, values: [0, 10]),
    ]
    var items = TokenizedItems(
      levelSizes: [2, 2], codes: [0, 0, 0, 0, 1, 0, 1, 1], codebooks: codebooks, center: [0],
      variance: 1, residuals: [1, 1])
    #expect(try items.separate(.reassign, vectors).movedCount == 1)
    #expect(items.codes == [0, 0, 0, 1, 1, 0, 1, 1])
  }
}
