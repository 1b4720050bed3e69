import Numerics

/// Floating-point operations a second of large matrix products on all threads: what the machine does when nothing else is
/// asked of it, and so the bound that times are compared with.
func productRate(_ precision: ProductPrecision, threads: Int) -> Double {
  let (m, n, k) = (1024, 1024, 512)
  let left = [Float](repeating: 0.5, count: m * k)
  let right = [Float](repeating: 0.25, count: n * k)
  var best = 0.0
  for _ in 0..<5 {
    let elapsed = ContinuousClock().measure {
      parallelFor(threads, threads: threads) { _ in
        benchmarkProduct(m, n, k, left, right, precision: precision, repeats: 8)
      }
    }
    best = max(best, 2 * Double(m * n * k * 8 * threads) / seconds(elapsed))
  }
  return best
}

func seconds(_ duration: Duration) -> Double {
  let parts = duration.components
  return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
}
