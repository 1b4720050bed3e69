internal import Clustering
public import Dataset
internal import Layers
internal import Numerics
internal import Tape

/// How the item table is initialised.
public enum HashInitialization: String, Sendable, CaseIterable {
  /// `pca` where there are text vectors, `random` elsewhere.
  case auto
  /// The d leading principal components of the text vectors (as published).
  case pca
  /// Normal with Glorot and Bengio's deviation.
  case random

  /// What the data decide in place of `auto`.
  func resolved(_ data: ModelData) -> HashInitialization {
    self == .auto ? (data.vectors == nil ? .random : .pca) : self
  }

  /// What is read for it.
  var needs: ModelNeeds {
    switch self {
    case .auto: .itemVectorsIfPresent
    case .pca: .itemVectors
    case .random: []
    }
  }
}

/// Gives every parameter of a model its initial value.
///
/// Item rows and code vectors that come from text are projected with one basis, the d leading principal directions
/// of the catalogue's text vectors, so that an item's two identities begin in the same space. Code vectors of another
/// space are projected with the principal directions of the items they add up to. Where text is narrower than d, the
/// remaining columns begin at zero.
///
/// - Parameters:
///   - store: the parameters.
///   - hash: the item table and how it is initialised; `pca` needs text vectors. Nil for a model without one.
///   - start: what `random` stands for; nil for Glorot and Bengio's deviation.
///   - codes: the code table, `[Σ K, d]`; nil for a model without one.
///   - data: text vectors, codes, seed and threads.
func initializeIdentities(
  _ store: ParameterStore, hash: (table: EmbeddingTable, start: HashInitialization)?,
  random start: Initialization? = nil, codes: EmbeddingTable?, _ data: ModelData
) {
  let random = CounterRandom(seed: data.seed, stream: 0x5354_4152)
  store.initialize(random: random.substream(0))
  guard let width = hash?.table.width ?? codes?.width else { return }
  let needsBasis = hash?.start == .pca || codes != nil
  let directions = data.vectors.flatMap { vectors in
    needsBasis
      ? PrincipalComponents(vectors, count: min(width, vectors.columns), threads: data.threads)
      : nil
  }
  if let hash {
    if hash.start == .pca, let directions, let vectors = data.vectors {
      hash.table.values.set(
        directions.project(vectors, threads: data.threads).widened(to: width))
    } else {
      initializeRandomly(hash.table, start, random.substream(1))
    }
  }
  guard let codes else { return }
  if let itemCodes = data.codes, itemCodes.width > 0 {
    let basis =
      itemCodes.isTextSpace && directions != nil
      ? directions : codeDirections(itemCodes, width: width, threads: data.threads)
    if let basis { codes.values.set(project(itemCodes, on: basis).widened(to: width)) }
  } else {
    initializeRandomly(codes, start, random.substream(2))
  }
}

/// Gives the parameters of a model whose items are made of text vectors their initial values, and makes the vectors.
///
/// One linear map begins as the projection on the leading principal directions, so that items begin where those of `--hash-init pca` do;
/// other adapters begin at random, and rows of items at zero.
func initializeAdapter(
  _ store: ParameterStore, _ items: AdaptedItems, _ vectors: Matrix, _ data: ModelData
) {
  store.initialize(random: CounterRandom(seed: data.seed, stream: 0x4144_4150))
  if let weight = store["adapter.weight"], let bias = store["adapter.bias"],
    store["adapter.hidden.weight"] == nil
  {
    let directions = PrincipalComponents(
      vectors, count: min(items.width, vectors.columns), threads: data.threads)
    let factor = AdaptedItems.factor(of: vectors)
    var (rows, shift) = (
      [Float](repeating: 0, count: weight.count), [Float](repeating: 0, count: bias.count)
    )
    for row in 0..<directions.basis.rows {
      let direction = directions.basis[row: row]
      for (column, value) in direction.enumerated() {
        rows[row * weight.columns + column] = value / factor
      }
      shift[row] = -zip(direction, directions.mean).reduce(0) { $0 + $1.0 * $1.1 }
    }
    store.values.set(rows, at: weight.offset)
    store.values.set(shift, at: bias.offset)
  }
  items.start(vectors, parameters: store.values, threads: data.threads)
}

private func initializeRandomly(
  _ table: EmbeddingTable, _ start: Initialization?, _ random: CounterRandom
) {
  (start ?? .xavier(fanIn: table.count, fanOut: table.width)).fill(table, random)
}

/// Code vectors are differences from a mean, so they are projected without subtracting one.
private func project(_ codes: ItemCodes, on directions: PrincipalComponents) -> Matrix {
  directions.withoutMean.project(
    Matrix(
      rows: codes.codebooks.count / codes.width, columns: codes.width, values: codes.codebooks))
}

/// The principal directions of what the codes of each item add up to.
private func codeDirections(
  _ codes: ItemCodes, width: Int, threads: Int
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

extension Matrix {
  /// The rows filled up with zeros to a width.
  fileprivate func widened(to width: Int) -> [Float] {
    let missing = width - columns
    guard missing > 0 else { return values }
    return (0..<rows).flatMap { Array(self[row: $0]) + Array(repeating: 0, count: missing) }
  }
}

extension ItemCodes {
  /// The row of `codebooks` for each item and level, `[items · M]`.
  public var rows: [UInt32] {
    let first = (0..<levelCount).map { UInt32(firstRow(of: $0)) }
    return codes.indices.map { first[$0 % levelCount] + UInt32(codes[$0]) }
  }
}
