import Dataset

/// How candidates are chosen.
enum RankingProtocol: String, CaseIterable, Sendable {
  /// The whole catalogue without the user's history.
  case full
  /// The whole catalogue, the user's history among it, as many published tables have it.
  case fullWithHistory = "full-with-history"
  /// The target and the stored negatives that are uniform.
  case negatives
  /// The target and the stored negatives that are drawn by popularity.
  case popular = "negatives-popular"

  /// The stored negatives that the protocol needs; nil for none.
  var negatives: EvaluationNegatives.Kind? {
    switch self {
    case .full, .fullWithHistory: nil
    case .negatives: .uniform
    case .popular: .popular
    }
  }

  /// A few words for a heading.
  var title: String {
    switch self {
    case .full: "full ranking"
    case .fullWithHistory: "full with history"
    case .negatives: "stored negatives"
    case .popular: "popular negatives"
    }
  }
}

/// The rank of every case under one protocol.
struct CaseRanks: Sendable, Equatable {
  /// The cases that were ranked, ascending; all of them under the full protocol.
  var cases: [Int] = []
  /// The 1-based mid-rank of each target.
  var ranks: [Double] = []
  /// The number of candidates each target was ranked among, itself included.
  var candidateCounts: [Int] = []
}

extension CaseRanks {
  /// Adds cases that follow the ones before.
  mutating func append(cases: some Sequence<Int>, ranks: [Double], candidateCounts: [Int]) {
    self.cases += cases
    self.ranks += ranks
    self.candidateCounts += candidateCounts
  }
}
