import Testing

@testable import Dataset

struct `Sketches of vectors` {
  @Test func `have a bit a coordinate, the sign beyond the centre`() {
    let sketch = SpaceSketch([1, 2, 3, -1, 5, 3.5], center: [0, 2, 3])
    #expect(sketch.bits == [0b001, 0b110] && sketch.bitCount == 3)
    let wide = SpaceSketch(
      [Float](repeating: 1, count: 100), center: [Float](repeating: 0, count: 100))
    #expect(wide.bits == [.max] && wide.bitCount == 64)
  }

  @Test func `agree by the median of the items in both`() {
    let old = SpaceSketch(bits: [0b1111, 0b0000, 0b1010], bitCount: 4)
    let new = SpaceSketch(bits: [0b1010, 0b1110, 0b0110, 0b0000], bitCount: 4)
    #expect(new.agreement(with: old, rows: [2, 0, nil, 1]) == 1)
    #expect(new.agreement(with: old, rows: [2, 1, nil, nil]) == 1)
    #expect(new.agreement(with: old, rows: [1, 0, 2, nil]) == 0.5)
    #expect(new.agreement(with: old, rows: [nil, nil, nil, nil]) == nil)
  }
}
