internal import ShardIO
internal import TextInput

/// The header of a safetensors file: eight bytes with its length, then JSON that says where each tensor lies.
struct SafetensorsHeader: Sendable {
  private let node: JSONValue
  /// The bytes before the tensors.
  let byteCount: Int

  /// The longest header accepted, bytes; that of the format itself.
  static let maximumByteCount = 100_000_000

  /// The length that a file's first eight bytes claim, or nil if it cannot be that of a header.
  static func claimedByteCount(_ prefix: [UInt8]) -> Int? {
    guard prefix.count >= 9, prefix[8] == UInt8(ascii: "{") else { return nil }
    let count = prefix[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return count <= UInt64(maximumByteCount) ? 8 + Int(count) : nil
  }

  /// Parses a header.
  ///
  /// - Throws: `PipelineError` `.dataFormat` with the byte offset.
  init(_ bytes: [UInt8], path: String) throws(PipelineError) {
    guard let count = Self.claimedByteCount(bytes), count <= bytes.count else {
      throw Self.refuse("the header is longer than the file", path, 0)
    }
    byteCount = count
    if let bad = firstInvalidUTF8(bytes.span, 8..<count) {
      throw Self.refuse("the header is not UTF-8", path, bad)
    }
    var cursor = JSONCursor(8..<count)
    do throws(JSONFault) {
      node = try cursor.readWhole(bytes.span)
    } catch {
      throw Self.refuse("the header is not JSON, expected \(error.expected)", path, error.offset)
    }
  }

  private static func refuse(_ message: String, _ path: String, _ offset: Int) -> PipelineError {
    PipelineError(.dataFormat, message, at: .init(path: path, byteOffset: offset))
  }

  private static let elements: [String: NumericLayout.Element] = [
    "F16": .float16, "BF16": .bfloat16, "F32": .float32, "F64": .float64,
  ]

  /// How the numbers of a tensor lie in the file.
  ///
  /// - Parameters:
  ///   - name: which tensor; nil for the only one.
  ///   - path: the file, for messages.
  /// - Returns: its layout.
  /// - Throws: `PipelineError` `.dataFormat` if there is no such matrix.
  func layout(_ name: String?, path: String) throws(PipelineError) -> NumericLayout {
    guard case .object(let members) = node else {
      throw Self.refuse("the header is no JSON object", path, 8)
    }
    let tensors = members.filter { $0.key != "__metadata__" }
    let names = tensors.keys.sorted().prefix(20).map { quoted($0) }.joined(separator: ", ")
    guard let tensor = name.map({ node[$0] }) ?? (tensors.count == 1 ? tensors.values.first : nil)
    else {
      throw PipelineError(
        .dataFormat, "found the tensors \(names), expected \(name.map { quoted($0) } ?? "one")",
        at: .init(path: path), note: "choose one with --vector-field")
    }
    guard let type = tensor["dtype"]?.plainText, let element = Self.elements[type] else {
      throw Self.refuse("the tensor is not of type F16, BF16, F32 or F64", path, 8)
    }
    let shape = Self.numbers(tensor["shape"])
    let range = Self.numbers(tensor["data_offsets"])
    guard shape.count == 2, range.count == 2, range[0] >= 0, range[0] <= 1 << 50 else {
      throw Self.refuse("the tensor's shape is not (items, width)", path, 8)
    }
    let layout = NumericLayout(
      element: element, rowCount: shape[0], width: shape[1], byteOffset: byteCount + range[0])
    guard layout.isRepresentable, range[1] - range[0] == layout.rowCount * layout.rowByteCount
    else {
      throw Self.refuse("the tensor's offsets do not fit its shape", path, 8)
    }
    return layout
  }

  /// The whole numbers of a list; empty if there is anything else.
  private static func numbers(_ node: JSONValue?) -> [Int] {
    guard case .array(let elements)? = node else { return [] }
    let numbers = elements.map { $0.plainText.flatMap { Int($0) } }
    return numbers.contains(nil) ? [] : numbers.compactMap(\.self)
  }
}
