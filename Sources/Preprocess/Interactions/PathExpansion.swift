internal import Foundation
internal import ShardIO
internal import TextInput

/// The files behind the paths of a command line: files, folders of files, patterns with `*`, `?` and `[…]`, or `-`.
///
/// - Returns: the files in the order given, each once; those of a folder or a pattern in the order of their names, in
///   which numbers go by their size.
/// - Throws: ``PipelineError`` `.missingInput` if a path or a pattern stands for no file.
func expandPaths(_ paths: [String]) throws(PipelineError) -> [String] {
  var files: [String] = []
  var known: Set<String> = []
  for path in paths {
    if path == ByteStream.standardInputPath {
      if known.insert(path).inserted { files.append(path) }
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
    for file in found.sorted(by: precedes) where known.insert(file).inserted { files.append(file) }
  }
  return files
}

/// Whether a name comes before another one; runs of digits are compared as numbers, the rest by bytes.
private func precedes(_ left: String, _ right: String) -> Bool {
  let (left, right) = (Array(left.utf8), Array(right.utf8))
  func digits(_ text: [UInt8], from start: Int) -> ArraySlice<UInt8> {
    text[start...].prefix { (0x30...0x39).contains($0) }
  }
  var (place, other) = (0, 0)
  while place < left.count, other < right.count {
    let (number, otherNumber) = (digits(left, from: place), digits(right, from: other))
    if number.isEmpty || otherNumber.isEmpty {
      if left[place] != right[other] { return left[place] < right[other] }
      (place, other) = (place + 1, other + 1)
      continue
    }
    let (size, otherSize) = (number.drop { $0 == 0x30 }, otherNumber.drop { $0 == 0x30 })
    if size.count != otherSize.count { return size.count < otherSize.count }
    if size != otherSize { return size.lexicographicallyPrecedes(otherSize) }
    (place, other) = (number.endIndex, otherNumber.endIndex)
  }
  if left.count - place != right.count - other { return left.count - place < right.count - other }
  return left.lexicographicallyPrecedes(right)
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
