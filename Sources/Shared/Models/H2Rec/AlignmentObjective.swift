internal import Layers
internal import Losses
internal import Numerics
internal import Training

/// L_CGA, the code-guided alignment of an item's two identities (H2Rec, Part 1.4).
///
/// `@unchecked Sendable`: its memory is used between the parallel regions of a step alone.
final class AlignmentObjective: Objective, @unchecked Sendable {
  let name = "alignment"
  private let semantic: any ItemEncoder
  private let hash: any ItemEncoder
  private let pairs: AlignmentPairs?
  private let readout: Readout
  private let temperature: Float
  let weight: Float
  private let alignment: AlignmentLoss
  private let marks: ItemMarks
  private let itemLimit: Int

  /// Creates the objective.
  ///
  /// - Parameters:
  ///   - semantic: the item encoder that is aligned.
  ///   - hash: the one that it is aligned with.
  ///   - pairs: the positives; nil where only an item itself is positive.
  ///   - readout: whose targets take part.
  ///   - temperature: τ.
  ///   - weight: a.
  ///   - precision: of the products.
  ///   - itemLimit: the largest number of distinct items that take part in a step.
  init(
    semantic: any ItemEncoder, hash: any ItemEncoder, pairs: AlignmentPairs?, readout: Readout,
    temperature: Float, weight: Float, precision: ProductPrecision, itemLimit: Int
  ) {
    self.semantic = semantic
    self.hash = hash
    self.pairs = pairs
    self.readout = readout
    self.temperature = temperature
    self.weight = weight
    self.itemLimit = itemLimit
    alignment = AlignmentLoss(precision: precision)
    marks = ItemMarks(itemCount: hash.itemCount)
  }

  func evaluate(
    _ batch: NextItemBatch, _ outputs: [NextItemOutput], _ context: StepContext
  ) -> Double {
    var items = marks.distinct(batch.predictions(at: readout).targets)
    if items.count > itemLimit {
      let order = context.random.substream(0x414C_4947).permutation(items.count)
      items = order.prefix(itemLimit).sorted().map { items[$0] }
    }
    let (pairs, marks, chosen) = (pairs, marks, items)
    return marks.mark(chosen) {
      alignment.add(
        items: chosen, semantic: semantic, hash: hash, temperature: temperature, weight: weight,
        threads: context.threads
      ) { rows in
        pairs?.lists(of: chosen[rows], in: marks) ?? PositiveLists(identity: rows)
      }
    }
  }
}
