import Numerics
import Quantizers
import SystemPackage
import TestSupport
import Testing

@testable import Tokenize

struct `Array export` {
  private let items = TokenizedItems(
    levelSizes: [2, 1], codes: [1, 0, 0, 0, 258, 0],
    codebooks: [
      Matrix(rows: 2, columns: 2, values: [1, 2, -3, 0.5]), Matrix(rows: 1, columns: 2),
    ], center: [7, 8], variance: 1, residuals: [1, 1])

  @Test func `a .npy file has NumPy's header and little-endian numbers`() {
    let bytes = items.exportArrays[0].npy
    #expect(bytes.prefix(8) == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0])
    let length = Int(bytes[8]) + 256 * Int(bytes[9])
    #expect((10 + length) % 64 == 0 && bytes[9 + length] == 0x0A)
    let header = String(decoding: bytes[10..<10 + length], as: UTF8.self)
    #expect(header.hasPrefix("{'descr': '<u2', 'fortran_order': False, 'shape': (3, 2), }"))
    #expect(bytes[(10 + length)...] == [1, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0])
    let center = String(decoding: items.exportArrays[1].npy, as: UTF8.self)
    #expect(center.contains("'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"))
  }

  @Test func `a safetensors file is read by an independent reader`() throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("x.safetensors")
      try write(try safetensors(items.exportArrays.filter { $0.tensorType == "F32" }), to: path)
      let file = try Safetensors(path)
      #expect(try file.floats("codebook_1").values == [1, 2, -3, 0.5])
      #expect(try file.floats("codebook_1").shape == [2, 2])
      #expect(try file.floats("center").values == [7, 8])
    }
  }

  @Test func `layers and latent codebooks of a network are exported under their names`() throws {
    var items = items
    let layer = DenseLayer(weight: Matrix(rows: 1, columns: 2, values: [3, 4]), bias: [5])
    let back = DenseLayer(weight: Matrix(rows: 2, columns: 1, values: [6, 7]), bias: [8, 9])
    items.network = CodeNetwork(
      encoder: DenseLayers([layer]), decoder: DenseLayers([back]),
      codebooks: [
        Matrix(rows: 2, columns: 1, values: [1, 2]), Matrix(rows: 1, columns: 1, values: [3]),
      ])
    let arrays = Dictionary(uniqueKeysWithValues: items.exportArrays.map { ($0.name, $0.shape) })
    #expect(arrays["network.encoder.1.weight"] == [1, 2])
    #expect(arrays["network.decoder.1.bias"] == [1, 2])
    #expect(arrays["network.codebook.1"] == [2, 1] && arrays["network.codebook.2"] == [1, 1])
    #expect(arrays.count == 4 + 6)
  }
}
