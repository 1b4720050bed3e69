/// The inputs of the matrix products of a training step; their sums, and everything else, are 32-bit floats.
public enum ProductPrecision: String, Sendable, CaseIterable {
  /// 32-bit floats.
  case float32
  /// bfloat16: eight bits of significand, twice the speed on processors that have it.
  case bfloat16

  /// The fastest that this machine has; bfloat16 leaves the quality of models what it is (Documentation/Speed.md).
  public static var fastest: ProductPrecision {
    BFloat16Multiply.shared == nil ? .float32 : .bfloat16
  }

  /// Whether this machine has such products.
  public var isAvailable: Bool { self == .float32 || BFloat16Multiply.shared != nil }
}
