import Numerics
import Quantizers
import SystemPackage
import TestSupport
import Testing
import TextOutput

@testable import Tokenize

struct `Array export` {
  private let items = TokenizedItems(
    levelSizes: [2, 1], codes: [1, 0, 0, 0, 258, 0],
    codebooks: [
      Matrix(rows: 2, columns: 2, values: [1, 2, -3, 0.5]), Matrix(rows: 1, columns: 2),
    ], center: [7, 8], variance: 1, residuals: [1, 1])

  @Test func `codes, centre and codebooks are exported with their numbers`() {
    let arrays = items.exportArrays
    #expect(arrays.map(\.layout.name) == ["codes", "center", "codebook_1", "codebook_2"])
    #expect(arrays.map(\.layout.shape) == [[3, 2], [2], [2, 2], [1, 2]])
    #expect(arrays[0].bytes == [1, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0])
    #expect(arrays.allSatisfy { $0.layout.byteCount == $0.bytes.count })
  }

  @Test func `a safetensors file is read by an independent reader`() throws {
    try withTemporaryDirectory { directory in
      let floats = items.exportArrays.filter { $0.layout.type == .float32 }
      let header = try ArrayLayout.safetensorsHeader(floats.map(\.layout))
      let path = directory.appending("x.safetensors")
      try write(header + floats.flatMap(\.bytes), to: path)
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
    let arrays = Dictionary(
      uniqueKeysWithValues: items.exportArrays.map { ($0.layout.name, $0.layout.shape) })
    #expect(arrays["network.encoder.1.weight"] == [1, 2])
    #expect(arrays["network.decoder.1.bias"] == [1, 2])
    #expect(arrays["network.codebook.1"] == [2, 1] && arrays["network.codebook.2"] == [1, 1])
    #expect(arrays.count == 4 + 6)
  }
}
