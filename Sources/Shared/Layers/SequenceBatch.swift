public import Tape

/// Histories packed one after another, without padding.
public struct SequenceBatch: Sendable {
  /// The items of all sequences, oldest first, `[T]`.
  public let items: [UInt32]
  /// Token ranges of the sequences.
  public let sequences: PackedSequences
  /// The tokens that are hidden from a model and asked for, ascending; nil where the item after each token is.
  public var hidden: [UInt32]?

  /// Packs histories; only the most recent `maxLength` items of each are kept.
  public init(_ histories: [ArraySlice<UInt32>], maxLength: Int) {
    var items: [UInt32] = []
    var offsets: [UInt32] = [0]
    for history in histories {
      items += history.suffix(maxLength)
      offsets.append(UInt32(items.count))
    }
    self.items = items
    sequences = PackedSequences(offsets: offsets)
  }

  /// The same sequences with one more token each, hidden, at the end.
  public var withHiddenEnds: SequenceBatch {
    var longer = SequenceBatch(
      zip(sequences.offsets, sequences.offsets.dropFirst()).map { first, end in
        (items[Int(first)..<Int(end)] + [0])[...]
      }, maxLength: .max)
    longer.hidden = longer.sequences.lastTokens
    return longer
  }

  /// Rows of the position table: 0 for the oldest kept item of each sequence, then 1, 2, … `[T]`.
  public var positionIDs: [UInt32] {
    var positions: [UInt32] = []
    positions.reserveCapacity(items.count)
    for (first, end) in zip(sequences.offsets, sequences.offsets.dropFirst()) {
      positions += 0..<(end - first)
    }
    return positions
  }

  /// The number of the sequence that each token belongs to, `[T]`.
  public var sequenceOfToken: [UInt32] {
    var numbers: [UInt32] = []
    numbers.reserveCapacity(items.count)
    for sequence in 0..<sequences.count {
      let length = sequences.offsets[sequence + 1] - sequences.offsets[sequence]
      numbers += repeatElement(UInt32(sequence), count: Int(length))
    }
    return numbers
  }
}
