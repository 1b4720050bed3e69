internal import Glibc

/// An array of equal elements, in large pages where the system has them: faster to fill and to go through in any order.
///
/// - Parameters:
///   - value: every element.
///   - count: the number of elements.
/// - Returns: the array.
public func largeArray<Element: BitwiseCopyable>(repeating value: Element, count: Int) -> [Element]
{
  unsafe [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
    let page = 1 << 21
    let bytes = UnsafeMutableRawBufferPointer(buffer)
    if bytes.count >= 2 * page, let base = bytes.baseAddress {
      let start = unsafe base.alignedUp(toMultipleOf: page)
      let length = unsafe (bytes.count - (start - base)) / page * page
      _ = unsafe madvise(start, length, MADV_HUGEPAGE)
    }
    unsafe buffer.initialize(repeating: value)
    initialized = count
  }
}
