/// What to do with several events of one user and one item.
enum Deduplication: String, Sendable, CaseIterable {
  /// Keep all.
  case none
  /// Keep the earliest.
  case first
  /// Keep the latest.
  case last
  /// Keep one of a run of equal items.
  case consecutive
}

/// Which of a user's events with one item stay.
struct RepeatRule: Sendable, Equatable {
  /// Which of several stay; the heaviest ones where kinds of events have weights.
  var deduplication = Deduplication.none
  /// The least sum of the weights of all of them.
  var minimumWeight = 0

  /// The numbers of events removed.
  struct Removed: Equatable {
    /// The events of users and items whose weights sum to too little.
    var weak = 0
    /// The repeated events.
    var repeated = 0
  }

  /// Whether nothing is removed.
  var keepsAll: Bool { deduplication == .none && minimumWeight <= 1 }

  /// Removes weak and repeated events of one user.
  ///
  /// - Parameters:
  ///   - events: in time order.
  ///   - item: the item of an event.
  ///   - weight: the weight of an event; nil where all weigh 1.
  /// - Returns: the number of events that were too weak.
  func apply<Event>(
    to events: inout [Event], item: (Event) -> UInt32, weight: ((Event) -> UInt16)?
  ) -> Int {
    let weak = minimumWeight > 1 ? removeWeak(&events, item, weight) : 0
    switch deduplication {
    case .none: break
    case .consecutive: keepOneOfRuns(&events, item, weight)
    case .first, .last:
      if let weight {
        keepHeaviest(&events, item, weight)
      } else {
        keepOne(&events, item)
      }
    }
    return weak
  }

  private func removeWeak<Event>(
    _ events: inout [Event], _ item: (Event) -> UInt32, _ weight: ((Event) -> UInt16)?
  ) -> Int {
    var sums: [UInt32: Int] = [:]
    for event in events { sums[item(event), default: 0] += Int(weight?(event) ?? 1) }
    let before = events.count
    events.removeAll { sums[item($0), default: 0] < minimumWeight }
    return before - events.count
  }

  /// Of each run of equal items the heaviest event stays, the earliest of equal ones.
  private func keepOneOfRuns<Event>(
    _ events: inout [Event], _ item: (Event) -> UInt32, _ weight: ((Event) -> UInt16)?
  ) {
    var count = 0
    for event in events {
      if count > 0, item(events[count - 1]) == item(event) {
        if let weight, weight(event) > weight(events[count - 1]) { events[count - 1] = event }
      } else {
        events[count] = event
        count += 1
      }
    }
    events.removeLast(events.count - count)
  }

  /// Of each item the heaviest event stays, of equal ones the earliest or the latest.
  private func keepHeaviest<Event>(
    _ events: inout [Event], _ item: (Event) -> UInt32, _ weight: (Event) -> UInt16
  ) {
    var best: [UInt32: Int] = [:]
    for (place, event) in events.enumerated() {
      if let other = best[item(event)] {
        let rival = weight(events[other])
        guard weight(event) > rival || deduplication == .last && weight(event) == rival else {
          continue
        }
      }
      best[item(event)] = place
    }
    events = best.values.sorted().map { events[$0] }
  }

  private func keepOne<Event>(_ events: inout [Event], _ item: (Event) -> UInt32) {
    if deduplication == .last { events.reverse() }
    defer { if deduplication == .last { events.reverse() } }
    // Most histories are short; searching them beats a set.
    if events.count <= 32 {
      var count = 0
      for event in events where !events[..<count].contains(where: { item($0) == item(event) }) {
        events[count] = event
        count += 1
      }
      events.removeLast(events.count - count)
      return
    }
    var seen = Set<UInt32>(minimumCapacity: events.count)
    events.removeAll { !seen.insert(item($0)).inserted }
  }
}
