/// A plain file name with an extension, as the two parts at its last dot.
struct FileName {
  /// What stands before the last dot; not empty.
  let stem: Substring
  /// What stands behind it; not empty.
  let ending: Substring

  /// Takes a name apart.
  ///
  /// - Returns: nil for what is no name of a file of some directory, begins with a dot, or has no extension.
  init?(_ name: String) {
    guard Self.isPlain(name), let dot = name.lastIndex(of: ".") else { return nil }
    stem = name[..<dot]
    ending = name[name.index(after: dot)...]
    guard !ending.isEmpty else { return nil }
  }

  /// Whether a text names a file of some directory that people can see.
  static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix(".")
      && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != "/" }
  }
}
