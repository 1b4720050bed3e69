/// Integers in blocks of 1024, each block with a base and as many bits a value as its largest difference needs.
///
/// A block is its base (8 bytes), the number of bits (1 byte, 0 to 64) and the differences to the base as one
/// little-endian stream of bits, padded with zero bits to a byte. See Documentation/ShardFormat.md, section 5.
enum BitPacking {
  /// The values of a block; the last block may have fewer.
  static let blockValueCount = 1024
  /// The bytes of a block before its differences.
  static let blockHeaderByteCount = 9

  /// The fewest bytes that `count` values can take.
  static func minimumByteCount(_ count: Int) -> Int {
    (count + blockValueCount - 1) / blockValueCount * blockHeaderByteCount
  }

  /// Packs values.
  ///
  /// - Parameters:
  ///   - values: the values.
  ///   - isDelta: whether to store each value's difference to the one before it (to 0 for the first), modulo 2⁶⁴.
  ///   - isByteAligned: whether to round the bits of a value up to whole bytes, which zstd can compress further.
  /// - Returns: the blocks.
  static func packed<Element: FixedWidthInteger & BitwiseCopyable>(
    _ values: ArraySlice<Element>, isDelta: Bool, isByteAligned: Bool
  ) -> [UInt8] {
    let blocks = values.count / blockValueCount + 1
    let capacity = blocks * (blockHeaderByteCount + 8) + 8 * values.count
    var previous: UInt64 = 0
    var scratch = [UInt64](repeating: 0, count: blockValueCount)
    return unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      let target = UnsafeMutableRawBufferPointer(buffer)
      var start = values.startIndex
      while start < values.endIndex {
        let end = min(start + blockValueCount, values.endIndex)
        // Signed values are compared as signed ones, differences of neighbours as unsigned ones.
        var base = UInt64(truncatingIfNeeded: values[start])
        if isDelta {
          for index in start..<end {
            let value = UInt64(truncatingIfNeeded: values[index])
            scratch[index - start] = value &- previous
            previous = value
          }
          base = scratch[0]
          for index in 0..<(end - start) { base = min(base, scratch[index]) }
        } else {
          var smallest = values[start]
          for index in start..<end {
            smallest = min(smallest, values[index])
            scratch[index - start] = UInt64(truncatingIfNeeded: values[index])
          }
          base = UInt64(truncatingIfNeeded: smallest)
        }
        var union: UInt64 = 0
        for index in 0..<(end - start) {
          scratch[index] &-= base
          union |= scratch[index]
        }
        var width = 64 - union.leadingZeroBitCount
        if isByteAligned { width = (width + 7) / 8 * 8 }
        unsafe target.storeBytes(of: base.littleEndian, toByteOffset: count, as: UInt64.self)
        unsafe target[count + 8] = UInt8(width)
        count += blockHeaderByteCount
        unsafe count += store(
          scratch, end - start, width, UnsafeMutableRawBufferPointer(rebasing: target[count...]))
        start = end
      }
    }
  }

  /// Writes the low `width` bits of `count` values, one after another; returns the number of bytes.
  private static func store(
    _ values: [UInt64], _ count: Int, _ width: Int, _ target: UnsafeMutableRawBufferPointer
  ) -> Int {
    guard width > 0 else { return 0 }
    var pending: UInt64 = 0
    var pendingBits = 0
    var offset = 0
    for index in 0..<count {
      let value = values[index]
      pending |= value << UInt64(pendingBits)
      pendingBits += width
      if pendingBits >= 64 {
        unsafe target.storeBytes(of: pending.littleEndian, toByteOffset: offset, as: UInt64.self)
        offset += 8
        pendingBits -= 64
        pending = pendingBits > 0 ? value >> UInt64(width - pendingBits) : 0
      }
    }
    unsafe target.storeBytes(of: pending.littleEndian, toByteOffset: offset, as: UInt64.self)
    return offset + (pendingBits + 7) / 8
  }

  /// Unpacks values.
  ///
  /// - Parameters:
  ///   - bytes: the blocks.
  ///   - target: where the values go; its size says how many there are.
  ///   - isDelta: whether differences of neighbours are stored.
  /// - Returns: `nil` if all is well; else the position in `bytes` of what is wrong, and what is.
  static func unpack<Element: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Element>, isDelta: Bool
  ) -> (offset: Int, message: String)? {
    // 16 more bytes than a block can have, so that 64 bits can be loaded at any position of it.
    var scratch = [UInt8](repeating: 0, count: 8 * blockValueCount + 16)
    var offset = 0
    var previous: UInt64 = 0
    var start = target.startIndex
    while start < target.count {
      let block = unsafe UnsafeMutableBufferPointer(
        rebasing: target[start..<min(start + blockValueCount, target.count)])
      guard bytes.count - offset >= blockHeaderByteCount else {
        return (offset, "a packed buffer ends inside a block")
      }
      let base = UInt64(
        littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      let width = Int(unsafe bytes[offset + 8])
      guard width <= 64 else {
        return (offset + 8, "a packed value has \(width) bits, the limit is 64")
      }
      offset += blockHeaderByteCount
      let byteCount = (block.count * width + 7) / 8
      guard bytes.count - offset >= byteCount else {
        return (offset, "a packed buffer ends inside a block")
      }
      let spareBits = 8 * byteCount - block.count * width
      if spareBits > 0, unsafe bytes[offset + byteCount - 1] >> UInt8(8 - spareBits) != 0 {
        return (offset + byteCount - 1, "the padding of a packed block is not zero")
      }
      unsafe scratch.withUnsafeMutableBytes { scratch in
        unsafe scratch.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + byteCount)]))
        unsafe load(UnsafeRawBufferPointer(scratch), width, base, into: block)
      }
      if isDelta { unsafe accumulate(block, &previous) }
      offset += byteCount
      start += block.count
    }
    return offset == bytes.count ? nil : (offset, "bytes follow the last block of a packed buffer")
  }

  /// Adds `base` to each difference of a block.
  private static func load<Element: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: UnsafeRawBufferPointer, _ width: Int, _ base: UInt64,
    into block: UnsafeMutableBufferPointer<Element>
  ) {
    let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
    for index in 0..<block.count {
      let bit = index * width
      let shift = UInt64(bit & 7)
      var value =
        UInt64(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self))
        >> shift
      if width > 57, shift > 0 {
        value |= UInt64(unsafe bytes[bit >> 3 + 8]) << (64 - shift)
      }
      unsafe block[index] = Element(truncatingIfNeeded: (value & mask) &+ base)
    }
  }

  /// Turns differences into values.
  ///
  /// The differences were already cut to the width of the element, which does not matter: sums are modulo 2ⁿ.
  private static func accumulate<Element: FixedWidthInteger & BitwiseCopyable>(
    _ block: UnsafeMutableBufferPointer<Element>, _ previous: inout UInt64
  ) {
    var sum = Element(truncatingIfNeeded: previous)
    for index in 0..<block.count {
      sum &+= unsafe block[index]
      unsafe block[index] = sum
    }
    previous = UInt64(truncatingIfNeeded: sum)
  }
}
