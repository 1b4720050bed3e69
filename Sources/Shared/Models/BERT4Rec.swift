package import ArgumentParser
public import CommandSupport
public import Dataset
public import Layers
internal import Losses
public import Numerics
public import ShardIO
public import Tape
public import Training

/// BERT4Rec (Sun and others 2019): hidden items of a history are told from those on both sides; the next item is one that is hidden at
/// the end.
public enum BERT4Rec: ModelRecipe {
  /// The subcommand, and the name in manifests and reports.
  public static let name = "bert4rec"
  /// One line of help.
  public static let abstract =
    "BERT4Rec: hidden hash IDs told from both sides (Sun et al. 2019)."

  /// The options of BERT4Rec.
  public struct Options: ModelOptions {
    @Option(help: "Width of items and states; a multiple of the number of heads.")
    package var dimension = 128

    @Option(help: "Most recent items of a history that are read, besides the one that is hidden.")
    package var maxLength = 50

    @Option(help: "Encoder blocks.")
    package var layers = 2

    @Option(help: "Attention heads of the encoder.")
    package var heads = 2

    @Option(help: "Dropout probability of embeddings, attention and feed-forward layers.")
    package var dropout: Float = 0.2

    @Option(help: "Dropout probability of the attention alone (default: that of --dropout).")
    package var attentionDropout: Float?

    @Option(
      help: "Share of the items of a train history that are hidden; at least one is, never all.")
    package var hiddenShare: Float = 0.2

    @OptionGroup package var items: HashTableOptions

    @OptionGroup(title: "Objective") package var objective: NextItemLossOptions

    /// The defaults.
    public init() {}

    /// One field for each option.
    public static var fields: [OptionField<Self>] {
      [
        .integer("dimension", \.dimension, 2...4096, isStructural: true),
        .integer("maxLength", \.maxLength, 1...10_000, isStructural: true),
        .integer("layers", \.layers, 1...64, isStructural: true),
        .integer("heads", \.heads, 1...64, isStructural: true),
        .probability("dropout", \.dropout),
        .probability("attentionDropout", \.attentionDropout, default: \.dropout),
        .number("hiddenShare", \.hiddenShare, 0.01...0.99),
      ] + HashTableOptions.fields.map { $0.lifted(\.items) }
        + NextItemLossOptions.fields.map { $0.lifted(\.objective) }
    }

    /// Refuses what does not fit together.
    public func validate() throws {
      try validateRanges()
      guard dimension % heads == 0 else {
        throw ValidationError("'--dimension' must be a multiple of '--heads', not \(dimension).")
      }
      if objective.windows == .prefixes {
        throw ValidationError(
          "'--windows prefixes' is for models that predict the last item of each window alone.")
      }
    }

    /// Puts what the data decide in place of `auto`.
    public mutating func resolve(_ data: ModelData) {
      items.resolve(data)
      objective.resolve(data, maxLength: maxLength)
    }

    /// Sizes and dropout of the encoder, which sees the whole sequence.
    fileprivate var shape: AttentionShape {
      var shape = AttentionShape()
      shape.dimension = dimension
      shape.layerCount = layers
      shape.headCount = heads
      shape.isCausal = false
      shape.attentionDropout = attentionDropout ?? dropout
      shape.feedForwardDropout = dropout
      return shape
    }
  }

  /// What the model reads besides the sequences.
  public static func needs(_ options: Options) -> ModelNeeds { options.items.hashInit.needs }

  /// Declares the parts and composes them.
  public static func build(
    _ options: Options, _ data: ModelData
  ) throws(PipelineError) -> BERT4RecModel { BERT4RecModel(options, data) }
}

/// The network of BERT4Rec: a hidden item has a learned vector in place of its own.
public final class BERT4RecModel: NextItemModel, Sendable {
  /// Everything that is learned.
  public let store: ParameterStore
  /// The most recent items of a history that are read, besides the one that is hidden.
  public let maxLength: Int
  /// The item table.
  public let itemEncoders: [any ItemEncoder]
  /// Hash IDs alone.
  public let branchNames = ["hash"]
  /// The loss of a hidden item.
  public let loss: NextItemLoss
  /// What is shown of attention: nothing, since what is asked is no item of the history.
  public let headCount: Int? = nil
  private let table: EmbeddingTable
  private let hidden, positions: Parameter
  private let encoder: TransformerEncoder
  private let head: (weight: Parameter, bias: Parameter, gain: Parameter, offset: Parameter)
  private let hiddenShare: Double
  private let hashInitialization: HashInitialization

  /// Declares the parts and composes them.
  fileprivate init(_ options: BERT4Rec.Options, _ data: ModelData) {
    let (d, store) = (options.dimension, ParameterStore())
    let start = TransformerEncoder.start
    hidden = store.add("hidden-item", 1, d, start)
    positions = store.add("positions", options.maxLength + 1, d, start)
    encoder = TransformerEncoder(options.shape, in: store)
    head = (
      store.add("head.weight", d, d, start), store.add("head.bias", 1, d, .zero),
      store.add("head.norm.gain", 1, d, .one), store.add("head.norm.bias", 1, d, .zero)
    )
    table = store.addTable("hash", rows: data.itemCount, width: d)
    store.seal()
    self.store = store
    maxLength = options.maxLength
    itemEncoders = [ItemTable(table)]
    loss = options.objective.resolved(trainCounts: data.trainCounts)
    hiddenShare = Double("\(options.hiddenShare)") ?? Double(options.hiddenShare)
    hashInitialization = options.items.hashInit
  }

  /// The columns of the item table.
  public var diagnostics: Diagnostics { commonDiagnostics() }

  /// Gives every parameter its initial value.
  public func initialize(_ data: ModelData) {
    initializeIdentities(
      store, hash: (table, hashInitialization), random: TransformerEncoder.start, codes: nil, data)
  }

  /// The train part of every user with at least two train items, some of which are hidden.
  public func examples(
    _ sequences: UserSequences, seed: UInt64
  ) -> any ExampleSource<NextItemBatch> {
    HiddenItemExamples(
      sequences, maxLength: maxLength + 1, hiddenShare: hiddenShare,
      negativeCount: loss.form.negativesPerPosition,
      sampler: loss.sampler ?? ItemSampler(uniformBelow: itemCount),
      readsAllWindows: loss.windows == .all, hidesLastAlone: loss.readout == .last, seed: seed)
  }

  /// The states of the hidden items; where none is, those of one more item after each history.
  public func states(
    _ batch: SequenceBatch, at readout: Readout, on tape: Tape, random: CounterRandom?,
    observe: AttentionObserver?
  ) -> NextItemOutput {
    let asked = batch.hidden == nil ? batch.withHiddenEnds : batch
    let places = asked.hidden ?? []
    var isHidden = [Bool](repeating: false, count: asked.items.count)
    for place in places { isHidden[Int(place)] = true }
    let visible = asked.items.indices.filter { !isHidden[$0] }
    let items = itemEncoders[0].embed(
      visible.map { asked.items[$0] }, scale: 1, positions: nil, dropout: 0, into: nil, on: tape)
    let input = tape.addRows(
      tape.insertRows(items, hidden, at: places),
      PositionIDs(indices: asked.positionIDs, table: positions))
    let isLast = batch.hidden == nil
    let states = encoder.encode(
      input, sequences: asked.sequences, wholeStreams: isLast ? 0 : 1, on: tape,
      observe: observe)
    let inner = tape.linearGELU(
      isLast ? states : tape.rows(states, places), head.weight, bias: head.bias)
    return NextItemOutput(states: tape.layerNorm(inner, gain: head.gain, bias: head.offset))
  }
}
