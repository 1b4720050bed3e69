extension CounterRandom {
  /// An independent stream derived from this one.
  ///
  /// - Parameter index: which one.
  /// - Returns: a stream that shares no numbers with this one or with other indices, except by chance.
  public func substream(_ index: UInt64) -> CounterRandom {
    CounterRandom(seed: bits(index), stream: index)
  }

  /// A permutation of 0 ..< count (Fisher and Yates).
  public func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    guard count > 1 else { return order }
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, integer(below: last + 1, UInt64(last)))
    }
    return order
  }

  /// A number of the standard normal distribution (Box and Muller).
  public func normal(_ index: UInt64) -> Double {
    let radius = (-2 * naturalLogarithm(1 - uniform(2 * index))).squareRoot()
    return radius * cosine(2 * .pi * uniform(2 * index + 1))
  }
}
