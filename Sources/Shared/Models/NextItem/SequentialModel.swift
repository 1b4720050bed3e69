internal import Dataset
public import Layers
public import Numerics
internal import Retrieval
internal import ShardIO
public import Tape
internal import Training

/// A sequential recommender of one branch: an item encoder, a sequence encoder, and the loss of the next item.
///
/// SASRec, GRU4Rec and semantic IDs alone are compositions of this kind; a file of theirs chooses the parts.
public final class SequentialModel: NextItemModel, Sendable {
  /// What the composition is made of.
  struct Parts {
    /// The most recent items of a history that are read.
    var maxLength: Int
    /// What an item is, for reports: `hash` or `semantic`.
    var branch: String
    /// The item encoder, input and output embedding.
    var itemEncoder: any ItemEncoder
    /// The sequence encoder.
    var sequenceEncoder: any SequenceEncoder
    /// The position table, `[L, d]`; nil for an encoder that knows the order by itself.
    var positions: Parameter?
    /// The factor of the embedded items.
    var scale: Float = 1
    /// The dropout probability of the embedded items.
    var dropout: Float = 0
    /// How the item table is initialised.
    var hashInitialization = HashInitialization.pca
    /// Where the prefixes of codes have their rows; nil where rows are those of codes.
    var prefixes: PrefixRows?
    /// What a random item table is; nil for Glorot and Bengio's deviation.
    var tableStart: Initialization?
    /// The heads of the attention; nil for an encoder without attention.
    var headCount: Int?
    /// The loss.
    var loss: NextItemLoss
  }

  /// Everything that is learned.
  public let store: ParameterStore
  /// The most recent items of a history that are read.
  public let maxLength: Int
  /// The one item encoder.
  public let itemEncoders: [any ItemEncoder]
  /// Its name.
  public let branchNames: [String]
  /// How the training reads states, and its loss.
  public let loss: NextItemLoss
  /// The heads of the attention.
  public let headCount: Int?
  private let sequenceEncoder: any SequenceEncoder
  private let positions: Parameter?
  private let scale: Float
  private let dropout: Float
  private let hashInitialization: HashInitialization
  private let tableStart: Initialization?
  private let prefixes: PrefixRows?

  /// Composes a model; seals the store.
  init(_ parts: Parts, in store: ParameterStore) {
    store.seal()
    self.store = store
    maxLength = parts.maxLength
    itemEncoders = [parts.itemEncoder]
    branchNames = [parts.branch]
    loss = parts.loss
    headCount = parts.headCount
    sequenceEncoder = parts.sequenceEncoder
    positions = parts.positions
    scale = parts.scale
    dropout = parts.dropout
    hashInitialization = parts.hashInitialization
    tableStart = parts.tableStart
    prefixes = parts.prefixes
  }

  /// Attention, where there is some, and items that were not trained, where items are codes.
  public var diagnostics: Diagnostics {
    var result = commonDiagnostics()
    if let codes = itemEncoders[0] as? CodeBag {
      result.newItemVectors = { [prefixes] new, threads in
        guard let prefixes else {
          return Models.newItemVectors(of: new, semantic: codes, hash: nil, threads: threads)
        }
        let bag = CodeBag(
          codes.table, rows: prefixes.rows(of: new), levelCount: new.levelCount)
        bag.refresh(threads: threads)
        return Matrix(rows: new.count, columns: bag.width, values: bag.vectors.array)
      }
    }
    return result
  }

  private var adapted: AdaptedItems? { itemEncoders[0] as? AdaptedItems }

  /// Makes the vectors of items anew that are made of text vectors.
  public func storeDidChange() { adapted?.makeVectors() }

  /// Passes the gradients of such vectors on.
  public func passGradients(to parameters: AlignedBuffer, threads: Int) {
    adapted?.passGradient(to: parameters, threads: threads)
  }

  /// Gives every parameter its initial value.
  public func initialize(_ data: ModelData) {
    if let adapted, let vectors = data.vectors {
      initializeAdapter(store, adapted, vectors, data)
      return
    }
    let hash = (itemEncoders[0] as? ItemTable)?.table
    if let prefixes, let codes = data.codes, let bag = itemEncoders[0] as? CodeBag {
      let start = EmbeddingTable(count: codes.levelSizes.reduce(0, +), width: bag.width)
      initializeIdentities(store, hash: nil, codes: start, data)
      Initialization.xavier(fanIn: prefixes.count, fanOut: bag.width).fill(
        bag.table, CounterRandom(seed: data.seed, stream: 0x5052_4546))
      prefixes.start(bag.table, from: start, codes)
      return
    }
    initializeIdentities(
      store, hash: hash.map { ($0, hashInitialization) }, random: tableStart,
      codes: (itemEncoders[0] as? CodeBag)?.table, data)
  }

  /// The states after the positions of some histories.
  public func states(
    _ batch: SequenceBatch, at readout: Readout, on tape: Tape, random: CounterRandom?,
    observe: AttentionObserver?
  ) -> NextItemOutput {
    let ids = positions.map { PositionIDs(indices: batch.positionIDs, table: $0) }
    let input = itemEncoders[0].embed(
      batch.items, scale: scale, positions: ids, dropout: dropout, into: nil, on: tape)
    return NextItemOutput(
      states: sequenceEncoder.encode(
        input, sequences: batch.sequences, wholeStreams: readout == .all ? 1 : 0, on: tape,
        observe: observe))
  }
}
