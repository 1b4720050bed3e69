internal import CDNNL

/// A dense row-major matrix product `C = alpha · op(A) · op(B) + beta · C`, single-threaded.
///
/// - Parameters:
///   - m: rows of op(A) and of C.
///   - n: columns of op(B) and of C.
///   - k: columns of op(A), rows of op(B); 0 leaves `beta · C`.
///   - alpha: the factor of the product.
///   - a: `[m, k]`, or `[k, m]` when `transposeA`.
///   - aStride: floats from one row of `a` to the next.
///   - transposeA: whether `a` holds the transpose of op(A).
///   - b: `[k, n]`, or `[n, k]` when `transposeB`.
///   - bStride: floats from one row of `b` to the next.
///   - transposeB: whether `b` holds the transpose of op(B).
///   - beta: the factor of what `c` holds; `c` is read only when it is not 0.
///   - c: `[m, n]`.
///   - cStride: floats from one row of `c` to the next.
/// - Precondition: strides are at least the row length, pointers cover the matrices.
///
/// Everything that multiplies matrices goes through here; oneDNN is told to stay on the calling thread,
/// because the parallelism of the project is over coarse work (see `Parallel.swift`).
package func matrixMultiply(
  _ m: Int, _ n: Int, _ k: Int,
  alpha: Float = 1,
  _ a: UnsafePointer<Float>, _ aStride: Int, transposeA: Bool = false,
  _ b: UnsafePointer<Float>, _ bStride: Int, transposeB: Bool = false,
  beta: Float = 0,
  _ c: UnsafeMutablePointer<Float>, _ cStride: Int
) {
  guard m > 0, n > 0 else { return }
  ArithmeticCounter.add(2 * m * n * k)
  omp_set_num_threads(1)
  let status = unsafe dnnl_sgemm(
    CChar(transposeA ? 84 : 78), CChar(transposeB ? 84 : 78), dnnl_dim_t(m), dnnl_dim_t(n),
    dnnl_dim_t(k), alpha, a, dnnl_dim_t(aStride), b, dnnl_dim_t(bStride), beta, c,
    dnnl_dim_t(cStride))
  precondition(status == dnnl_success, "matrix product refused: \(m) x \(n) x \(k)")
}
