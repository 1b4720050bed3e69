// Work in parallel is part of what numeric code is written in: who imports Numerics has it too.
@_exported public import Threading

/// 0 ..< count cut into ranges of `size`; the last may be shorter.
public func ranges(_ count: Int, of size: Int) -> [Range<Int>] {
  stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
}
