internal import CKernels

/// How far the score of a user u and an item v may be from the approximate one.
///
/// With ũ and ṽ the rounded vectors, |u·v − ũ·ṽ| ≤ |u − ũ| |v| + |ũ| |v − ṽ|. A sum of w products in single precision, in any order,
/// is at most (w + 1) 2⁻²⁴ |u| |v| away from its value; there are two such sums, and the rounding of the margin itself counts as a
/// few products more. All this is below f (|v| + ε) with a factor f of the user alone, into which the largest |v − ṽ| / (|v| + ε) of the
/// catalogue enters; with f ≥ ε = 2⁻⁵⁰ it covers numbers too small to be normal, too, which bfloat16 products take for 0.
///
/// Vectors longer than 2⁶², or with elements that are not finite, have no margin: their scores may overflow.
struct ScoreMargin {
  private static let floor = 0x1p-50
  private static let longest = 0x1p62
  /// Makes up for rounding a positive Double to a Float.
  private static let upwards = 1 + 0x1p-20

  private let width: Int
  /// The largest |v − ṽ| / (|v| + ε).
  private let itemError: Double

  init(width: Int, itemError: Double) {
    self.width = width
    self.itemError = itemError
  }

  /// The factor of a user, infinite for one without margin.
  func factor(_ user: RoundedLength) -> Float {
    let (length, error) = (user.length, user.error)
    guard length <= Self.longest else { return .infinity }
    let sums = Double(width + 8) * 0x1p-22 * length
    return Float((error + (length + error) * itemError + sums + Self.floor) * Self.upwards)
  }

  /// The factor of an item, infinite for one without margin.
  static func bound(_ item: RoundedLength) -> Float {
    item.length <= longest ? Float((item.length + floor) * upwards) : .infinity
  }

  /// The part of an item's rounding error in the margins.
  static func relativeError(_ item: RoundedLength) -> Double {
    item.length <= longest ? item.error / (item.length + floor) : 0
  }
}

/// The length of a vector and of what rounding took from it, in double precision.
struct RoundedLength {
  let length: Double
  let error: Double

  /// Measures a vector `[width]` and its rounded form, nil where it is not rounded.
  init(_ vector: UnsafePointer<Float>, _ rounded: UnsafePointer<UInt16>?, width: Int) {
    length = unsafe h2rec_sum_of_squares(vector, width).squareRoot()
    let squaredError = unsafe rounded.map { unsafe h2rec_bf16_squared_error(vector, $0, width) }
    error = (squaredError ?? 0).squareRoot()
  }
}
