/// Short forms of vectors that tell whether other vectors of the same items lie in the same space.
///
/// Bit j is the sign of coordinate j minus that of a centre. Vectors that hardly changed keep nearly all bits; in another
/// space, a text model of another kind or a basis that was fitted anew, about half of them agree by chance.
public struct SpaceSketch: Sendable, Equatable {
  /// One sketch a vector.
  public var bits: [UInt64]
  /// The coordinates that count, at most 64.
  public let bitCount: Int

  /// The median share of equal bits from which on two spaces are taken for the same one.
  public static let leastAgreement = 0.9

  /// Sketches vectors.
  ///
  /// - Parameters:
  ///   - values: the vectors, row-major.
  ///   - center: what the vectors are compared with, one number a coordinate.
  public init(_ values: [Float], center: [Float]) {
    let width = center.count
    bitCount = min(64, width)
    bits = stride(from: 0, to: values.count, by: max(1, width)).map { first in
      (0..<min(64, width)).reduce(UInt64(0)) { bits, column in
        values[first + column] > center[column] ? bits | 1 << UInt64(column) : bits
      }
    }
  }

  /// Sketches that were stored.
  public init(bits: [UInt64], bitCount: Int) {
    self.bits = bits
    self.bitCount = bitCount
  }

  /// The median share of equal bits over items that both have.
  ///
  /// - Parameters:
  ///   - other: sketches with the same centre.
  ///   - rows: for each vector of these sketches its row in the others; nil where they lack it.
  /// - Returns: nil where they have none in common.
  public func agreement(with other: SpaceSketch, rows: [Int?]) -> Double? {
    let shares = zip(bits, rows).compactMap { bits, row in
      row.map { Double(bitCount - (bits ^ other.bits[$0]).nonzeroBitCount) / Double(bitCount) }
    }.sorted()
    return shares.isEmpty || bitCount == 0 ? nil : shares[shares.count / 2]
  }
}
