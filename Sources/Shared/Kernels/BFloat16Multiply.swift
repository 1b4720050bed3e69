internal import CDNNL

/// Matrix products of bfloat16 inputs with float sums, single-threaded, by oneDNN's `matmul` primitive.
///
/// Four primitives (either input transposed or not, sums added or not) with sizes that are given at each call, so nothing
/// is compiled again when a batch has another length. A primitive may run on several threads at once: its
/// scratch memory belongs to the thread.
@safe final class BFloat16Multiply: @unchecked Sendable {
  private let engine: dnnl_engine_t
  private let primitives: [dnnl_primitive_t]

  /// The primitives of this process, for as long as it runs; nil where the processor or the library has no bfloat16 products.
  static let shared = BFloat16Multiply()

  private init?() {
    // A primitive keeps the number of threads that was set when it was made.
    omp_set_num_threads(1)
    var engine: dnnl_engine_t?
    guard unsafe dnnl_engine_create(&engine, dnnl_cpu, 0) == dnnl_success,
      let engine = unsafe engine
    else { return nil }
    unsafe self.engine = engine
    var made: [dnnl_primitive_t] = unsafe []
    for kind in 0..<8 {
      guard let primitive = unsafe Self.make(engine, Kind(number: kind)) else { return nil }
      unsafe made.append(primitive)
    }
    unsafe primitives = made
  }

  private struct Kind {
    let transposeA: Bool
    let transposeB: Bool
    let adds: Bool

    init(transposeA: Bool, transposeB: Bool, adds: Bool) {
      self.transposeA = transposeA
      self.transposeB = transposeB
      self.adds = adds
    }

    init(number: Int) {
      self.init(transposeA: number & 1 != 0, transposeB: number & 2 != 0, adds: number & 4 != 0)
    }

    var number: Int { (transposeA ? 1 : 0) | (transposeB ? 2 : 0) | (adds ? 4 : 0) }
  }

  private static func make(
    _ engine: dnnl_engine_t, _ kind: Kind
  ) -> dnnl_primitive_t? {
    let open = Int64.min  // DNNL_RUNTIME_DIM_VAL: known at the call
    var a = matrix(open, open, open, kind.transposeA, dnnl_bf16)
    var b = matrix(open, open, open, kind.transposeB, dnnl_bf16)
    var c = matrix(open, open, open, false, dnnl_f32)
    var operation = dnnl_matmul_desc_t()
    var attributes: dnnl_primitive_attr_t?
    var description: dnnl_primitive_desc_t?
    var primitive: dnnl_primitive_t?
    guard unsafe dnnl_matmul_desc_init(&operation, &a, &b, nil, &c) == dnnl_success,
      unsafe dnnl_primitive_attr_create(&attributes) == dnnl_success
    else { return nil }
    defer { unsafe dnnl_primitive_attr_destroy(attributes) }
    if kind.adds {
      var sums: dnnl_post_ops_t?
      guard unsafe dnnl_post_ops_create(&sums) == dnnl_success else { return nil }
      defer { unsafe dnnl_post_ops_destroy(sums) }
      guard unsafe dnnl_post_ops_append_sum(sums, 1) == dnnl_success,
        unsafe dnnl_primitive_attr_set_post_ops(attributes, sums) == dnnl_success
      else { return nil }
    }
    defer { unsafe dnnl_primitive_desc_destroy(description) }
    guard
      unsafe dnnl_primitive_desc_create(&description, &operation, attributes, engine, nil)
        == dnnl_success, let description = unsafe description,
      unsafe dnnl_primitive_create(&primitive, description) == dnnl_success,
      let primitive = unsafe primitive
    else { return nil }
    return unsafe primitive
  }

  private static func matrix(
    _ rows: Int64, _ columns: Int64, _ stride: Int64, _ isTransposed: Bool,
    _ type: dnnl_data_type_t
  ) -> dnnl_memory_desc_t {
    var description = dnnl_memory_desc_t()
    let status = unsafe dnnl_memory_desc_init_by_strides(
      &description, 2, [rows, columns], type, isTransposed ? [1, stride] : [stride, 1])
    precondition(status == dnnl_success, "matrix description refused: \(rows) x \(columns)")
    return description
  }

  /// `C = op(A) · op(B)`, or `C += op(A) · op(B)`; sizes and strides as in ``matrixMultiply(_:_:_:alpha:_:_:transposeA:_:_:transposeB:beta:_:_:)``.
  func multiply(
    _ m: Int, _ n: Int, _ k: Int,
    _ a: UnsafePointer<UInt16>, _ aStride: Int, transposeA: Bool = false,
    _ b: UnsafePointer<UInt16>, _ bStride: Int, transposeB: Bool = false, adds: Bool = false,
    _ c: UnsafeMutablePointer<Float>, _ cStride: Int
  ) {
    guard m > 0, n > 0 else { return }
    ArithmeticCounter.add(2 * m * n * k)
    omp_set_num_threads(1)
    let kind = Kind(transposeA: transposeA, transposeB: transposeB, adds: adds)
    let descriptions = [
      Self.matrix(Int64(m), Int64(k), Int64(aStride), transposeA, dnnl_bf16),
      Self.matrix(Int64(k), Int64(n), Int64(bStride), transposeB, dnnl_bf16),
      Self.matrix(Int64(m), Int64(n), Int64(cStride), false, dnnl_f32),
    ]
    let memories: [UnsafeMutableRawPointer] = unsafe [
      UnsafeMutableRawPointer(mutating: a), UnsafeMutableRawPointer(mutating: b),
      UnsafeMutableRawPointer(c),
    ]
    let places = [DNNL_ARG_SRC_0, DNNL_ARG_WEIGHTS_0, DNNL_ARG_DST_0]
    var arguments = unsafe (0..<3).map { index in
      var memory: dnnl_memory_t?
      var description = descriptions[index]
      let status = unsafe dnnl_memory_create(&memory, &description, engine, memories[index])
      precondition(status == dnnl_success, "matrix refused: \(m) x \(n) x \(k)")
      return unsafe dnnl_exec_arg_t(arg: places[index], memory: memory)
    }
    var stream: dnnl_stream_t?
    let created = unsafe dnnl_stream_create(
      &stream, engine, UInt32(dnnl_stream_default_flags.rawValue))
    let status = unsafe dnnl_primitive_execute(primitives[kind.number], stream, 3, &arguments)
    precondition(
      created == dnnl_success && status == dnnl_success, "product refused: \(m) x \(n) x \(k)")
    unsafe dnnl_stream_destroy(stream)
    unsafe arguments.forEach { unsafe dnnl_memory_destroy($0.memory) }
  }
}
