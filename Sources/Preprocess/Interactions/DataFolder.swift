internal import Foundation
internal import ShardIO

/// What a folder with a user's data holds: which files are read, and which are not.
struct DataFolder: Equatable {
  /// The files of the log, or folders of its parts, in the order of their names.
  var interactions: [String] = []
  var items: String?
  var vectors: String?
  var vectorIDs: String?
  /// The names of everything else, in order.
  var ignored: [String] = []

  /// The paths that are read.
  var found: [String] { interactions + [items, vectors, vectorIDs].compactMap(\.self) }

  private static let compressions: Set = ["gz", "zst", "bz2", "xz", "zip"]
  private static let texts: Set = [
    "csv", "tsv", "psv", "txt", "json", "jsonl", "ndjson", "parquet",
  ]
  private static let logs: Set = texts.union(["dat", "data", "inter", "log"])
  private static let itemFiles: Set = texts.union(["dat", "item"])
  private static let arrays: Set = [
    "npy", "npz", "safetensors", "jsonl", "ndjson", "csv", "tsv", "parquet",
  ]

  /// Looks at the names in a folder; no file is opened.
  ///
  /// - Parameter folder: the folder.
  /// - Throws: ``PipelineError``: `.missingInput` if there is no such folder or no log in it; `.configuration` if it is open
  ///   which of several files is meant.
  init(_ folder: String) throws(PipelineError) {
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory)
    guard exists, isDirectory.boolValue else {
      throw PipelineError(
        .missingInput, exists ? "this is a file, not a folder" : "no such folder",
        at: .init(path: folder), note: "DATA is the folder that holds interactions.csv")
    }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw PipelineError(
        .missingInput, "cannot read the folder: \(error.localizedDescription)",
        at: .init(path: folder))
    }
    let visible = names.filter { !$0.hasPrefix(".") }
      .sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    let base = folder.hasSuffix("/") ? folder : "\(folder)/"
    func taken(_ stem: String, _ endings: Set<String>) -> [String] {
      visible.filter { Self.form(of: $0, stem: stem, endings) != nil }
    }
    let logs = taken("interactions", Self.logs)
    try Self.requireOneForm(logs, Self.logs, folder)
    interactions = logs.map { base + $0 }
    items = try Self.one(taken("items", Self.itemFiles), folder).map { base + $0 }
    let arrays = try Self.one(taken("item_embeddings", Self.arrays), folder)
    vectors = arrays.map { base + $0 }
    let lists = arrays == nil ? [] : taken("item_ids", ["txt", "csv"])
    vectorIDs = try Self.one(lists, folder).map { base + $0 }
    let read = Set(found.map { String($0.dropFirst(base.count)) })
    ignored = visible.filter { !read.contains($0) }
    guard !interactions.isEmpty else { throw Self.noLog(visible, folder) }
  }

  /// What was found and what was not looked at, in one line.
  var summary: String {
    let names = found.map { quoted($0.split(separator: "/").last ?? "") }
    var line = "reads \(names.joined(separator: ", "))"
    let shown = ignored.prefix(8).map { quoted($0) }.joined(separator: ", ")
    if !ignored.isEmpty { line += "; leaves out \(shown)" }
    if ignored.count > 8 { line += " and \(ignored.count - 8) more" }
    return line
  }

  /// A name without the ending of its format; nil if it is no name of that kind.
  ///
  /// `interactions`, `interactions.csv`, `interactions.2024-05.csv.gz` are names of the stem `interactions`; what ends in
  /// anything but a known format, such as `interactions.csv.bak`, is none.
  private static func form(of name: String, stem: String, _ endings: Set<String>) -> String? {
    if name == stem { return name }
    guard name.hasPrefix("\(stem).") else { return nil }
    var parts = name.split(separator: ".", omittingEmptySubsequences: false)
    if let last = parts.last, compressions.contains(last.lowercased()), parts.count > 2 {
      parts.removeLast()
    }
    guard parts.count > 1, let ending = parts.last, endings.contains(ending.lowercased()) else {
      return nil
    }
    return parts.dropLast().joined(separator: ".")
  }

  /// Refuses a log that is there twice, for example plain and compressed: its events would count twice.
  private static func requireOneForm(
    _ names: [String], _ endings: Set<String>, _ folder: String
  ) throws(PipelineError) {
    var known: [String: String] = [:]
    for name in names {
      let form = form(of: name, stem: "interactions", endings) ?? name
      guard let other = known.updateValue(name, forKey: form) else { continue }
      throw severalForms([other, name], folder)
    }
  }

  private static func one(_ names: [String], _ folder: String) throws(PipelineError) -> String? {
    guard names.count < 2 else { throw severalForms(names, folder) }
    return names.first
  }

  private static func severalForms(_ names: [String], _ folder: String) -> PipelineError {
    PipelineError(
      .configuration,
      "found \(names.map { quoted($0) }.joined(separator: " and ")), expected one of them",
      at: .init(path: folder), note: "keep one, or give the other a name like old-\(names[0])")
  }

  private static func noLog(_ names: [String], _ folder: String) -> PipelineError {
    let shown = names.prefix(8).map { quoted($0) }.joined(separator: ", ")
    return PipelineError(
      .missingInput,
      "no file 'interactions.csv' or another format"
        + (names.isEmpty ? "; the folder is empty" : "; found \(shown)"),
      at: .init(path: folder),
      note: "DATA is the folder that holds interactions.csv; its ending may be "
        + logs.sorted().joined(separator: ", ") + ", and .gz or .zst behind it")
  }
}

/// Whether a file that is wanted beside the output is there, or none is wanted.
func isKept(_ path: String?) -> Bool {
  path.map { FileManager.default.fileExists(atPath: $0) } ?? true
}

extension InputOptions {
  /// These options with the files that the folder stands for.
  ///
  /// - Returns: the options, and what was found; nil where no folder is given.
  /// - Throws: ``PipelineError``: as ``DataFolder/init(_:)``; `.usage` if an option has no use for what was found.
  func lookedUp() throws(PipelineError) -> (options: InputOptions, folder: DataFolder?) {
    guard let dataFolder else { return (self, nil) }
    let folder = try DataFolder(dataFolder)
    var options = self
    options.interactions = folder.interactions
    options.items = folder.items
    options.vectors = folder.vectors
    options.vectorIds = folder.vectorIDs
    do {
      try options.validateUse()
    } catch {
      let reason = "\(error)".trimmingCharacters(in: ["."])
      throw PipelineError(.usage, reason, at: .init(path: dataFolder), note: folder.summary)
    }
    return (options, folder)
  }
}
