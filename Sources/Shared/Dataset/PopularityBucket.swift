/// A range of train interaction counts by which results are reported.
public enum PopularityBucket: UInt8, Sendable, CaseIterable {
  /// No train interaction.
  case cold = 0
  /// 1 to 9.
  case upTo9
  /// 10 to 29.
  case upTo29
  /// 30 to 59.
  case upTo59
  /// 60 to 99.
  case upTo99
  /// 100 and more.
  case from100

  /// The bucket of a number of train interactions.
  public init(trainCount: Int) {
    switch trainCount {
    case ..<1: self = .cold
    case ..<10: self = .upTo9
    case ..<30: self = .upTo29
    case ..<60: self = .upTo59
    case ..<100: self = .upTo99
    default: self = .from100
    }
  }

  /// The name used in reports, for example `10-29`.
  public var label: String {
    switch self {
    case .cold: "cold"
    case .upTo9: "1-9"
    case .upTo29: "10-29"
    case .upTo59: "30-59"
    case .upTo99: "60-99"
    case .from100: "100+"
    }
  }
}
