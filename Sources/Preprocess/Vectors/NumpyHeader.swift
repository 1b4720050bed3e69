internal import ShardIO

/// The header of a .npy file (NumPy's format, versions 1.0, 2.0 and 3.0).
struct NumpyHeader: Sendable, Equatable {
  /// The values of the header's dictionary, without quotes, parentheses and spaces.
  private let fields: [String: String]
  /// Where the dictionary begins, for messages.
  private let textOffset: Int
  /// The bytes before the first element.
  let byteCount: Int

  /// The longest header text accepted, bytes.
  private static let maximumTextByteCount = 1 << 16

  /// The bytes that every .npy file begins with.
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// The bytes that tell how long a header is.
  static let prefixByteCount = 12

  /// The size of the header that a file claims to have, limited.
  static func claimedByteCount(_ prefix: [UInt8]) -> Int {
    guard prefix.count == prefixByteCount else { return prefix.count }
    let lengthByteCount = prefix[6] == 1 ? 2 : 4
    let text = prefix[8..<8 + lengthByteCount].reversed().reduce(0) { $0 << 8 | Int($1) }
    return 8 + lengthByteCount + min(text, maximumTextByteCount)
  }

  /// Parses a header.
  ///
  /// - Parameters:
  ///   - bytes: the first bytes of the file, ``claimedByteCount(_:)`` of them if there are as many.
  ///   - path: the file, for messages.
  /// - Throws: `PipelineError` `.dataFormat` with the byte offset.
  init(_ bytes: [UInt8], path: String) throws(PipelineError) {
    guard bytes.starts(with: Self.magic), bytes.count >= Self.prefixByteCount else {
      throw Self.refuse("this is no .npy file", path, 0)
    }
    let version = bytes[6]
    guard (1...3).contains(version) else {
      throw Self.refuse("found .npy format version \(version), expected 1 to 3", path, 6)
    }
    let lengthByteCount = version == 1 ? 2 : 4
    let textByteCount = bytes[8..<8 + lengthByteCount].reversed().reduce(0) { $0 << 8 | Int($1) }
    textOffset = 8 + lengthByteCount
    guard textByteCount <= Self.maximumTextByteCount, textOffset + textByteCount <= bytes.count
    else {
      throw Self.refuse(
        "the header claims \(textByteCount) bytes, which the file does not have", path, 8)
    }
    byteCount = textOffset + textByteCount
    fields = Self.fields(String(decoding: bytes[textOffset..<byteCount], as: UTF8.self))
  }

  private static func refuse(
    _ message: String, _ path: String, _ offset: Int, note: String? = nil
  ) -> PipelineError {
    PipelineError(.dataFormat, message, at: .init(path: path, byteOffset: offset), note: note)
  }

  private static let elements: [String: NumericLayout.Element] = [
    "<f2": .float16, "<f4": .float32, "<f8": .float64,
  ]

  /// How the numbers of a matrix lie in the file.
  ///
  /// - Throws: `PipelineError` `.dataFormat` if it is no matrix of floating-point numbers in C order.
  func layout(path: String) throws(PipelineError) -> NumericLayout {
    let type = try field("descr", path)
    guard let element = Self.elements[type] else {
      throw Self.refuse(
        "the numbers are of type \(quoted(type)), expected '<f2', '<f4' or '<f8'", path, textOffset,
        note: "convert them with array.astype('<f4')")
    }
    guard try field("fortran_order", path) == "False" else {
      throw Self.refuse(
        "the array is in Fortran order, expected C order", path, textOffset,
        note: "save numpy.ascontiguousarray(array)")
    }
    let shape = try field("shape", path)
    let sizes = shape.split(separator: ",").map { Int($0) }
    guard sizes.count == 2, let rows = sizes[0], let width = sizes[1] else {
      throw Self.refuse(
        "the shape is (\(shape)), expected one row an item: (items, width)", path, textOffset)
    }
    let layout = NumericLayout(
      element: element, rowCount: rows, width: width, byteOffset: byteCount)
    guard layout.isRepresentable else {
      throw Self.refuse(
        "the shape is (\(shape)), expected 1 to \(NumericLayout.maximumWidth) numbers an item",
        path,
        textOffset)
    }
    return layout
  }

  /// The elements of a list of strings, of fixed-width Unicode or bytes.
  ///
  /// - Throws: `PipelineError` `.dataFormat` if it is no such list or shorter than its header says.
  func strings(_ bytes: [UInt8], path: String) throws(PipelineError) -> [[UInt8]] {
    let type = try field("descr", path)
    let shape = try field("shape", path)
    let kind = type.dropFirst().first
    guard let width = Int(type.dropFirst(2)), kind == "U" || kind == "S",
      (0...65_536).contains(width),
      let count = Int(shape.split(separator: ",").joined()), shape.split(separator: ",").count == 1
    else {
      throw Self.refuse(
        "the ids are of type \(quoted(type)) and shape (\(shape)), expected a list of strings",
        path,
        textOffset, note: "save numpy.array(ids, dtype=str)")
    }
    let size = kind == "U" ? 4 * width : width
    let total = count.multipliedReportingOverflow(by: max(size, 1))
    guard count >= 0, !total.overflow, bytes.count - byteCount == count * size else {
      throw Self.refuse("the list of ids is not as long as its header says", path, byteCount)
    }
    return (0..<count).map { index in
      let row = bytes[byteCount + index * size..<byteCount + (index + 1) * size]
      return kind == "U" ? Self.utf8(row) : Array(row.prefix { $0 != 0 })
    }
  }

  /// Turns little-endian UTF-32, padded with zeros, into UTF-8.
  private static func utf8(_ row: ArraySlice<UInt8>) -> [UInt8] {
    var text = ""
    for start in stride(from: row.startIndex, to: row.endIndex, by: 4) {
      let code = row[start..<start + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      if code == 0 { break }
      text.unicodeScalars.append(Unicode.Scalar(code) ?? "\u{FFFD}")
    }
    return Array(text.utf8)
  }

  private func field(_ name: String, _ path: String) throws(PipelineError) -> String {
    if let value = fields[name] { return value }
    throw Self.refuse("the header lacks \(quoted(name))", path, textOffset)
  }

  /// The values of the header's Python dictionary as text.
  private static func fields(_ text: String) -> [String: String] {
    var fields: [String: String] = [:]
    var rest = text.drop { $0 != "{" }.dropFirst()
    while true {
      let key = rest.drop { $0 != "'" && $0 != "\"" }.dropFirst().prefix { $0 != "'" && $0 != "\"" }
      guard !key.isEmpty else { return fields }
      rest = rest[key.endIndex...].dropFirst().drop { $0 == ":" || $0 == " " }
      let closing: [Character] =
        switch rest.first {
        case "(": [")"]
        case "'", "\"": ["'", "\""]
        default: [",", "}"]
        }
      if closing != [",", "}"] { rest = rest.dropFirst() }
      let value = rest.prefix { !closing.contains($0) }
      fields[String(key)] = String(value.filter { $0 != " " })
      rest = rest[value.endIndex...].dropFirst()
    }
  }
}
