/// The time of an event and a number, such as its item or its place, in one number that sorts like them.
struct EventPacking {
  private let start: Int64
  /// All times are the first one plus multiples of this many microseconds.
  private let unit: UInt64
  private let numberBits: UInt64
  /// Whether 64 bits are enough.
  let isPossible: Bool

  /// Finds the range of the times.
  ///
  /// - Parameters:
  ///   - slices: the events.
  ///   - numberLimit: all numbers are below it.
  init(_ slices: [EventSlice], numberLimit: Int) {
    var low = Int64.max
    var high = Int64.min
    var isWhole = true
    for slice in slices {
      for event in slice.events {
        low = min(low, event.time)
        high = max(high, event.time)
        isWhole = isWhole && event.time % 1_000_000 == 0
      }
    }
    start = low
    unit = isWhole ? 1_000_000 : 1
    numberBits = UInt64(64 - UInt64(numberLimit).leadingZeroBitCount)
    let span = low <= high ? UInt64(bitPattern: high &- low) / unit : 0
    isPossible = UInt64(64 - span.leadingZeroBitCount) + numberBits <= 64
  }

  func key(time: Int64, number: UInt32) -> UInt64 {
    let distance = UInt64(bitPattern: time &- start)
    // A division by a constant is a multiplication.
    let steps = unit == 1_000_000 ? distance / 1_000_000 : distance
    return steps << numberBits | UInt64(number)
  }

  func timeAndNumber(_ key: UInt64) -> (time: Int64, number: UInt32) {
    let steps = key >> numberBits
    return (
      start &+ Int64(bitPattern: steps &* unit),
      UInt32(truncatingIfNeeded: key & (1 << numberBits - 1))
    )
  }
}
