package import SystemPackage

/// The version of the programs, recorded in every manifest.
public let programVersion = "0.1.0"

/// One output of a stage, by the checksum of its manifest.
public struct StageReference: Sendable, Hashable {
  /// The stage, for example `preprocess`.
  public var stage: String
  /// The XXH3-128 checksum of the bytes of its manifest.
  public var checksum: String

  /// Creates a reference from its parts.
  public init(stage: String, checksum: String) {
    self.stage = stage
    self.checksum = checksum
  }
}

/// The record of a finished stage, and the only point at which a run becomes the output.
public struct Manifest: Sendable, Equatable {
  /// One file that belongs to the output.
  public struct Output: Sendable, Equatable {
    /// The file's name; it contains the first 16 digits of the checksum.
    public var name: String
    /// The kind of the table, or the name under which a person finds the file, for example `report.json`.
    public var kind: String
    /// The size of the file in bytes.
    public var bytes: Int
    /// The rows of the shard; `nil` for other files.
    public var rows: Int?
    /// The XXH3-128 checksum of the file.
    public var checksum: String

    package init(name: String, kind: String, bytes: Int, rows: Int?, checksum: String) {
      self.name = name
      self.kind = kind
      self.bytes = bytes
      self.rows = rows
      self.checksum = checksum
    }
  }

  /// The name of the file.
  public static let fileName = "manifest.json"
  /// The format that is written, and the only one that is read.
  public static let currentFormatVersion: Int64 = 2

  /// The stage that wrote the output.
  public var stage: String
  /// The format of the manifest.
  public var formatVersion = Manifest.currentFormatVersion
  /// The version of the program.
  public var programVersion: String
  /// The resolved options.
  public var configuration: [String: JSONValue]
  /// The outputs of earlier stages that were read.
  public var inputs: [StageReference]
  /// The files.
  public var outputs: [Output]
  /// What was counted on the way.
  public var counters: [String: JSONValue]
}

extension Manifest {
  /// The manifest as the bytes of its file.
  ///
  /// - Throws: ``PipelineError`` `.internalError` if a number is not finite.
  package func json() throws(PipelineError) -> [UInt8] {
    try JSONValue.object([
      "stage": .string(stage),
      "formatVersion": .integer(formatVersion),
      "programVersion": .string(programVersion),
      "configuration": .object(configuration),
      "inputs": .array(
        inputs.map { ["stage": .string($0.stage), "checksum": .string($0.checksum)] }),
      "outputs": .array(outputs.map(\.json)),
      "counters": .object(counters),
    ]).json()
  }

  /// Reads a manifest strictly: every key must be there, and no other.
  ///
  /// - Throws: ``PipelineError`` `.dataFormat`.
  package init(parsing bytes: [UInt8], path: FilePath) throws(PipelineError) {
    let document = try JSONValue(parsing: bytes, path: path.string)
    // Version 1 wrote its keys in another form.
    if let earlier = document["format_version"]?.integerValue {
      throw .manifestVersion(earlier, path)
    }
    let members = StrictObject(document, path, "the manifest")
    try members.require([
      "stage", "formatVersion", "programVersion", "configuration", "inputs", "outputs", "counters",
    ])
    formatVersion = try members.integer("formatVersion")
    guard formatVersion == Self.currentFormatVersion else {
      throw .manifestVersion(formatVersion, path)
    }
    stage = try members.string("stage")
    programVersion = try members.string("programVersion")
    configuration = try members.object("configuration")
    counters = try members.object("counters")
    inputs = []
    for value in try members.array("inputs") {
      let input = StrictObject(value, path, "an input")
      try input.require(["stage", "checksum"])
      inputs.append(
        StageReference(stage: try input.string("stage"), checksum: try input.string("checksum")))
    }
    outputs = []
    for value in try members.array("outputs") { outputs.append(try Output(value, path)) }
    guard Set(outputs.map(\.name)).count == outputs.count else {
      throw .manifest("a file is listed twice", path)
    }
    let aliases = outputs.filter { $0.rows == nil }.map(\.kind)
    guard Set(aliases).count == aliases.count else {
      throw .manifest("two files have the same kind", path)
    }
  }
}

