internal import CKernels

/// Matrix products of bfloat16 inputs with float sums, single-threaded, on processors with AVX512-BF16.
///
/// The right factor is packed to panels first. Who multiplies with it more than once packs it once.
package struct BFloat16Multiply: Sendable {
  /// The products of this processor; nil where it has none.
  package static let shared: BFloat16Multiply? =
    h2rec_bf16_product_available() == 0 ? nil : BFloat16Multiply()

  private init() {}

  /// Columns of a panel.
  ///
  /// The panels of columns from a multiple of it on begin at ``panelCount(_:_:)`` of the columns before.
  package static let panelColumns = 64

  /// Elements of the panels of a `[k, n]` matrix.
  package static func panelCount(_ k: Int, _ n: Int) -> Int { h2rec_bf16_panel_pairs(k, n) }

  /// Packs op(B).
  ///
  /// - Parameters:
  ///   - k: rows of op(B).
  ///   - n: columns of op(B).
  ///   - b: `[k, n]`, or `[n, k]` when `transposeB`.
  ///   - bStride: numbers from one row of `b` to the next.
  ///   - transposeB: whether `b` holds the transpose of op(B).
  ///   - panels: ``panelCount(_:_:)`` elements.
  package func pack(
    _ k: Int, _ n: Int, _ b: UnsafePointer<UInt16>, _ bStride: Int, transposeB: Bool = false,
    into panels: UnsafeMutablePointer<UInt32>
  ) {
    unsafe h2rec_bf16_panels(panels, b, bStride, transposeB ? 1 : 0, k, n)
  }

  /// `C = op(A) · B`, or `C += op(A) · B`, with B packed; other sizes and strides as in
  /// ``matrixMultiply(_:_:_:alpha:_:_:transposeA:_:_:transposeB:beta:_:_:)``.
  package func multiply(
    _ m: Int, _ n: Int, _ k: Int,
    _ a: UnsafePointer<UInt16>, _ aStride: Int, transposeA: Bool = false,
    panels: UnsafePointer<UInt32>, adds: Bool = false,
    _ c: UnsafeMutablePointer<Float>, _ cStride: Int
  ) {
    ArithmeticCounter.add(2 * m * n * k)
    guard transposeA else {
      unsafe h2rec_bf16_product(m, n, k, a, aStride, panels, adds ? 1 : 0, c, cStride)
      return
    }
    unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1 + Self.panelCount(k, m)) {
      pairs in
      guard let pairs = pairs.baseAddress else { return }
      unsafe h2rec_bf16_pairs(pairs, a, aStride, k, m)
      unsafe h2rec_bf16_product_of_pairs(m, n, k, pairs, panels, adds ? 1 : 0, c, cStride)
    }
  }

  /// `C = op(A) · op(B)`, or `C += op(A) · op(B)`; sizes and strides as in
  /// ``matrixMultiply(_:_:_:alpha:_:_:transposeA:_:_:transposeB:beta:_:_:)``.
  package func multiply(
    _ m: Int, _ n: Int, _ k: Int,
    _ a: UnsafePointer<UInt16>, _ aStride: Int, transposeA: Bool = false,
    _ b: UnsafePointer<UInt16>, _ bStride: Int, transposeB: Bool = false, adds: Bool = false,
    _ c: UnsafeMutablePointer<Float>, _ cStride: Int
  ) {
    unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1 + Self.panelCount(k, n)) {
      panels in
      guard let panels = panels.baseAddress else { return }
      unsafe pack(k, n, b, bStride, transposeB: transposeB, into: panels)
      unsafe multiply(
        m, n, k, a, aStride, transposeA: transposeA, panels: panels, adds: adds, c, cStride)
    }
  }
}
