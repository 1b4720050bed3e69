/// Memory that is kept between steps and grows when a step needs more.
@safe package final class ScratchBuffer: @unchecked Sendable {
  private var buffer = AlignedBuffer(count: 0)

  package init() {}

  /// At least `count` floats with unspecified contents; invalidates what was handed out before.
  package func reserve(_ count: Int) -> UnsafeMutablePointer<Float> {
    if buffer.count < count { buffer = AlignedBuffer(count: count + count / 4) }
    return unsafe buffer.base
  }

  /// The same for 16-bit elements.
  package func reserveHalves(_ count: Int) -> UnsafeMutablePointer<UInt16> {
    let floats = unsafe reserve((count + 1) / 2)
    return unsafe UnsafeMutableRawPointer(floats).assumingMemoryBound(to: UInt16.self)
  }
}
