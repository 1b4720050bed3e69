internal import Numerics

/// Memory for the activations of a step: handed out in order, given back all at once, kept between steps.
@safe final class Arena {
  private var blocks: [AlignedBuffer] = []
  private var current = 0
  private var used = 0
  private static let blockCount = 1 << 20

  /// Forgets everything that was handed out; the memory stays.
  func reset() {
    current = 0
    used = 0
  }

  /// Hands out `count` floats with unspecified contents, aligned to 64 bytes.
  func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    let rounded = max(16, (count + 15) & ~15)
    while current < blocks.count {
      if used + rounded <= blocks[current].count {
        let start = unsafe blocks[current].base + used
        used += rounded
        return unsafe start
      }
      current += 1
      used = 0
    }
    blocks.append(AlignedBuffer(count: max(rounded, Self.blockCount)))
    current = blocks.count - 1
    used = rounded
    return unsafe blocks[current].base
  }
}
