internal import Foundation
internal import ShardIO
internal import TextInput

/// The files behind the paths of a command line: files, folders of files, patterns with `*`, `?` and `[…]`, or `-`.
///
/// - Returns: the files in ascending order of their paths, each once, so that the order given does not matter.
/// - Throws: ``PipelineError`` `.missingInput` if a path or a pattern stands for no file.
func expandPaths(_ paths: [String]) throws(PipelineError) -> [String] {
  var files: Set<String> = []
  for path in paths {
    if path == ByteStream.standardInputPath {
      files.insert(path)
      continue
    }
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    let found: [String] =
      isDirectory.boolValue ? filesInFolder(path) : exists ? [path] : filesMatching(path)
    guard !found.isEmpty else {
      throw PipelineError(
        .missingInput,
        isDirectory.boolValue ? "the folder has no files" : "no such file", at: .init(path: path))
    }
    files.formUnion(found)
  }
  return files.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
}

/// The files of a folder, without hidden ones and without folders in it.
private func filesInFolder(_ path: String) -> [String] {
  let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
  let base = path.hasSuffix("/") ? path : "\(path)/"
  return names.filter { !$0.hasPrefix(".") && !$0.hasPrefix("_") }.map { base + $0 }.filter {
    file in
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory)
      && !isDirectory.boolValue
  }
}

/// The files that a shell pattern stands for.
private func filesMatching(_ pattern: String) -> [String] {
  var matches = glob_t()
  defer { globfree(&matches) }
  guard glob(pattern, 0, nil, &matches) == 0 else { return [] }
  return (0..<Int(matches.gl_pathc)).compactMap { index in
    matches.gl_pathv[index].map { String(cString: $0) }
  }
}
