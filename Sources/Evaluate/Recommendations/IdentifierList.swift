import ShardIO
import SystemPackage
import TextInput

/// A file with one id a line, plain or compressed; empty lines are skipped.
struct IdentifierList {
  /// The largest file that is read, bytes.
  static let byteLimit = 1 << 31

  /// The ids with their lines, in the order of the file.
  let entries: [(id: String, line: Int)]

  /// Reads the file.
  ///
  /// - Throws: `PipelineError`: `.missingInput`, `.inputOutput`, or `.dataFormat` with the line if it is not UTF-8.
  init(_ path: FilePath) throws(PipelineError) {
    let bytes = try ByteStream(path.string).readAll(limit: Self.byteLimit)
    var entries: [(String, Int)] = []
    for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
    {
      let text = line.last == 0x0D ? line.dropLast() : line
      guard !text.isEmpty else { continue }
      guard let id = String(validating: text, as: UTF8.self) else {
        throw PipelineError(
          .dataFormat, "this line is not UTF-8", at: .init(path: path.string, line: index + 1))
      }
      entries.append((id, index + 1))
    }
    self.entries = entries
  }
}
