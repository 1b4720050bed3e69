import Numerics

/// Turns a longer list into the final one: at most so many items of a category, and items unlike those before them.
///
/// Maximal marginal relevance (Carbonell and Goldstein 1998): the next item is the one with the greatest
/// λ · relevance − (1 − λ) · (greatest cosine of its text vector with the items taken before). Relevance is the score,
/// scaled so that the list runs from 1 to 0. With λ = 1 the order stays.
struct Reranker: Sendable {
  /// The number of items to take.
  let count: Int
  /// λ, from 0 to 1.
  let relevanceWeight: Double
  /// The most items of a most specific category, nil for no limit; items without categories are not limited.
  let categoryLimit: Int?
  /// The most specific category of each item.
  let categories: [String?]
  /// Text vectors of length 1, `[I, width]`; empty when `relevanceWeight` is 1.
  let directions: [Float]
  let width: Int

  /// Whether anything but the score decides.
  var changesOrder: Bool { relevanceWeight < 1 || categoryLimit != nil }

  /// How long a list is needed to choose from.
  func poolSize(catalogue: Int) -> Int {
    guard changesOrder else { return min(count, catalogue) }
    return min(max(10 * count, 100), catalogue)
  }

  /// The places of the chosen entries in the pool, in their new order.
  ///
  /// - Parameters:
  ///   - items: the pool, best first.
  ///   - scores: their scores.
  /// - Returns: at most ``count`` places, each once.
  func order(_ items: [UInt32], _ scores: [Float]) -> [Int] {
    guard let best = scores.first, let worst = scores.last else { return [] }
    let span = best > worst ? Double(best - worst) : 1
    let relevance = scores.map { Double($0 - worst) / span }
    var similarity = [Double](repeating: 0, count: items.count)
    var isLeft = [Bool](repeating: true, count: items.count)
    var taken: [String: Int] = [:]
    var chosen: [Int] = []
    while chosen.count < count {
      var next: (place: Int, value: Double)?
      for place in items.indices where isLeft[place] {
        let value =
          relevanceWeight * relevance[place] - (1 - relevanceWeight) * similarity[place]
        if value > next?.value ?? -.infinity { next = (place, value) }
      }
      guard let place = next?.place else { break }
      isLeft[place] = false
      if let categoryLimit, let category = categories[Int(items[place])] {
        guard taken[category, default: 0] < categoryLimit else { continue }
        taken[category, default: 0] += 1
      }
      chosen.append(place)
      guard relevanceWeight < 1 else { continue }
      for other in items.indices where isLeft[other] {
        let cosine = cosine(items[place], items[other])
        similarity[other] = chosen.count == 1 ? cosine : max(similarity[other], cosine)
      }
    }
    return chosen
  }

  private func cosine(_ first: UInt32, _ second: UInt32) -> Double {
    let (a, b) = (Int(first) * width, Int(second) * width)
    var sum: Float = 0
    for column in 0..<width { sum += directions[a + column] * directions[b + column] }
    return Double(sum)
  }
}
