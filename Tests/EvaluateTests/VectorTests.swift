import Numerics
import ShardIO
import Testing

@testable import Evaluate

@Suite struct VectorTests {
  @Test func `a NumPy header is padded to 64 bytes and says the shape`() {
    let header = VectorFile.numpyHeader(rows: 12, columns: 3)
    #expect(header.count == 128 && header.last == 0x0A)
    #expect(Array(header.prefix(10)) == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 118, 0])
    #expect(
      String(decoding: header[10..<75], as: UTF8.self)
        == "{'descr': '<f4', 'fortran_order': False, 'shape': (12, 3), }     ")
  }

  @Test func `a safetensors header places the matrices one after another`() throws {
    let header = try VectorFile.safetensorsHeader([("items", 2, 3), ("users", 1, 3)])
    #expect(header.count.isMultiple(of: 8))
    #expect(Int(header[0]) == header.count - 8 && header[1..<8].allSatisfy { $0 == 0 })
    let value = try JSONValue(parsing: Array(header.dropFirst(8)), path: "header")
    #expect(value["items"]?["data_offsets"] == [0, 24])
    #expect(value["users"]?["data_offsets"] == [24, 36])
    #expect(value["users"]?["shape"] == [1, 3] && value["users"]?["dtype"] == "F32")
  }

  @Test func `floats are little-endian`() {
    #expect(VectorFile.bytes([1, -2]) == [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0])
  }

  @Test func `spaces are halves of the item vectors, each of length 1`() throws {
    let items = Matrix(rows: 2, columns: 4, values: [3, 4, 0, 2, 0, 0, -5, 0])
    #expect(try ItemSpace.hash.directions(items, model: "h2rec").values == [0.6, 0.8, 0, 0])
    #expect(try ItemSpace.semantic.directions(items, model: "h2rec").values == [0, 1, -1, 0])
    let joint = try ItemSpace.joint.directions(items, model: "h2rec")
    #expect(joint.columns == 4 && joint[row: 1] == [0, 0, -1, 0])
    #expect(try ItemSpace.hash.directions(items, model: "sasrec") == joint)
    #expect(throws: PipelineError.noBranch("semantic", model: "sasrec")) {
      try ItemSpace.semantic.directions(items, model: "sasrec")
    }
  }
}
