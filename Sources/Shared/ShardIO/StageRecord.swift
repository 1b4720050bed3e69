package import SystemPackage

/// What the output in a directory was made from, and what it cost.
///
/// It lies beside the manifest and is no part of the output: it holds times and places of files, which differ between
/// equal runs. It counts only for the manifest whose checksum it names.
package struct StageRecord: Sendable, Equatable {
  /// A file that was read.
  struct File: Sendable, Equatable {
    var role: String
    var name: String
    var mark: FileMark
    var checksum: String
  }

  /// The name of the file.
  package static let fileName = ".made-from.json"
  private static let formatVersion: Int64 = 1

  /// The checksum of the manifest that it belongs to; empty where the output has none.
  var manifest: String
  /// All options that determine the output, as text.
  var configuration: [String: String]
  /// The outputs of earlier stages that were read.
  var inputs: [StageReference]
  /// The files that were read; nil if one of them could not be read again, as a pipe.
  var files: [File]?
  /// How long the stage took, all processes together where it went on with the work of earlier ones.
  package var seconds: Double
  /// The most memory that it had, the last process of several, in MiB.
  package var peakMegabytes: Int64
  /// The step from which it went on; nil where one process did it all.
  package var resumedStep: Int64?
}

extension StageRecord {
  /// Reads the record of a directory; nil if there is none that this program understands.
  package init?(_ directory: FilePath) {
    let path = directory.appending(Self.fileName)
    guard let bytes = try? readWholeFile(path),
      let json = try? JSONValue(parsing: bytes, path: path.string),
      json["recordVersion"]?.integerValue == Self.formatVersion,
      let manifest = json["manifest"]?.stringValue,
      let configuration = json["configuration"]?.objectValue,
      let inputs = json["inputs"]?.arrayValue, let seconds = json["seconds"]?.numberValue,
      let peakMegabytes = json["peakMegabytes"]?.integerValue
    else { return nil }
    self.manifest = manifest
    self.configuration = configuration.compactMapValues(\.stringValue)
    self.inputs = inputs.compactMap { StageReference($0) }
    files = json["files"]?.arrayValue.map { $0.compactMap { File($0) } }
    self.seconds = seconds
    self.peakMegabytes = peakMegabytes
    resumedStep = json["resumedStep"]?.integerValue
    guard self.configuration.count == configuration.count, self.inputs.count == inputs.count,
      files?.count == json["files"]?.arrayValue?.count
    else { return nil }
  }

  /// Writes the record into its directory, in place of an older one.
  ///
  /// - Throws: ``PipelineError``: `.cannotCreate`, `.inputOutput`.
  func write(to directory: FilePath) throws(PipelineError) {
    let json: JSONValue = [
      "recordVersion": .integer(Self.formatVersion), "programVersion": .string(programVersion),
      "manifest": .string(manifest),
      "configuration": .object(configuration.mapValues { .string($0) }),
      "inputs": .array(
        inputs.map { ["stage": .string($0.stage), "checksum": .string($0.checksum)] }),
      "files": files.map { .array($0.map(\.json)) } ?? .null,
      "seconds": .number(seconds), "peakMegabytes": .integer(peakMegabytes),
      "resumedStep": resumedStep.map { .integer($0) } ?? .null,
    ]
    var file = try AtomicFile(replacing: directory.appending(Self.fileName))
    try file.append(try json.json())
    try file.commit()
  }
}

extension StageRecord.File {
  fileprivate var json: JSONValue {
    [
      "role": .string(role), "name": .string(name), "mark": mark.json,
      "checksum": .string(checksum),
    ]
  }

  fileprivate init?(_ json: JSONValue) {
    guard let role = json["role"]?.stringValue, let name = json["name"]?.stringValue,
      let mark = json["mark"].flatMap({ FileMark($0) }),
      let checksum = json["checksum"]?.stringValue
    else { return nil }
    self.init(role: role, name: name, mark: mark, checksum: checksum)
  }
}

extension StageReference {
  fileprivate init?(_ json: JSONValue) {
    guard let stage = json["stage"]?.stringValue, let checksum = json["checksum"]?.stringValue
    else { return nil }
    self.init(stage: stage, checksum: checksum)
  }
}
