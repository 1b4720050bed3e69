internal import CKernels
internal import ShardIO

/// Numbers distinct byte strings 0, 1, 2, … in the order in which they are first seen.
///
/// Open addressing on 16-byte keys: strings of up to 15 bytes are their own key, so that finding one touches a single
/// cache line; longer ones are compared in the arena after a 64-bit hash agrees.
public struct IdentifierTable: Sendable {
  /// A string of up to 15 bytes, zero-padded, its length in the top byte; or a hash and a length, marked by 0xFF there.
  struct Key: Equatable, Sendable {
    var low: UInt64
    var high: UInt64

    var isLong: Bool { high >> 56 == 0xFF }

    var slotHash: UInt64 {
      var hash = (low ^ 0x9E37_79B9_7F4A_7C15) &* 0xFF51_AFD7_ED55_8CCD
      hash ^= hash >> 32
      hash = (hash ^ high) &* 0xC4CE_B9FE_1A85_EC53
      return hash ^ (hash >> 29)
    }
  }

  private struct Slot: Sendable {
    var key: Key
    /// The number of the string + 1; 0 in an empty slot.
    var mark: UInt32
  }

  private var slots: [Slot]
  private var shift: UInt64
  private var arena: [UInt8] = []
  private var ends: [Int] = []
  /// The keys of the strings of one call, see ``insert(_:_:into:)``.
  private var keys: [Key] = []

  /// The most strings a table can number.
  public static let maximumCount = Int(UInt32.max) - 1

  /// Creates an empty table.
  public init() {
    slots = Array(repeating: Slot(key: Key(low: 0, high: 0), mark: 0), count: 1 << 10)
    shift = 64 - 10
  }

  /// The number of distinct strings.
  public var count: Int { ends.count }

  /// The number of a string, given to it now if it is new.
  ///
  /// - Parameters:
  ///   - bytes: holds the string.
  ///   - range: where it lies.
  /// - Returns: its number.
  public mutating func insert(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt32 {
    let key = Self.key(bytes, range)
    let slot = findSlot(key, bytes, range)
    if slots[slot].mark != 0 { return slots[slot].mark - 1 }
    precondition(ends.count < Self.maximumCount, "too many distinct ids")
    let number = UInt32(ends.count)
    for index in range { arena.append(bytes[index]) }
    ends.append(arena.count)
    slots[slot] = Slot(key: key, mark: number + 1)
    if ends.count * 5 > slots.count * 3 { grow() }
    return number
  }

  /// The numbers of many strings, given to them now where they are new.
  ///
  /// All slots are asked for before the first is looked at, so that the processor waits for many at the same time.
  ///
  /// - Parameters:
  ///   - bytes: holds the strings.
  ///   - fields: where they lie.
  ///   - numbers: receives their numbers at its end.
  public mutating func insert(
    _ bytes: Span<UInt8>, _ fields: [FieldRange], into numbers: inout [UInt32]
  ) {
    keys.removeAll(keepingCapacity: true)
    for field in fields {
      let key = Self.key(bytes, field.range)
      keys.append(key)
      prefetchSlot(Int(truncatingIfNeeded: key.slotHash >> shift))
    }
    let first = numbers.count
    for index in keys.indices {
      let key = keys[index]
      let mark = slots[findSlot(key, bytes, fields[index].range)].mark
      numbers.append(mark &- 1)
    }
    // An empty slot has the mark 0, so the number of what is new wraps around.
    for index in fields.indices where numbers[first + index] == .max {
      numbers[first + index] = insert(bytes, fields[index].range)
    }
  }

  /// The bytes of all strings together.
  public var byteCount: Int { arena.count }

  /// The bytes that the table takes in memory.
  public var memoryByteCount: Int {
    slots.count * MemoryLayout<Slot>.stride + arena.capacity + ends.capacity * 8
  }

  /// The number of a string given as an array.
  public mutating func insert(_ string: some Collection<UInt8>) -> UInt32 {
    let bytes = Array(string)
    return insert(bytes.span, 0..<bytes.count)
  }

  /// The number of a string, or nil if the table does not have it.
  public func find(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt32? {
    let mark = slots[findSlot(Self.key(bytes, range), bytes, range)].mark
    return mark == 0 ? nil : mark - 1
  }

  /// The number of a string given as an array, or nil.
  public func find(_ string: some Collection<UInt8>) -> UInt32? {
    let bytes = Array(string)
    return find(bytes.span, 0..<bytes.count)
  }

  /// The bytes of a string.
  public subscript(number: UInt32) -> ArraySlice<UInt8> { arena[range(of: number)] }

  /// A string as text; bytes that are no UTF-8 are replaced.
  public func text(_ number: UInt32) -> String { String(decoding: self[number], as: UTF8.self) }

  private func range(of number: UInt32) -> Range<Int> {
    (number == 0 ? 0 : ends[Int(number) - 1])..<ends[Int(number)]
  }

  private func findSlot(_ key: Key, _ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: key.slotHash >> shift)
    while slots[slot].mark != 0 {
      if slots[slot].key == key {
        if !key.isLong || isEqual(slots[slot].mark - 1, bytes, range) { return slot }
      }
      slot = (slot + 1) & mask
    }
    return slot
  }

  private func isEqual(_ number: UInt32, _ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    let stored = self.range(of: number)
    guard stored.count == range.count else { return false }
    for offset in 0..<range.count
    where arena[stored.lowerBound + offset] != bytes[range.lowerBound + offset] {
      return false
    }
    return true
  }

  /// Brings a slot closer; it may lie on two cache lines.
  private func prefetchSlot(_ slot: Int) {
    unsafe slots.withUnsafeBytes { bytes in
      let place = unsafe bytes.baseAddress?.advanced(by: slot * MemoryLayout<Slot>.stride)
      unsafe h2rec_prefetch(place)
      unsafe h2rec_prefetch(place?.advanced(by: MemoryLayout<Slot>.size - 1))
    }
  }

  /// Empty slots, in large pages where the system has them: lookups go everywhere.
  private static func emptySlots(_ count: Int) -> [Slot] {
    unsafe [Slot](unsafeUninitializedCapacity: count) { buffer, initialized in
      unsafe h2rec_use_large_pages(buffer.baseAddress, count * MemoryLayout<Slot>.stride)
      unsafe buffer.initialize(repeating: Slot(key: Key(low: 0, high: 0), mark: 0))
      initialized = count
    }
  }

  private mutating func grow() {
    let old = slots
    slots = Self.emptySlots(old.count * 2)
    shift -= 1
    let mask = slots.count - 1
    for entry in old where entry.mark != 0 {
      var slot = Int(truncatingIfNeeded: entry.key.slotHash >> shift)
      while slots[slot].mark != 0 { slot = (slot + 1) & mask }
      slots[slot] = entry
    }
  }
}

extension IdentifierTable {
  /// The first 16 bytes of a string as two numbers that sort like them, and its number.
  private struct Entry {
    var first: UInt64
    var second: UInt64
    var number: UInt32
  }

