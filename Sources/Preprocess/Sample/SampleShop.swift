internal import CommandSupport
internal import ShardIO
internal import SystemPackage
internal import TextOutput

/// Writes the sample shop as its owner would have it: a log in order of time, items, vectors and their ids.
struct SampleShop {
  let userCount: Int
  let itemCount: Int
  let eventCount: Int
  let seed: UInt64

  /// The files that it consists of.
  static let fileNames = [
    "interactions.csv", "items.jsonl", "item_embeddings.npy", "item_ids.txt",
  ]
  /// 2023-01-01T00:00:00Z, when the shop opens; seconds since 1970.
  private static let opening = 1_672_531_200
  private static let dayDuration = 86_400

  /// Writes the four files; each appears when it is whole, the log last.
  ///
  /// - Throws: ``PipelineError``: `.cannotCreate`, `.inputOutput`.
  func create(in directory: FilePath, isQuiet: Bool) throws(PipelineError) {
    try createDirectory(directory)
    let world = SampleWorld(itemCount: itemCount, seed: seed)
    var items = try AtomicFile(replacing: directory.appending("items.jsonl"))
    var vectors = try AtomicFile(replacing: directory.appending("item_embeddings.npy"))
    var ids = try AtomicFile(replacing: directory.appending("item_ids.txt"))
    var log = try AtomicFile(replacing: directory.appending("interactions.csv"))
    let layout = ArrayLayout("items", shape: [itemCount, SampleWorld.vectorWidth])
    try vectors.append(layout.npyHeader)
    let ranks = world.rankOfItem()
    for item in 0..<itemCount {
      let rank = Int(ranks[item])
      try items.append(try line(item, world.description(rank: rank)))
      try vectors.append(littleEndianBytes(world.vector(rank: rank)))
      try ids.append(Array("\(itemID(UInt32(item)))\n".utf8))
    }
    try writeLog(world, to: &log, isQuiet: isQuiet)
    try items.commit()
    try vectors.commit()
    try ids.commit()
    try log.commit()
  }

  /// An event of a day.
  private struct Event {
    var time: UInt32
    var user: UInt32
    var rank: UInt32
    var rating: UInt8
  }

  /// Goes through the days; each day's events are sorted by time and customer.
  private func writeLog(
    _ world: SampleWorld, to log: inout AtomicFile, isQuiet: Bool
  ) throws(PipelineError) {
    let progress = Progress("writing the log", total: eventCount, isQuiet: isQuiet)
    var customers = SampleCustomers(
      world, userCount: userCount, eventCount: eventCount, seed: seed)
    let dayCount = SampleCustomers.duration / Self.dayDuration
    // Customers wait in the list of the day of their next event.
    let none = UInt32.max
    var firstOfDay = [UInt32](repeating: none, count: dayCount)
    var nextInList = [UInt32](repeating: none, count: userCount)
    func enqueue(_ user: Int) {
      let day = min(customers.time(of: user) / Self.dayDuration, dayCount - 1)
      nextInList[user] = firstOfDay[day]
      firstOfDay[day] = UInt32(user)
    }
    for user in 0..<userCount where !customers.isFinished(user) { enqueue(user) }
    try log.append(Array("user_id,item_id,rating,timestamp\n".utf8))
    var events: [Event] = []
    for day in 0..<dayCount {
      events.removeAll(keepingCapacity: true)
      let end = day == dayCount - 1 ? Int.max : (day + 1) * Self.dayDuration
      var waiting = firstOfDay[day]
      while waiting != none {
        let user = Int(waiting)
        waiting = nextInList[user]
        while !customers.isFinished(user), customers.time(of: user) < end {
          let time = UInt32(customers.time(of: user))
          let event = customers.advance(user)
          events.append(
            Event(
              time: time, user: UInt32(user), rank: UInt32(event.rank), rating: UInt8(event.rating))
          )
        }
        if !customers.isFinished(user) { enqueue(user) }
      }
      // Events of one customer at one second keep their order: a stable sort by (time, customer).
      let order = events.indices.sorted { left, right in
        (events[left].time, events[left].user, left) < (
          events[right].time, events[right].user, right
        )
      }
      try writeEvents(order.map { events[$0] }, world, to: &log)
      progress.advance(by: events.count)
    }
    progress.finish()
  }

  private func writeEvents(
    _ events: [Event], _ world: SampleWorld, to log: inout AtomicFile
  ) throws(PipelineError) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(events.count * 36)
    for event in events {
      append(&bytes, "u", event.user, digits: digitCount(userCount))
      bytes.append(UInt8(ascii: ","))
      append(&bytes, "p", world.item(rank: Int(event.rank)), digits: digitCount(itemCount))
      bytes.append(UInt8(ascii: ","))
      bytes.append(UInt8(ascii: "0") + event.rating)
      bytes.append(UInt8(ascii: ","))
      bytes.append(contentsOf: String(Self.opening + Int(event.time)).utf8)
      bytes.append(UInt8(ascii: "\n"))
    }
    try log.append(bytes)
  }

  private func line(
    _ item: Int, _ description: SampleWorld.Description
  ) throws(PipelineError) -> [UInt8] {
    let object: JSONValue = .object([
      "item_id": .string(itemID(UInt32(item))),
      "title": .string(description.title),
      "categories": .array(description.categories.map { .string($0) }),
      "description": .string(description.text),
    ])
    return try TextField.jsonLine(object)
  }

  private func itemID(_ item: UInt32) -> String {
    var bytes: [UInt8] = []
    append(&bytes, "p", item, digits: digitCount(itemCount))
    return String(decoding: bytes, as: UTF8.self)
  }

  private func digitCount(_ count: Int) -> Int { String(max(count - 1, 0)).utf8.count }

  private func append(
    _ bytes: inout [UInt8], _ letter: Unicode.Scalar, _ number: UInt32, digits: Int
  ) {
    bytes.append(UInt8(ascii: letter))
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: digits))
    var rest = number
    var place = start + digits
    while rest > 0, place > start {
      place -= 1
      bytes[place] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    }
  }
}
