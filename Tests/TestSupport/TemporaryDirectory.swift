internal import Foundation
public import SystemPackage

/// Gives `body` a directory of its own, and removes it with everything in it afterwards.
public func withTemporaryDirectory<Result>(
  _ body: (FilePath) async throws -> Result
) async throws -> Result {
  let directory = try makeTemporaryDirectory()
  defer { try? FileManager.default.removeItem(atPath: directory.string) }
  return try await body(directory)
}

/// Gives `body` a directory of its own, and removes it with everything in it afterwards.
public func withTemporaryDirectory<Result>(_ body: (FilePath) throws -> Result) throws -> Result {
  let directory = try makeTemporaryDirectory()
  defer { try? FileManager.default.removeItem(atPath: directory.string) }
  return try body(directory)
}

/// Every file below `directory` by its relative path: contents, or `-> target` for symbolic links.
///
/// Lock files are left out, and what a stage keeps of its inputs' times and places; they belong to no output.
public func contents(of directory: FilePath) throws -> [String: [UInt8]] {
  let manager = FileManager.default
  var result: [String: [UInt8]] = [:]
  for name in try manager.subpathsOfDirectory(atPath: directory.string) {
    let path = directory.string + "/" + name
    if [".lock", ".made-from.json"].contains(FilePath(name).lastComponent?.string) { continue }
    if let target = try? manager.destinationOfSymbolicLink(atPath: path) {
      result[name] = Array("-> \(target)".utf8)
    } else if let data = manager.contents(atPath: path) {
      result[name] = Array(data)
    }
  }
  return result
}

/// Writes a file, whatever was there before.
public func write(_ bytes: [UInt8], to path: FilePath) throws {
  try Data(bytes).write(to: URL(filePath: path.string))
}

private func makeTemporaryDirectory() throws -> FilePath {
  let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("h2rec-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  return FilePath(url.path)
}
