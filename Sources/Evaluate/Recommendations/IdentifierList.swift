import ShardIO
import SystemPackage
import TextInput

/// A file with one id a line, plain or compressed; empty lines are skipped.
struct IdentifierList {
  /// The ids with their lines, in the order of the file.
  let entries: [(id: String, line: Int)]

  /// Reads the file.
  ///
  /// - Throws: `PipelineError`: `.missingInput`, `.inputOutput`, or `.dataFormat` with the line if it is not UTF-8.
  init(_ path: FilePath) throws(PipelineError) {
    var entries: [(String, Int)] = []
    try forEachLine(of: try ByteStream(path.string)) { bytes, line, number throws(PipelineError) in
      var range = line
      if let last = range.last, bytes[last] == 0x0D { range.removeLast() }
      guard !range.isEmpty else { return }
      guard let id = String(validating: range.map { bytes[$0] }, as: UTF8.self) else {
        throw PipelineError(
          .dataFormat, "this line is not UTF-8", at: .init(path: path.string, line: number))
      }
      entries.append((id, number))
    }
    self.entries = entries
  }
}
