internal import CDNNL

/// A dense row-major matrix product `C = alpha · op(A) · op(B) + beta · C`, single-threaded.
///
/// - Parameters:
///   - a: `[m, k]`, or `[k, m]` when `transposeA`; rows are `aStride` floats apart.
///   - b: `[k, n]`, or `[n, k]` when `transposeB`; rows are `bStride` floats apart.
///   - c: `[m, n]`; rows are `cStride` floats apart; read only when `beta` is not 0.
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
  omp_set_num_threads(1)
  let status = unsafe dnnl_sgemm(
    CChar(transposeA ? 84 : 78), CChar(transposeB ? 84 : 78), dnnl_dim_t(m), dnnl_dim_t(n),
    dnnl_dim_t(k), alpha, a, dnnl_dim_t(aStride), b, dnnl_dim_t(bStride), beta, c,
    dnnl_dim_t(cStride))
  precondition(status == dnnl_success, "matrix product refused: \(m) x \(n) x \(k)")
}
