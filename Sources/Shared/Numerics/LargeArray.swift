internal import CKernels

/// An array of equal elements, in large pages where the system has them: faster to fill and to go through in any order.
///
/// - Parameters:
///   - value: every element.
///   - count: the number of elements.
/// - Returns: the array.
public func largeArray<Element: BitwiseCopyable>(repeating value: Element, count: Int) -> [Element]
{
  unsafe [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
    unsafe h2rec_use_large_pages(
      buffer.baseAddress, count * MemoryLayout<Element>.stride)
    unsafe buffer.initialize(repeating: value)
    initialized = count
  }
}
