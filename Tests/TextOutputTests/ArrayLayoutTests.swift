import ShardIO
import Testing

@testable import TextOutput

struct `Array layout` {
  @Test func `a .npy header is padded to 64 bytes and says shape and type`() {
    let header = ArrayLayout("items", shape: [12, 3]).npyHeader
    #expect(header.count == 128 && header.last == 0x0A)
    #expect(Array(header.prefix(10)) == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 118, 0])
    #expect(
      String(decoding: header[10..<75], as: UTF8.self)
        == "{'descr': '<f4', 'fortran_order': False, 'shape': (12, 3), }     ")
    let codes = ArrayLayout("codes", shape: [7], type: .uint16).npyHeader
    #expect(
      String(decoding: codes[10...], as: UTF8.self)
        .hasPrefix("{'descr': '<u2', 'fortran_order': False, 'shape': (7,), }"))
  }

  @Test(arguments: 0..<70)
  func `a header of any length ends at a multiple of 64`(digits: Int) {
    // The shape's text grows by one byte a digit.
    let shape =
      (0...digits / 18).map { _ in 7 } + [Int(String(repeating: "1", count: 1 + digits % 18)) ?? 1]
    let header = ArrayLayout("x", shape: shape).npyHeader
    #expect(header.count.isMultiple(of: 64) && header.last == 0x0A)
    #expect(Int(header[8]) + 256 * Int(header[9]) == header.count - 10)
  }

  @Test func `a safetensors header places the arrays one after another`() throws {
    let header = try ArrayLayout.safetensorsHeader([
      ArrayLayout("items", shape: [2, 3]), ArrayLayout("codes", shape: [1, 3], type: .uint16),
      ArrayLayout("users", shape: [3]),
    ])
    #expect(header.count.isMultiple(of: 8))
    #expect(Int(header[0]) == header.count - 8 && header[1..<8].allSatisfy { $0 == 0 })
    let value = try JSONValue(parsing: Array(header.dropFirst(8)), path: "header")
    #expect(value["items"]?["data_offsets"] == [0, 24])
    #expect(value["codes"]?["data_offsets"] == [24, 30])
    #expect(value["codes"]?["shape"] == [1, 3] && value["codes"]?["dtype"] == "U16")
    #expect(value["users"]?["data_offsets"] == [30, 42])
    #expect(value["users"]?["shape"] == [3] && value["users"]?["dtype"] == "F32")
  }

  @Test func `numbers are little-endian`() {
    #expect(littleEndianBytes([1, -2] as [Float]) == [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0])
    #expect(littleEndianBytes([258, 65535] as [UInt16]) == [2, 1, 255, 255])
  }
}
