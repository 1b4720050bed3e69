import ArgumentParser

/// Lengths of list, ascending and each once.
struct Cutoffs: Sendable, Equatable {
  /// The lengths, each from 1 to 10,000.
  var values: [Int]
}

extension Cutoffs: ExpressibleByArgument {
  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let values = parts.compactMap { Int($0) }
    guard values.count == parts.count, values.allSatisfy({ (1...10_000).contains($0) }) else {
      return nil
    }
    self.values = Set(values).sorted()
  }

  var defaultValueDescription: String { values.map(String.init).joined(separator: ",") }
}
