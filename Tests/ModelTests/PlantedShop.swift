import ArgumentParser
import Dataset
import Models
import Numerics
import Retrieval
import ShardIO
import Tape
import TestSupport
import Testing
import Training

/// A shop with a rule: users whose histories are trained on, and others of whom the last item is asked.
struct PlantedShop {
  let itemCount: Int
  private let sequences: UserSequences
  private let asked: [[UInt32]]
  private let data: ModelData

  /// A shop of these histories; every item of the first ones is trained on.
  init(
    itemCount: Int, trained: [[Int]], asked: [[Int]], codes: ItemCodes? = nil,
    vectors: Matrix? = nil
  ) {
    self.itemCount = itemCount
    self.asked = asked.map { $0.map(UInt32.init) }
    let histories = trained.map { $0.map(UInt32.init) }
    sequences = UserSequences(
      userIDs: histories.indices.map { "u\($0)" }, items: RaggedArray(histories),
      times: RaggedArray(histories.map { $0.indices.map { Int64($0) } }),
      trainEnds: histories.map { UInt32($0.count) }, validEnds: histories.map { UInt32($0.count) })
    var data = ModelData(itemCount: itemCount, codes: codes)
    data.trainCounts = (0..<itemCount).map { item in
      UInt32(histories.reduce(0) { $0 + $1.count { $0 == UInt32(item) } })
    }
    data.trainLengths = histories.map(\.count)
    data.vectors = vectors
    self.data = data
  }

  /// Trains a model with the same products on every processor, and asks it.
  ///
  /// - Parameters:
  ///   - recipe: the model.
  ///   - words: its options.
  ///   - epochs: of batches of 32 histories.
  ///   - rate: the learning rate.
  ///   - seed: of everything that is random.
  /// - Returns: the share of the users who are asked whose last item scores best after those before it.
  /// - Throws: what the options or the model refuse.
  func accuracy<Recipe: ModelRecipe>(
    _ recipe: Recipe.Type, _ words: [String], epochs: Int, rate: Float = 0.003, seed: UInt64
  ) throws -> Double where Recipe.Model: NextItemModel {
    var (options, data) = (
      try Recipe.Options.parse(words + ["--dropout", "0", "--precision", "float32"]), data
    )
    data.seed = seed
    options.resolve(data)
    let model = try Recipe.build(options, data)
    model.initialize(data)
    var settings = TrainingStep<Recipe.Model>.Settings()
    settings.optimizer.rate = rate
    settings.precision = model.precision
    settings.seed = seed
    settings.threads = 2
    let step = TrainingStep(model, settings)
    let examples = model.examples(sequences, seed: seed)
    var number = 0
    for epoch in 1...epochs {
      for members in examples.batches(epoch: epoch, size: 32) {
        _ = step.run(examples.batch(members, epoch: epoch), number: number)
        number += 1
      }
    }
    return accuracy(model)
  }

  private func accuracy(_ model: some NextItemModel) -> Double {
    let histories = RaggedArray(asked.map { Array($0.dropLast()) })
    let states = model.read(histories, threads: 2).states
    let items = model.itemVectors(threads: 2)
    let hits = asked.indices.count { user in
      let scores = (0..<itemCount).map { item in
        zip(states[row: user], items[row: item]).reduce(Float(0)) { $0 + $1.0 * $1.1 }
      }
      guard let target = asked[user].last else { return false }
      return scores.indices.allSatisfy {
        $0 == Int(target) || scores[$0] < scores[Int(target)]
      }
    }
    return Double(hits) / Double(asked.count)
  }
}

extension PlantedShop {
  /// A shop whose users buy a few items in turn, each user other ones: the next item is the one `period` purchases back.
  ///
  /// Users who are asked have items of their own and histories of twice the length, so that neither items nor positions help, only how
  /// far back the next item is.
  static func rounds(of period: Int, itemCount: Int, length: Int, users: Int = 300) -> Self {
    let random = CounterRandom(seed: 11, stream: 0x524F_554E)
    func histories(_ users: Range<Int>, _ length: Int) -> [[Int]] {
      users.map { user in
        let items = random.substream(UInt64(user)).permutation(itemCount).prefix(period)
        return (0..<length - user % period).map { items[$0 % period] }
      }
    }
    return PlantedShop(
      itemCount: itemCount, trained: histories(0..<users, length),
      asked: histories(users..<users + 200, 2 * length))
  }