  /// The numbers of all strings in ascending order of their bytes.
  public func sortedNumbers() -> [UInt32] {
    let bytes = arena.span
    var entries: [Entry] = []
    entries.reserveCapacity(count)
    for number in 0..<UInt32(count) {
      let range = range(of: number)
      let middle = min(range.lowerBound + 8, range.upperBound)
      entries.append(
        Entry(
          first: Self.word(bytes, range.lowerBound..<middle).byteSwapped,
          second: Self.word(bytes, middle..<min(middle + 8, range.upperBound)).byteSwapped,
          number: number))
    }
    Self.sortByWord(&entries, \.second)
    Self.sortByWord(&entries, \.first)
    sortEqualPrefixes(&entries)
    return entries.map(\.number)
  }

  /// A stable sort by one of the numbers, a byte at a time from the lowest; bytes that are equal in all cost nothing.
  private static func sortByWord(_ entries: inout [Entry], _ word: (Entry) -> UInt64) {
    var differing: UInt64 = 0
    for entry in entries { differing |= word(entry) ^ word(entries[0]) }
    var target = differing == 0 ? [] : entries
    for shift in stride(from: UInt64(0), to: 64, by: 8) where (differing >> shift) & 0xFF != 0 {
      var next = [Int](repeating: 0, count: 257)
      for entry in entries { next[Int((word(entry) >> shift) & 0xFF) + 1] += 1 }
      for digit in 0..<256 { next[digit + 1] += next[digit] }
      for entry in entries {
        let digit = Int((word(entry) >> shift) & 0xFF)
        target[next[digit]] = entry
        next[digit] += 1
      }
      swap(&entries, &target)
    }
  }

  /// Puts strings in order that agree in their first 16 bytes.
  private func sortEqualPrefixes(_ entries: inout [Entry]) {
    var start = 0
    while start < entries.count {
      var end = start + 1
      while end < entries.count, entries[end].first == entries[start].first,
        entries[end].second == entries[start].second
      {
        end += 1
      }
      if end - start > 1 {
        entries[start..<end].sort { self[$0.number].lexicographicallyPrecedes(self[$1.number]) }
      }
      start = end
    }
  }

  /// The key of a string.
  static func key(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Key {
    let count = range.count
    if count <= 15 {
      let middle = min(range.lowerBound + 8, range.upperBound)
      return Key(
        low: word(bytes, range.lowerBound..<middle),
        high: word(bytes, middle..<range.upperBound) | UInt64(count) << 56)
    }
    let hash = shortHash(bytes.extracting(range))
    return Key(low: hash, high: UInt64(truncatingIfNeeded: count) & 0xFF_FFFF | 0xFF << 56)
  }

  /// Up to 8 bytes as a little-endian number, zero-padded.
  private static func word(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
    let count = range.count
    if count == 0 { return 0 }
    // One load where 8 bytes can be read; the bytes after the string are shifted out.
    if range.lowerBound + 8 <= bytes.count {
      let loaded = unsafe bytes.bytes.unsafeLoadUnaligned(
        fromByteOffset: range.lowerBound, as: UInt64.self)
      let surplus = UInt64(64 - 8 * count)
      return (UInt64(littleEndian: loaded) << surplus) >> surplus
    }
    var value: UInt64 = 0
    for index in range.reversed() { value = value << 8 | UInt64(bytes[index]) }
    return value
  }
}
