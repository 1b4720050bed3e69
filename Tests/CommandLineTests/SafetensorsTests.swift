import Foundation
import SystemPackage
import TestSupport
import Testing

/// The reader of golden numbers refuses what it does not fully understand.
@Suite struct SafetensorsTests {
  private static let file = fixtureDirectory.appending("golden").appending(
    "residual-ce.safetensors")

  @Test func `tensors have the shapes that the page says`() throws {
    let golden = try Safetensors(Self.file)
    #expect(golden.metadata["cross"] == "residual")
    #expect(try golden.integers("in.offsets").values == [0, 3, 12, 13, 18, 20, 27])
    #expect(try golden.floats("w.books").shape == [4, 8, 16])
    #expect(try golden.floats("out.states").values.count == 27 * 32)
    #expect(throws: Safetensors.FormatError.self) { try golden.floats("in.items") }
    #expect(throws: Safetensors.FormatError.self) { try golden.floats("w.nonesuch") }
  }

  @Test func `every weight has a gradient of its shape`() throws {
    let golden = try Safetensors(Self.file)
    for name in golden.names where name.hasPrefix("w.") {
      #expect(try golden.floats(name).shape == golden.floats("g" + name.dropFirst()).shape)
    }
  }

  @Test(arguments: [0, 7, 8, 200, -1])
  func `a file cut short is refused`(length: Int) throws {
    try withTemporaryDirectory { directory in
      let bytes = Array(try Data(contentsOf: URL(filePath: Self.file.string)))
      let cut = directory.appending("cut.safetensors")
      try write(Array(bytes.prefix(length < 0 ? bytes.count + length : length)), to: cut)
      #expect(throws: (any Error).self) { try Safetensors(cut) }
    }
  }
}
