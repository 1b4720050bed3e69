import ArgumentParser
import Glibc
import Numerics

/// A product `C = op(A) · op(B)`, or `C += op(A) · op(B)`, of some training step or ranking.
struct ProductShape {
  /// Where the product occurs.
  enum Form: String {
    /// A layer: tokens by a weight `[n, k]`.
    case layer = "layer"
    /// The gradient of its inputs, added.
    case inputs = "gradient of inputs"
    /// The gradient of its weight, added.
    case weights = "gradient of a weight"
  }

  let m: Int
  let n: Int
  let k: Int
  let form: Form
  /// Floats from one row of the matrix of scores to the next; 0 where rows follow one another.
  let scoreStride: Int

  init(_ m: Int, _ n: Int, _ k: Int, _ form: Form, scoreStride: Int = 0) {
    (self.m, self.n, self.k, self.form) = (m, n, k, form)
    self.scoreStride = scoreStride
  }

  var name: String { "\(m) x \(n) x \(k), \(scoreStride > 0 ? "scores, " : "")\(form.rawValue)" }
  var operations: Double { 2 * Double(m) * Double(n) * Double(k) }
  var transposesA: Bool { form == .weights }
  var transposesB: Bool { form == .layer }
  /// Losses add to the gradients of states only.
  var adds: Bool { form == .inputs || (form == .weights && scoreStride == 0) }
  var aStride: Int { form == .layer || scoreStride == 0 ? (transposesA ? m : k) : scoreStride }
  var bStride: Int { transposesB ? k : n }
  var cStride: Int { form == .layer && scoreStride > 0 ? scoreStride : n }

  /// The three products of a layer of `inputs` and `outputs` columns.
  private static func layer(_ tokens: Int, _ outputs: Int, _ inputs: Int) -> [ProductShape] {
    [
      ProductShape(tokens, outputs, inputs, .layer),
      ProductShape(tokens, inputs, outputs, .inputs),
      ProductShape(outputs, inputs, tokens, .weights),
    ]
  }

  /// The three products of a softmax in its blocks: scores, gradients of states, gradients of items.
  private static func softmax(_ states: Int, _ items: Int, _ width: Int) -> [ProductShape] {
    [
      ProductShape(states, min(1024, items), width, .layer, scoreStride: items),
      ProductShape(64, width, items, .inputs, scoreStride: items),
      ProductShape(min(1024, items), width, states, .weights, scoreStride: items),
    ]
  }

  /// Micro-batches of 256 tokens, and four views of them; the softmax over a catalogue and over samples; a ranking.
  static let all =
    layer(256, 64, 64) + layer(1024, 64, 64) + layer(256, 128, 128) + layer(256, 256, 256)
    + layer(256, 192, 64) + layer(250, 50, 50)
    + softmax(704, 11_900, 64) + softmax(704, 11_900, 128) + softmax(1500, 4097, 64)
    + softmax(256, 4097, 256) + softmax(128, 1056, 64)
    + [ProductShape(256, 1024, 128, .layer), ProductShape(1024, 1024, 512, .layer)]
}

/// Factors and product of a shape.
final class Operands {
  let shape: ProductShape
  private let a: [Float]
  private let b: [Float]
  private var c: [Float]
  private let aCount: Int
  private let bCount: Int
  private let copies: Int

  /// Factors that come from `spread` bytes in turn.
  init(_ shape: ProductShape, spread: Int) {
    self.shape = shape
    aCount = (shape.transposesA ? shape.k : shape.m) * shape.aStride
    bCount = (shape.transposesB ? shape.n : shape.k) * shape.bStride
    copies = max(1, spread / (4 * (aCount + bCount)))
    a = Self.values(aCount * copies)
    b = Self.values(bCount * copies)
    c = [Float](repeating: 0, count: shape.m * shape.cStride)
  }

  /// Numbers that are neither equal nor denormal.
  private static func values(_ count: Int) -> [Float] {
    (0..<count).map { Float($0 * 7919 % 1021) / 1021 - 0.5 }
  }

  /// The product of the project.
  static let multiply: @Sendable (Operands, Int) -> Void = { operands, turn in
    operands.withPointers(turn) { shape, a, b, c in
      matrixMultiply(
        shape.m, shape.n, shape.k, a, shape.aStride, transposeA: shape.transposesA, b,
        shape.bStride, transposeB: shape.transposesB, beta: shape.adds ? 1 : 0, c, shape.cStride)
    }
  }

  func withPointers(
    _ turn: Int,
    _ body: (
      ProductShape, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>
    ) -> Void
  ) {
    let copy = turn % copies
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        c.withUnsafeMutableBufferPointer { c in
          guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
          body(shape, a + copy * aCount, b + copy * bCount, c)
        }
      }
    }
  }
}

/// Who multiplies.
struct Contender {
  let name: String
  /// Multiplies the operands of the given turn.
  let multiply: (Operands, Int) -> Void

  private typealias Function =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32,
      UnsafePointer<Float>, Int32, Float, UnsafeMutablePointer<Float>, Int32
    ) -> Void

  init(name: String, multiply: @escaping (Operands, Int) -> Void) {
    (self.name, self.multiply) = (name, multiply)
  }

  /// A shared library with `cblas_sgemm`; OPENBLAS_NUM_THREADS and its like have to be 1.
  ///
  /// - Throws: `ValidationError` where there is none.
  init(_ file: String) throws {
    guard let handle = dlopen(file, RTLD_NOW | RTLD_LOCAL),
      let symbol = dlsym(handle, "cblas_sgemm")
    else { throw ValidationError("there is no 'cblas_sgemm' in '\(file)'.") }
    let function = unsafeBitCast(symbol, to: Function.self)
    name = String(file.split(separator: "/").last?.prefix { $0 != "." } ?? "")
    multiply = { operands, turn in
      operands.withPointers(turn) { shape, a, b, c in
        function(
          101, shape.transposesA ? 112 : 111, shape.transposesB ? 112 : 111, Int32(shape.m),
          Int32(shape.n), Int32(shape.k), 1, a, Int32(shape.aStride), b, Int32(shape.bStride),
          shape.adds ? 1 : 0, c, Int32(shape.cStride))
      }
    }
  }
}
