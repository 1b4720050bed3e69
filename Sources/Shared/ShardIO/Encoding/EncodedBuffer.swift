/// One buffer of a column as it goes into the file.
struct EncodedBuffer {
  /// How the elements are stored.
  var encoding: BufferEncoding
  /// The number of elements, before encoding.
  var count: Int
  /// The stored bytes, as an array of any type.
  var stored: ColumnValues

  /// The number of stored bytes.
  var byteCount: Int { stored.count * stored.type.byteCount }

  /// The elements that are compressed on trial.
  private static let sampleCount = 32_768
  /// Packing must save at least this share of the compressed bytes, because plain buffers are read fastest.
  private static let minimumSaving = 0.05

  /// Stores the elements of a column in the form that compresses best.
  init(_ values: ColumnValues) {
    switch values {
    case .uint16(let elements): self.init(choosing: elements, values)
    case .uint32(let elements): self.init(choosing: elements, values)
    case .uint64(let elements): self.init(choosing: elements, values)
    case .int32(let elements): self.init(choosing: elements, values)
    case .int64(let elements): self.init(choosing: elements, values)
    case .uint8, .float, .double: self.init(encoding: .plain, count: values.count, stored: values)
    }
  }

  private init(encoding: BufferEncoding, count: Int, stored: ColumnValues) {
    self.encoding = encoding
    self.count = count
    self.stored = stored
  }

  /// Compresses the first elements in every form, and takes the form of the smallest.
  ///
  /// The choice depends on the elements alone, so equal tables give equal shards.
  private init<Element: FixedWidthInteger & ShardElement>(
    choosing elements: [Element], _ values: ColumnValues
  ) {
    let sample = elements.prefix(Self.sampleCount)
    let plainSize = unsafe sample.withUnsafeBytes { unsafe Zstandard.trialSize($0) }
    var best = (encoding: BufferEncoding.plain, isByteAligned: false)
    var bestSize = Double(plainSize) * (1 - Self.minimumSaving)
    let encodings: [BufferEncoding] = Self.isSorted(elements) ? [.delta, .packed] : [.packed]
    for encoding in encodings {
      for isByteAligned in [true, false] {
        let packed = BitPacking.packed(
          sample, isDelta: encoding == .delta, isByteAligned: isByteAligned)
        let size = Double(unsafe packed.withUnsafeBytes { unsafe Zstandard.trialSize($0) })
        if size < bestSize {
          best = (encoding, isByteAligned)
          bestSize = size
        }
      }
    }
    if best.encoding == .plain {
      self.init(encoding: .plain, count: elements.count, stored: values)
    } else {
      let packed = BitPacking.packed(
        elements[...], isDelta: best.encoding == .delta, isByteAligned: best.isByteAligned)
      self.init(encoding: best.encoding, count: elements.count, stored: .uint8(packed))
    }
  }

  private static func isSorted(_ elements: [some FixedWidthInteger]) -> Bool {
    for index in elements.indices.dropFirst() where elements[index] < elements[index - 1] {
      return false
    }
    return true
  }
}
