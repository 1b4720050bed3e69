/// Random numbers that are a function of (seed, stream, index) alone.
///
/// No state is carried along, so numbers can be drawn in any order and on any thread. The bits come from two rounds
/// of the finaliser of SplitMix64 (Steele, Lea and Flood 2014) over a mix of the three numbers.
public struct CounterRandom: Sendable, Equatable {
  private let key: UInt64

  /// The numbers of one stream.
  ///
  /// - Parameters:
  ///   - seed: the seed of the run.
  ///   - stream: which of many independent sequences.
  public init(seed: UInt64, stream: UInt64) {
    key = Self.mix(Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15) ^ stream)
  }

  /// 64 random bits.
  ///
  /// - Parameter index: the place in the stream.
  /// - Returns: the bits at that place.
  public func bits(_ index: UInt64) -> UInt64 {
    Self.mix(Self.mix(key &+ index &* 0x9E37_79B9_7F4A_7C15) ^ key)
  }

  /// A real number with 53 random bits.
  ///
  /// - Parameter index: the place in the stream.
  /// - Returns: a number in `0..<1`.
  public func uniform(_ index: UInt64) -> Double {
    Double(bits(index) >> 11) * 0x1p-53
  }

  /// A whole number below a bound.
  ///
  /// - Parameters:
  ///   - bound: greater than 0; the bias is below `bound` / 2⁶⁴.
  ///   - index: the place in the stream.
  /// - Returns: a number in `0..<bound`.
  public func integer(below bound: Int, _ index: UInt64) -> Int {
    Int(bits(index).multipliedFullWidth(by: UInt64(bound)).high)
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