extension Manifest.Output {
  fileprivate var json: JSONValue {
    var members: [String: JSONValue] = [
      "name": .string(name), "kind": .string(kind), "bytes": JSONValue(bytes),
      "checksum": .string(checksum),
    ]
    if let rows { members["rows"] = JSONValue(rows) }
    return .object(members)
  }

  fileprivate init(_ value: JSONValue, _ path: FilePath) throws(PipelineError) {
    let members = StrictObject(value, path, "an output")
    try members.require(["name", "kind", "bytes", "checksum"], optional: ["rows"])
    name = try members.string("name")
    kind = try members.string("kind")
    checksum = try members.string("checksum")
    bytes = Int(try members.integer("bytes"))
    rows = value["rows"] == nil ? nil : Int(try members.integer("rows"))
    // A name is never a path: a manifest cannot lead a program out of its directory.
    guard FileName.isPlain(name) else {
      throw .manifest("output \(quoted(name)) is not a plain file name", path)
    }
    guard rows == nil ? Self.isAlias(kind) : ShardFormat.isValidName(kind.utf8) else {
      throw .manifest("output \(quoted(name)) has the kind \(quoted(kind)), which is no name", path)
    }
    guard name == expectedName else {
      throw .manifest(
        "output \(quoted(name)) of kind \(quoted(kind)) does not have the name that belongs to its "
          + "kind and checksum", path)
    }
  }

  /// The name that belongs to kind and checksum; a shard keeps its number.
  private var expectedName: String {
    guard rows != nil else {
      let parts = FileName(kind)
      return StageDirectory.fileName(
        stem: String(parts?.stem ?? ""), checksum: checksum, extension: String(parts?.ending ?? ""))
    }
    let number = name.dropFirst(kind.utf8.count + 1).prefix { $0.isASCII && $0.isNumber }
    return StageDirectory.fileName(
      stem: "\(kind)-\(number)", checksum: checksum, extension: ShardFormat.fileExtension)
  }

  /// Whether people may find a file under this name: none that the directory needs for itself.
  private static func isAlias(_ name: String) -> Bool {
    name != Manifest.fileName && FileName(name) != nil && !StageDirectory.isReserved(name)
  }
}

/// A JSON object whose members are all known.
private struct StrictObject {
  private let members: [String: JSONValue]?
  private let path: FilePath
  private let what: String

  init(_ value: JSONValue, _ path: FilePath, _ what: String) {
    members = value.objectValue
    self.path = path
    self.what = what
  }

  func require(_ names: Set<String>, optional: Set<String> = []) throws(PipelineError) {
    guard let members else { throw .manifest("\(what) is not an object", path) }
    if let missing = names.subtracting(members.keys).min() {
      throw .manifest("\(what) has no \(quoted(missing))", path)
    }
    if let unknown = Set(members.keys).subtracting(names).subtracting(optional).min() {
      throw .manifest("\(what) has the unknown key \(quoted(unknown))", path)
    }
  }

  func string(_ name: String) throws(PipelineError) -> String {
    guard let value = members?[name]?.stringValue else { throw wrong(name, "a string") }
    return value
  }

  func integer(_ name: String) throws(PipelineError) -> Int64 {
    guard let value = members?[name]?.integerValue, value >= 0 else {
      throw wrong(name, "a whole number from 0")
    }
    return value
  }

  func array(_ name: String) throws(PipelineError) -> [JSONValue] {
    guard let value = members?[name]?.arrayValue else { throw wrong(name, "an array") }
    return value
  }

  func object(_ name: String) throws(PipelineError) -> [String: JSONValue] {
    guard let value = members?[name]?.objectValue else { throw wrong(name, "an object") }
    return value
  }

  private func wrong(_ name: String, _ expected: String) -> PipelineError {
    .manifest("\(quoted(name)) of \(what) is not \(expected)", path)
  }
}
