internal import Dataset
internal import Losses
internal import Numerics
internal import Training

/// The train part of every user as inputs and next items, and the order of the epochs.
struct NextItemExamples: ExampleSource {
  /// A window of a user's train part.
  private struct Window {
    let user: Int
    /// 0 for the most recent one, 1 for the one before it.
    let number: Int
    let items: ArraySlice<UInt32>
  }

  private let windows: [Window]
  private let kind: HistoryWindows
  /// The items of each user who has a window; empty where no negatives are drawn.
  private let seen: [Int: Set<UInt32>]
  private let negativeCount: Int
  private let sampler: ItemSampler
  private let order: CounterRandom
  private let negatives: CounterRandom

  /// Takes users with at least two train items; the most recent `maxLength + 1` of them, and where wanted the windows before them:
  /// each ends with the first item of the next one, or with the item before the last one's last.
  ///
  /// - Parameters:
  ///   - sequences: the histories of all users.
  ///   - maxLength: the most inputs of a sequence.
  ///   - negativeCount: negatives for each position.
  ///   - sampler: how they are drawn.
  ///   - kind: which windows are taken; with `prefixes`, the last position of each counts alone.
  ///   - seed: of the order of the epochs and of the negatives.
  init(
    _ sequences: UserSequences, maxLength: Int, negativeCount: Int, sampler: ItemSampler,
    kind: HistoryWindows = .last, seed: UInt64
  ) {
    let users = (0..<sequences.count).filter { sequences.trainEnds[$0] >= 2 }
    windows = users.flatMap { user in
      Self.windows(of: sequences.train(of: user), maxLength: maxLength, kind)
        .enumerated().map { Window(user: user, number: $0, items: $1) }
    }
    seen =
      negativeCount > 0
      ? Dictionary(uniqueKeysWithValues: users.map { ($0, Set(sequences.train(of: $0))) }) : [:]
    self.kind = kind
    self.negativeCount = negativeCount
    self.sampler = sampler
    order = CounterRandom(seed: seed, stream: 0x4F52_4445)
    negatives = CounterRandom(seed: seed, stream: 0x4E45_4741)
  }

  /// Windows of at most `maxLength + 1` items, the most recent one first.
  private static func windows(
    of items: ArraySlice<UInt32>, maxLength: Int, _ kind: HistoryWindows
  ) -> [ArraySlice<UInt32>] {
    var windows = [items.suffix(maxLength + 1)]
    guard kind != .last else { return windows }
    let step = kind == .all ? maxLength : 1
    var rest = items.dropLast(step)
    while rest.count > 1 {
      windows.append(rest.suffix(maxLength + 1))
      rest = rest.dropLast(step)
    }
    return windows
  }

  /// The number of windows.
  var count: Int { windows.count }

  /// The targets of all windows.
  var targetCount: Int? {
    kind == .prefixes ? count : windows.reduce(0) { $0 + $1.items.count - 1 }
  }

  /// The sequences of an epoch, shuffled and cut into batches; a function of the seed and the epoch alone.
  func batches(epoch: Int, size: Int) -> [[Int]] {
    shuffledBatches(of: count, size: size, order.substream(UInt64(epoch)))
  }

  /// The inputs, targets and negatives of some sequences.
  func batch(_ members: [Int], epoch: Int) -> NextItemBatch {
    var targets: [UInt32] = []
    var drawn: [UInt32] = []
    for member in members {
      let next = windows[member].items.dropFirst()
      targets += next
      drawn += drawNegatives(member, count: next.count * negativeCount, epoch: epoch)
    }
    return NextItemBatch(
      histories: members.map { windows[$0].items.dropLast() }, targets: targets, negatives: drawn)
  }

  /// Items outside a user's train history; any item for a user who has seen everything.
  private func drawNegatives(_ member: Int, count: Int, epoch: Int) -> [UInt32] {
    guard count > 0 else { return [] }
    let window = windows[member]
    var stream = negatives.substream(UInt64(epoch)).substream(UInt64(window.user))
    if window.number > 0 { stream = stream.substream(UInt64(window.number)) }
    return sampler.items(count, outside: seen[window.user] ?? [], stream)
  }
}
