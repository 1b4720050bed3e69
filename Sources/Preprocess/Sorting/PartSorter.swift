internal import Numerics

/// Sorts the events of a part of the users.
struct PartSorter {
  /// The events, in several pieces.
  let slices: [EventSlice]
  /// The users of the part.
  let users: Range<Int>
  let itemCount: Int
  /// The order of a user's events that have one time.
  let ties: TieOrder

  /// A part in order, without users that have no events, and what was removed from it.
  typealias Sorted = (part: HistoryPart, removed: RepeatRule.Removed)

  /// An event with its weight.
  private struct WeightedEvent {
    var event: Event
    var weight: UInt16
  }

  /// Sorts by user and time, ties by their rule.
  func sorted(_ rule: RepeatRule, _ marks: inout RepeatMarks) -> Sorted {
    let hasWeights = slices.contains { !$0.weights.isEmpty }
    let offsets = userOffsets()
    let limit = ties.rule == .hash ? itemCount : offsets[users.count]
    let packing = EventPacking(slices, numberLimit: limit)
    if hasWeights || rule.minimumWeight > 1 { return sortedWeighted(rule, hasWeights: hasWeights) }
    guard packing.isPossible else { return sortedPlain(rule, &marks) }
    return sortedPacked(packing, offsets, rule, &marks)
  }

  /// Where the events of each user begin, with the end of the last.
  private func userOffsets() -> [Int] {
    var offsets = [Int](repeating: 0, count: users.count + 1)
    for slice in slices {
      for event in slice.events { offsets[Int(event.user) - users.lowerBound + 1] += 1 }
    }
    for index in 0..<users.count { offsets[index + 1] += offsets[index] }
    return offsets
  }

  /// Sorts numbers that hold the time and the item, or the place where ties keep the order of the rows.
  private func sortedPacked(
    _ packing: EventPacking, _ offsets: [Int], _ rule: RepeatRule, _ marks: inout RepeatMarks
  ) -> Sorted {
    let keepsPlaces = ties.rule == .file
    var next = offsets
    var keys = [UInt64](repeating: 0, count: offsets[users.count])
    var items = [UInt32](repeating: 0, count: keepsPlaces ? keys.count : 0)
    for slice in slices {
      for event in slice.events {
        let user = Int(event.user) - users.lowerBound
        let place = next[user]
        keys[place] = packing.key(
          time: event.time, number: keepsPlaces ? UInt32(place) : event.item)
        if keepsPlaces { items[place] = event.item }
        next[user] += 1
      }
    }
    sortRows(&keys, offsets: offsets)
    arrangeTies(&keys, offsets) { key in
      let (time, item) = packing.timeAndNumber(key)
      return (time, item)
    }
    return collected(offsets, rule.deduplication, &marks) { place in
      let (time, number) = packing.timeAndNumber(keys[place])
      return (time, keepsPlaces ? items[Int(number)] : number)
    }
  }

  /// Sorts the events themselves, where time and number do not fit into 64 bits.
  private func sortedPlain(_ rule: RepeatRule, _ marks: inout RepeatMarks) -> Sorted {
    var events = slices.map(\.events).joined().map { WeightedEvent(event: $0, weight: 1) }
    let offsets = userOffsets()
    sort(&events, offsets)
    return collected(offsets, rule.deduplication, &marks) { place in
      (events[place].event.time, events[place].event.item)
    }
  }

  /// Sorts by user and time, ties by their rule; those of one item by weight.
  private func sort(_ events: inout [WeightedEvent], _ offsets: [Int]) {
    if ties.rule == .file {
      let order = events.indices.sorted { left, right in
        (events[left].event.user, events[left].event.time, left)
          < (events[right].event.user, events[right].event.time, right)
      }
      events = order.map { events[$0] }
      return
    }
    events.sort { left, right in
      (left.event.user, left.event.time, left.event.item, left.weight)
        < (right.event.user, right.event.time, right.event.item, right.weight)
    }
    arrangeTies(&events, offsets) { ($0.event.time, $0.event.item) }
  }

  private func arrangeTies<Element>(
    _ events: inout [Element], _ offsets: [Int],
    _ content: (Element) -> (time: Int64, item: UInt32)
  ) {
    var arranger = TieArranger(ties)
    for user in users {
      let first = offsets[user - users.lowerBound]
      let range = first..<offsets[user - users.lowerBound + 1]
      arranger.arrange(&events, range, user: UInt32(user), content)
    }
  }

  /// Sorts events with weights, and applies the rule to one user after another.
  private func sortedWeighted(_ rule: RepeatRule, hasWeights: Bool) -> Sorted {
    var events: [WeightedEvent] = []
    for slice in slices {
      for (index, event) in slice.events.enumerated() {
        let weight = hasWeights ? slice.weights[slice.weights.startIndex + index] : 1
        events.append(WeightedEvent(event: event, weight: weight))
      }
    }
    let offsets = userOffsets()
    sort(&events, offsets)
    var sorted: Sorted = (HistoryPart(), RepeatRule.Removed())
    for user in users {
      let index = user - users.lowerBound
      var mine = Array(events[offsets[index]..<offsets[index + 1]])
      let before = mine.count
      let weak = rule.apply(
        to: &mine, item: { $0.event.item }, weight: hasWeights ? { $0.weight } : nil)
      sorted.removed.weak += weak
      sorted.removed.repeated += before - weak - mine.count
      if mine.isEmpty { continue }
      sorted.part.items += mine.map(\.event.item)
      sorted.part.times += mine.map(\.event.time)
      sorted.part.users.append(UInt32(user))
      sorted.part.offsets.append(sorted.part.items.count)
    }
    return sorted
  }

  /// Takes the events that stay; `event` gives those of a user in the order of time.
  private func collected(
    _ offsets: [Int], _ rule: Deduplication, _ marks: inout RepeatMarks,
    _ event: (Int) -> (time: Int64, item: UInt32)
  ) -> Sorted {
    var part = HistoryPart()
    let count = offsets[users.count]
    part.items.reserveCapacity(count)
    part.times.reserveCapacity(count)
    for user in users {
      let range = offsets[user - users.lowerBound]..<offsets[user - users.lowerBound + 1]
      if range.isEmpty { continue }
      let begin = part.items.count
      var last: UInt32?
      for place in range {
        let event = event(rule == .last ? range.upperBound - 1 - (place - range.lowerBound) : place)
        switch rule {
        case .none: break
        case .consecutive:
          if event.item == last { continue }
          last = event.item
        case .first, .last:
          if !marks.isFirst(event.item, user: UInt32(user)) { continue }
        }
        part.items.append(event.item)
        part.times.append(event.time)
      }
      if rule == .last {
        part.items[begin...].reverse()
        part.times[begin...].reverse()
      }
      part.users.append(UInt32(user))
      part.offsets.append(part.items.count)
    }
    return (part, RepeatRule.Removed(repeated: count - part.items.count))
  }
}
