internal import Foundation

/// A property that does not hold, with the case that shows it.
public struct PropertyFailure: Error, CustomStringConvertible {
  /// The case and how to run it alone.
  public let description: String
}

/// Checks a property for every value of a range, and says which value failed.
///
/// `H2REC_SEED=17` runs that value alone; `H2REC_CASES=20000` runs that many, starting at the lower bound.
///
/// - Parameters:
///   - name: what the value is, for the message.
///   - range: the values.
///   - body: throws if the property does not hold; use `#require` in it.
/// - Throws: ``PropertyFailure`` for the first value whose body throws.
public func withEvery(
  _ name: String, in range: Range<Int>, _ body: (Int) throws -> Void
) throws {
  let environment = ProcessInfo.processInfo.environment
  var values = range
  if let count = environment["H2REC_CASES"].flatMap(Int.init) {
    values = range.lowerBound..<(range.lowerBound + count)
  }
  if let seed = environment["H2REC_SEED"].flatMap(Int.init) { values = seed..<(seed + 1) }
  for value in values {
    do {
      try body(value)
    } catch {
      throw PropertyFailure(
        description: "\(name) \(value): \(error); H2REC_SEED=\(value) runs it alone")
    }
  }
}

/// Random numbers that are the same in every run (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// Starts the sequence of a seed.
  public init(seed: Int) { state = UInt64(bitPattern: Int64(seed)) }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
