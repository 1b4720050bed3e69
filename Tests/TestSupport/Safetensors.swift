internal import Foundation
public import SystemPackage

/// A safetensors file in memory: named tensors of 32-bit floats or 32-bit integers.
///
/// The layout is eight bytes of header length, a JSON header, and the little-endian elements of all tensors
/// without gaps. Anything else is refused: golden numbers that are half read prove nothing.
public struct Safetensors: Sendable {
  /// One tensor, row-major, last index fastest.
  public struct Tensor<Element: Sendable>: Sendable {
    /// The extent of every dimension.
    public let shape: [Int]
    /// The elements.
    public let values: [Element]
  }

  /// What is wrong with a file.
  public struct FormatError: Error, CustomStringConvertible {
    /// The file and the rule that it breaks.
    public let description: String
  }

  private struct Entry: Decodable {
    let dtype: String
    let shape: [Int]
    let dataOffsets: [Int]
    var start: Int { dataOffsets.first ?? 0 }

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case dataOffsets = "data_offsets"
    }
  }

  /// The free-text pairs of the header.
  public let metadata: [String: String]
  private let path: String
  private let entries: [String: Entry]
  private let body: Data

  /// The names of all tensors, sorted.
  public var names: [String] { entries.keys.sorted() }

  /// Reads and checks a whole file.
  ///
  /// - Throws: ``FormatError`` if the header is not well formed, or if the tensors do not fill the rest of
  ///   the file exactly; Foundation's error if the file cannot be read.
  public init(_ path: FilePath) throws {
    let data = try Data(contentsOf: URL(filePath: path.string))
    func refuse(_ reason: String) -> FormatError { FormatError(description: "\(path): \(reason)") }
    guard data.count >= 8 else { throw refuse("shorter than its length field") }
    let headerCount = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard headerCount <= UInt64(data.count - 8) else { throw refuse("header passes the end") }
    let header = data[8..<8 + Int(headerCount)]
    guard var object = try JSONSerialization.jsonObject(with: header) as? [String: Any] else {
      throw refuse("header is no object")
    }
    self.metadata = object.removeValue(forKey: "__metadata__") as? [String: String] ?? [:]
    let tensors = try JSONSerialization.data(withJSONObject: object)
    self.entries = try JSONDecoder().decode([String: Entry].self, from: tensors)
    self.body = Data(data[(8 + Int(headerCount))...])
    self.path = path.string
    var end = 0
    for (name, entry) in entries.sorted(by: { $0.value.start < $1.value.start }) {
      let byteCount = entry.shape.reduce(4, *)
      guard entry.dtype == "F32" || entry.dtype == "I32" else {
        throw refuse("\(name) has elements of type \(entry.dtype)")
      }
      guard entry.dataOffsets == [end, end + byteCount] else {
        throw refuse("\(name) lies at \(entry.dataOffsets), expected \([end, end + byteCount])")
      }
      end += byteCount
    }
    guard end == body.count else { throw refuse("\(body.count - end) bytes belong to no tensor") }
  }

  /// The tensor of floats called `name`.
  public func floats(_ name: String) throws -> Tensor<Float> {
    let (entry, words) = try words(name, type: "F32")
    return Tensor(shape: entry.shape, values: words.map(Float.init(bitPattern:)))
  }

  /// The tensor of integers called `name`.
  public func integers(_ name: String) throws -> Tensor<Int32> {
    let (entry, words) = try words(name, type: "I32")
    return Tensor(shape: entry.shape, values: words.map(Int32.init(bitPattern:)))
  }

  private func words(_ name: String, type: String) throws -> (Entry, [UInt32]) {
    guard let entry = entries[name] else {
      throw FormatError(description: "\(path): no tensor '\(name)' among \(names)")
    }
    guard entry.dtype == type else {
      throw FormatError(description: "\(path): '\(name)' is \(entry.dtype), not \(type)")
    }
    let words = stride(from: entry.start, to: entry.start + 4 * entry.shape.reduce(1, *), by: 4).map
    { start in
      (0..<4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(body[start + $1]) }
    }
    return (entry, words)
  }
}

/// The folder of files that tests read, found from the place of this source file.
public let fixtureDirectory = FilePath(#filePath)
  .removingLastComponent().removingLastComponent().appending("Fixtures")
