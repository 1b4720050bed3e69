internal import Clustering
public import Dataset
public import Numerics
internal import Tape

/// How the item table starts.
public enum HashStart: String, Sendable, CaseIterable {
  /// The d leading principal components of the text vectors (as published).
  case pca
  /// Normal with Xavier's deviation.
  case random
}

extension Network {
  /// Gives every parameter its start value.
  ///
  /// Item rows and code vectors that come from text are projected with one basis, the d leading principal directions
  /// of the catalogue's text vectors, so that an item's two identities start in the same space. Code vectors of another
  /// space are projected with the principal directions of the items they add up to. Where text is narrower than d, the
  /// remaining columns start at zero.
  ///
  /// - Parameters:
  ///   - hashStart: how the item table starts; `pca` needs `vectors`.
  ///   - vectors: the text vectors, row = item.
  ///   - itemCodes: the codes whose vectors start the code table; nil for random ones.
  ///   - seed: of all random start values.
  ///   - threads: the largest number of threads; does not change the result.
  public func initialize(
    hashStart: HashStart, vectors: Matrix?, codes itemCodes: ItemCodes?, seed: UInt64, threads: Int
  ) {
    let random = CounterRandom(seed: seed, stream: 0x5354_4152)
    layout.initialize(parameters, random: random.substream(0))
    let directions = vectors.map {
      PrincipalComponents($0, count: min(hyper.dimension, $0.columns), threads: threads)
    }
    if let hash {
      if hashStart == .pca, let directions, let vectors {
        hash.values.set(widened(directions.project(vectors, threads: threads)))
      } else {
        startRandomly(hash, random.substream(1))
      }
    }
    guard let codes else { return }
    if let itemCodes, itemCodes.width > 0 {
      let basis =
        itemCodes.isTextSpace && directions != nil
        ? directions : Self.directions(of: itemCodes, width: hyper.dimension, threads: threads)
      if let basis { codes.values.set(widened(Self.project(itemCodes, on: basis))) }
    } else {
      startRandomly(codes, random.substream(2))
    }
  }

  private func startRandomly(_ table: EmbeddingTable, _ random: CounterRandom) {
    let start = ParameterLayout.Start.xavier(fanIn: table.count, fanOut: table.width)
    table.values.set(start.values(table.count * table.width, random))
  }

  /// The rows of a matrix filled up with zeros to the width of the model.
  private func widened(_ matrix: Matrix) -> [Float] {
    let missing = hyper.dimension - matrix.columns
    guard missing > 0 else { return matrix.values }
    return (0..<matrix.rows).flatMap {
      Array(matrix[row: $0]) + Array(repeating: 0, count: missing)
    }
  }

  /// Code vectors are differences from a mean, so they are projected without subtracting one.
  private static func project(_ codes: ItemCodes, on directions: PrincipalComponents) -> Matrix {
    directions.withoutMean.project(
      Matrix(
        rows: codes.codebooks.count / codes.width, columns: codes.width, values: codes.codebooks))
  }

  /// The principal directions of what the codes of each item add up to.
  private static func directions(
    of codes: ItemCodes, width: Int, threads: Int
  ) -> PrincipalComponents {
    var sums = Matrix(rows: codes.count, columns: codes.width)
    for item in 0..<codes.count {
      for (level, code) in codes.tuple(of: item).enumerated() {
        let first = (codes.firstRow(of: level) + Int(code)) * codes.width
        for column in 0..<codes.width {
          sums.values[item * codes.width + column] += codes.codebooks[first + column]
        }
      }
    }
    return PrincipalComponents(sums, count: min(width, codes.width), threads: threads)
  }
}

extension ItemCodes {
  /// The row of `codebooks` for each item and level, `[items · M]`.
  public var rows: [UInt32] {
    let first = (0..<levelCount).map { UInt32(firstRow(of: $0)) }
    return codes.indices.map { first[$0 % levelCount] + UInt32(codes[$0]) }
  }
}
