internal import Dataset
internal import Losses
internal import Numerics
internal import Training

/// The train part of every user as a history in which some items are hidden, other ones in each epoch (a cloze; Sun and others 2019, 3.6).
struct HiddenItemExamples: ExampleSource {
  /// One window in so many hides its last item alone, as the question for the next item does: the published code makes ten windows with
  /// random hidden items for each such one.
  static let windowsForOneEnd = 11

  private let windows: [(user: Int, items: ArraySlice<UInt32>)]
  private let userCount: Int
  private let seen: [Int: Set<UInt32>]
  private let hiddenShare: Double
  private let negativeCount: Int
  private let sampler: ItemSampler
  private let hidesLastAlone: Bool
  private let order, hiding, negatives: CounterRandom

  /// Takes users with at least two train items.
  ///
  /// - Parameters:
  ///   - sequences: the histories of all users.
  ///   - maxLength: the most items of a window, hidden ones included; at least 2.
  ///   - hiddenShare: the share of a window's items that are hidden, rounded; at least one is hidden and one is not.
  ///   - negativeCount: negatives for each hidden item.
  ///   - sampler: how they are drawn.
  ///   - readsAllWindows: whether windows before the most recent one are taken, too.
  ///   - hidesLastAlone: whether the last item of a window is all that is ever hidden.
  ///   - seed: of the order of the epochs, of what is hidden, and of the negatives.
  init(
    _ sequences: UserSequences, maxLength: Int, hiddenShare: Double, negativeCount: Int,
    sampler: ItemSampler, readsAllWindows: Bool, hidesLastAlone: Bool, seed: UInt64
  ) {
    let users = (0..<sequences.count).filter { sequences.trainEnds[$0] >= 2 }
    userCount = users.count
    windows = users.flatMap { user in
      var rest = sequences.train(of: user)
      var windows = [(user, rest.suffix(maxLength))]
      rest = rest.dropLast(maxLength)
      while readsAllWindows, rest.count > 1 {
        windows.append((user, rest.suffix(maxLength)))
        rest = rest.dropLast(maxLength)
      }
      return windows
    }
    seen =
      negativeCount > 0
      ? Dictionary(uniqueKeysWithValues: users.map { ($0, Set(sequences.train(of: $0))) }) : [:]
    self.hiddenShare = hiddenShare
    self.negativeCount = negativeCount
    self.sampler = sampler
    self.hidesLastAlone = hidesLastAlone
    order = CounterRandom(seed: seed, stream: 0x4F52_4445)
    hiding = CounterRandom(seed: seed, stream: 0x4849_4445)
    negatives = CounterRandom(seed: seed, stream: 0x4E45_4741)
  }

  /// The number of windows.
  var count: Int { windows.count }

  /// The items that may be hidden, one of each user left out.
  var targetCount: Int? { windows.reduce(0) { $0 + $1.items.count } - userCount }

  /// The windows of an epoch, shuffled and cut into batches; a function of the seed and the epoch alone.
  func batches(epoch: Int, size: Int) -> [[Int]] {
    shuffledBatches(of: count, size: size, order.substream(UInt64(epoch)))
  }

  /// Some windows, their items as the targets, and what is hidden of them.
  func batch(_ members: [Int], epoch: Int) -> NextItemBatch {
    var targets: [UInt32] = []
    var hidden: [Int] = []
    var drawn: [UInt32] = []
    for member in members {
      let window = windows[member]
      let places = places(in: window.items.count, member, epoch: epoch)
      hidden += places.map { targets.count + $0 }
      targets += window.items
      drawn += sampler.items(
        places.count * negativeCount, outside: seen[window.user] ?? [],
        negatives.substream(UInt64(epoch)).substream(UInt64(member)))
    }
    var batch = NextItemBatch(
      histories: members.map { windows[$0].items }, targets: targets, negatives: drawn)
    batch.hidden = hidden
    return batch
  }

  /// The places of a window of `count` items that are hidden, ascending.
  private func places(in count: Int, _ member: Int, epoch: Int) -> [Int] {
    let random = hiding.substream(UInt64(epoch)).substream(UInt64(member))
    if hidesLastAlone || random.integer(below: Self.windowsForOneEnd, 0) == 0 {
      return [count - 1]
    }
    let wanted = min(count - 1, max(1, Int((hiddenShare * Double(count)).rounded())))
    return random.substream(1).permutation(count).prefix(wanted).sorted()
  }
}

extension ItemSampler {
  /// Items outside a set, or any items where the set holds all.
  ///
  /// - Parameters:
  ///   - count: how many; they may repeat.
  ///   - seen: what is left out.
  ///   - random: the draws.
  /// - Returns: `[count]`.
  func items(_ count: Int, outside seen: Set<UInt32>, _ random: CounterRandom) -> [UInt32] {
    var drawn: [UInt32] = []
    var index: UInt64 = 0
    while drawn.count < count {
      let item = item(random, index)
      index += 1
      if seen.count >= self.count || !seen.contains(item) { drawn.append(item) }
    }
    return drawn
  }
}
