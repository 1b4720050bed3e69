internal import ShardIO

/// The header of a .npy file (NumPy's format, versions 1.0, 2.0 and 3.0).
struct NumpyHeader: Sendable, Equatable {
  /// The types of numbers that can be read, all little-endian.
  enum Element: String, Sendable {
    case float16 = "<f2"
    case float32 = "<f4"
    case float64 = "<f8"

    var byteCount: Int {
      switch self {
      case .float16: 2
      case .float32: 4
      case .float64: 8
      }
    }
  }

  var element: Element
  var rowCount: Int
  var width: Int
  /// The bytes before the first number.
  var byteCount: Int

  /// The longest header text accepted, bytes.
  private static let maximumTextByteCount = 1 << 16

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
  /// - Throws: ``PipelineError`` `.dataFormat` with the byte offset.
  init(_ bytes: [UInt8], path: String) throws(PipelineError) {
    func refuse(_ message: String, _ offset: Int, note: String? = nil) -> PipelineError {
      PipelineError(.dataFormat, message, at: .init(path: path, byteOffset: offset), note: note)
    }
    guard bytes.starts(with: [0x93] + Array("NUMPY".utf8)), bytes.count >= 12 else {
      throw refuse("this is no .npy file", 0)
    }
    let version = bytes[6]
    guard (1...3).contains(version) else {
      throw refuse("found .npy format version \(version), expected 1 to 3", 6)
    }
    let lengthByteCount = version == 1 ? 2 : 4
    let textByteCount = bytes[8..<8 + lengthByteCount].reversed().reduce(0) { $0 << 8 | Int($1) }
    let start = 8 + lengthByteCount
    guard textByteCount <= Self.maximumTextByteCount, start + textByteCount <= bytes.count else {
      throw refuse("the header claims \(textByteCount) bytes, which the file does not have", 8)
    }
    byteCount = start + textByteCount
    let text = String(decoding: bytes[start..<byteCount], as: UTF8.self)
    let fields = Self.fields(text)
    guard let type = fields["descr"], let order = fields["fortran_order"],
      let shape = fields["shape"]
    else {
      throw refuse("the header \(quoted(text)) lacks descr, fortran_order or shape", start)
    }
    guard let element = Element(rawValue: type) else {
      throw refuse(
        "the numbers are of type \(quoted(type)), expected '<f2', '<f4' or '<f8'", start,
        note: "convert them with array.astype('<f4')")
    }
    guard order == "False" else {
      throw refuse(
        "the array is in Fortran order, expected C order", start,
        note: "save numpy.ascontiguousarray(array)")
    }
    let sizes = shape.split(separator: ",").map { Int($0) }
    guard sizes.count == 2, let rows = sizes[0], let width = sizes[1], rows >= 0,
      (1...(1 << 20)).contains(width)
    else {
      throw refuse("the shape is (\(shape)), expected one row an item: (items, width)", start)
    }
    guard !rows.multipliedReportingOverflow(by: width * element.byteCount).overflow else {
      throw refuse("the shape (\(shape)) is too large", start)
    }
    self.element = element
    rowCount = rows
    self.width = width
  }

  /// The values of the header's Python dictionary as text, without quotes, parentheses and spaces.
  private static func fields(_ text: String) -> [String: String] {
    var fields: [String: String] = [:]
    var rest = text.drop { $0 != "{" }.dropFirst()
    while true {
      let key = rest.drop { $0 != "'" && $0 != "\"" }.dropFirst().prefix { $0 != "'" && $0 != "\"" }
      guard !key.isEmpty else { return fields }
      rest = rest[key.endIndex...].dropFirst().drop { $0 == ":" || $0 == " " }
      let isTuple = rest.first == "("
      let isText = rest.first == "'" || rest.first == "\""
      if isTuple || isText { rest = rest.dropFirst() }
      let value = rest.prefix { character in
        isTuple
          ? character != ")"
          : isText ? character != "'" && character != "\"" : character != "," && character != "}"
      }
      fields[String(key)] = String(value.filter { $0 != " " })
      rest = rest[value.endIndex...].dropFirst()
    }
  }
}
