public import ArgumentParser
internal import Dataset
public import TextInput

extension LogFormat: ExpressibleByArgument {}
extension Deduplication: ExpressibleByArgument {}
extension TieRule: ExpressibleByArgument {}
extension TimestampFormat: ExpressibleByArgument {}

/// What to do with items of the log that the item file lacks.
enum MissingItems: String, CaseIterable, ExpressibleByArgument {
  case error
  case drop
  /// Keep them, without title and text.
  case keep
}

/// What to do with items of the log that have no vector.
enum MissingVectors: String, CaseIterable, ExpressibleByArgument {
  case error
  case drop
  /// Make them from the items' texts, in the space of the others.
  case text
}

/// The kinds of split on the command line.
enum SplitKind: String, CaseIterable, ExpressibleByArgument {
  case leaveOneOut = "leave-one-out"
  case last
  case time
}

/// Kinds of events, each with a weight if it has one: `buy`, or `view=1,cart=2,buy=5`.
struct EventKinds: ExpressibleByArgument {
  /// The weight of each kind, 1 where none is given.
  var weights: [String: UInt16]

  /// The weights that a kind may have.
  static let weightRange: ClosedRange<UInt16> = 1...1000

  init?(argument: String) {
    weights = [:]
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let fields = part.split(separator: "=", omittingEmptySubsequences: false)
      guard let weight = fields.count == 2 ? UInt16(fields[1]) : 1, fields.count <= 2,
        let kind = fields.first, !kind.isEmpty, Self.weightRange.contains(weight),
        weights.updateValue(weight, forKey: String(kind)) == nil
      else { return nil }
    }
  }

  /// A kind that has two weights in a list of arguments.
  static func contradiction(_ arguments: [EventKinds]) -> String? {
    var known: [String: UInt16] = [:]
    for (kind, weight) in arguments.flatMap(\.weights).sorted(by: { $0.key < $1.key }) {
      if let other = known.updateValue(weight, forKey: kind), other != weight { return kind }
    }
    return nil
  }
}

/// A byte between fields.
struct Delimiter: ExpressibleByArgument {
  var byte: UInt8

  init?(argument: String) {
    let bytes = Array(argument.utf8)
    if argument == "tab" || argument == "\\t" {
      byte = UInt8(ascii: "\t")
    } else if bytes.count == 1, bytes[0] < 0x80, ![0x0A, 0x0D, 0x22].contains(bytes[0]) {
      byte = bytes[0]
    } else {
      return nil
    }
  }
}

/// A time on the command line, or a quantile of the times of the log.
struct TimePoint: ExpressibleByArgument {
  var argument: String
  /// Microseconds since 1970.
  var microseconds: Int64

  /// The quantile, if the text is a number between 0 and 1.
  var quantile: Double? {
    guard let value = Double(argument), value > 0, value < 1 else { return nil }
    return value
  }

  init?(argument: String) {
    let bytes = Array(argument.utf8)
    guard let time = parseTimestamp(bytes.span, 0..<bytes.count, .automatic) else { return nil }
    self.argument = argument
    microseconds = time
  }
}

/// A list of kinds of positive pairs.
struct PairKinds: ExpressibleByArgument {
  var kinds: [PositivePairs.Kind]

  var defaultValueDescription: String { kinds.map(\.rawValue).joined(separator: ",") }

  init(kinds: [PositivePairs.Kind]) { self.kinds = kinds }

  init?(argument: String) {
    if argument == "none" {
      kinds = []
      return
    }
    let parsed = argument.split(separator: ",").map { PositivePairs.Kind(rawValue: String($0)) }
    let found = parsed.compactMap(\.self)
    guard !found.isEmpty, found.count == parsed.count else { return nil }
    kinds = PositivePairs.Kind.allCases.filter(found.contains)
  }
}