  /// A shop whose users had a taste for one topic and have one for another: the next item is the answer of the topic of most of
  /// the last `recent` items; histories have many lengths.
  ///
  /// - Parameters:
  ///   - topics: each has an answer and five other items.
  ///   - recent: items of the taste that is asked for.
  ///   - lengths: of the histories.
  ///   - users: who are trained on; a thousand others are asked.
  ///   - noiseInTen: of ten items, how many are of any topic.
  /// - Returns: the shop.
  static func tastes(
    topics: Int, recent: Int, lengths: Range<Int>, users: Int, noiseInTen: Int
  ) -> Self {
    let random = CounterRandom(seed: 13, stream: 0x5441_5354)
    let histories = (0..<users + 1000).map { (user: Int) -> [Int] in
      let draws = random.substream(UInt64(user))
      let length = lengths.lowerBound + draws.integer(below: lengths.count, 0)
      let now = draws.integer(below: topics, 1)
      let before = (now + 1 + draws.integer(below: topics - 1, 2)) % topics
      return (1..<length).map { position in
        let taste = position < length - recent ? before : now
        let first = UInt64(3 * position)
        let isNoise = draws.integer(below: 10, first) < noiseInTen
        let topic = isNoise ? draws.integer(below: topics, first + 1) : taste
        return topics + 5 * topic + draws.integer(below: 5, first + 2)
      } + [now]
    }
    return PlantedShop(
      itemCount: 6 * topics, trained: Array(histories.prefix(users)),
      asked: Array(histories.dropFirst(users)))
  }
}

extension PlantedShop {
  /// A shop whose items are companions: in the histories that are trained on, the first of two companions always comes before the second,
  /// among other pairs; who is asked bought a second one, and misses the first.
  static func companions(pairs: Int, in history: Int, users: Int = 400) -> Self {
    let random = CounterRandom(seed: 14, stream: 0x5041_4952)
    func order(_ chosen: ArraySlice<Int>, _ draws: CounterRandom) -> [Int] {
      // Each number twice in any order; the first time it stands for the first companion.
      let places = draws.permutation(2 * chosen.count).map { Array(chosen)[$0 / 2] }
      var seen: Set<Int> = []
      return places.map { seen.insert($0).inserted ? $0 : pairs + $0 }
    }
    let histories = (0..<users + 400).map { user in
      let draws = random.substream(UInt64(user))
      let chosen = draws.permutation(pairs).prefix(history)
      guard user >= users, let missing = chosen.last else {
        return order(chosen, draws.substream(1))
      }
      return order(chosen.dropLast(), draws.substream(1)) + [pairs + missing, missing]
    }
    return PlantedShop(
      itemCount: 2 * pairs, trained: Array(histories.prefix(users)),
      asked: Array(histories.dropFirst(users)))
  }

  /// A shop in which the next item is a weighted sum of some items before it, modulo the number of items.
  static func sums(
    _ weights: [Int], itemCount: Int, length: Int, users: Int = 300
  ) -> Self {
    let random = CounterRandom(seed: 12, stream: 0x5355_4D53)
    let histories = (0..<users + 200).map { user in
      var items = weights.indices.map {
        random.substream(UInt64(user)).integer(below: itemCount, UInt64($0))
      }
      while items.count < length {
        items.append(zip(items.reversed(), weights).reduce(0) { $0 + $1.0 * $1.1 } % itemCount)
      }
      return items
    }
    return PlantedShop(
      itemCount: itemCount, trained: Array(histories.prefix(users)),
      asked: Array(histories.dropFirst(users)))
  }
}
