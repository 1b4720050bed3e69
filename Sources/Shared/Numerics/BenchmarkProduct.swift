internal import CKernels

/// Multiplies the same large matrices several times on the calling thread: the yardstick of the benchmarks.
///
/// - Parameters:
///   - m: rows of the product.
///   - n: columns of the product.
///   - k: columns of both factors.
///   - a: `[m, k]`.
///   - b: `[n, k]`; the product is `a · bᵀ`.
///   - precision: one that this machine has.
///   - repeats: how many times.
package func benchmarkProduct(
  _ m: Int, _ n: Int, _ k: Int, _ a: [Float], _ b: [Float], precision: ProductPrecision,
  repeats: Int
) {
  var product = [Float](repeating: 0, count: m * n)
  guard precision == .bfloat16, let multiply = BFloat16Multiply.shared else {
    for _ in 0..<repeats {
      unsafe matrixMultiply(m, n, k, a, k, b, k, transposeB: true, &product, n)
    }
    return
  }
  var halves = ([UInt16](repeating: 0, count: m * k), [UInt16](repeating: 0, count: n * k))
  unsafe h2rec_round_bf16(&halves.0, k, a, k, m, k)
  unsafe h2rec_round_bf16(&halves.1, k, b, k, n, k)
  for _ in 0..<repeats {
    unsafe multiply.multiply(
      m, n, k, halves.0, k, halves.1, k, transposeB: true, &product, n)
  }
}
