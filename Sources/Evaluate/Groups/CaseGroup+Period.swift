import Foundation

extension CaseGroup {
  /// The number of periods that the targets are cut into.
  static let periodCount = 4

  /// The seconds of 1970.
  private static let firstYear: Int64 = 365 * 86_400

  /// Periods of the targets' times with about equally many targets, cut where a day (or a shorter unit) begins in UTC.
  ///
  /// The unit is the longest one that cuts the targets into ``periodCount`` or more parts; targets of one unit stay together,
  /// so there may be fewer periods. There are none where all targets have one time, or where all times are in 1970: such numbers
  /// are places in an order.
  static func periods(_ cases: EvaluationCases) -> [CaseGroup] {
    guard cases.times.contains(where: { !(0..<firstYear).contains($0) }),
      let unit = PeriodUnit.longest(for: cases.times)
    else { return [] }
    let sorted = cases.times.map { unit.start(of: $0) }.sorted()
    let cuts = cuts(sorted)
    guard cuts.count > 1 else { return [] }
    return cuts.enumerated().map { index, first in
      let next = index + 1 < cuts.count ? cuts[index + 1] : Int64.max
      let last = sorted.last { $0 < next } ?? first
      let title = first == last ? unit.text(first) : "\(unit.text(first)) to \(unit.text(last))"
      return CaseGroup(
        key: "period-\(index + 1)", title: title,
        rule:
          "the target's event is of \(title), UTC; as many targets in each period as whole days allow",
        section: .period, contains: { (first..<next).contains(cases.times[$0]) })
    }
  }

  /// The first unit of each period, ascending.
  private static func cuts(_ sorted: [Int64]) -> [Int64] {
    var cuts: [Int64] = []
    for part in 0..<periodCount {
      let cut = sorted[part * sorted.count / periodCount]
      if cut != cuts.last { cuts.append(cut) }
    }
    return cuts
  }
}

/// A unit of time by whose beginnings periods are cut.
private enum PeriodUnit: Int64, CaseIterable, Sendable {
  case day = 86_400
  case hour = 3600
  case minute = 60
  case second = 1

  /// The longest unit into ``CaseGroup/periodCount`` or more of which the times fall, else a second; nil if all are equal.
  static func longest(for times: [Int64]) -> PeriodUnit? {
    guard let first = times.first, times.contains(where: { $0 != first }) else { return nil }
    return allCases.first { unit in
      Set(times.lazy.map { unit.start(of: $0) }).count >= CaseGroup.periodCount
    } ?? .second
  }

  /// The beginning of the unit that a time is in, seconds since 1970.
  func start(of time: Int64) -> Int64 {
    let rest = time % rawValue
    return time - (rest < 0 ? rest + rawValue : rest)
  }

  /// The unit in words: `2014-07-23`, `2014-07-23 10 h`, `2014-07-23 10:15`, `2014-07-23 10:15:07`.
  func text(_ time: Int64) -> String {
    var seconds = time_t(time)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let date = "\(Int(parts.tm_year) + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    let (hour, minute) = (two(parts.tm_hour), two(parts.tm_min))
    switch self {
    case .day: return date
    case .hour: return "\(date) \(hour) h"
    case .minute: return "\(date) \(hour):\(minute)"
    case .second: return "\(date) \(hour):\(minute):\(two(parts.tm_sec))"
    }
  }
}
