public import ShardIO
internal import SystemPackage

/// How a night ended: what was decided and why, and the figures that curves are drawn from.
public struct NightRecord: Sendable, Equatable {
  /// Whether its model was published.
  public var isPublished: Bool
  /// Why not; empty for a published night.
  public var reasons: [String]
  /// The template of the command lines, stage by stage; a night with another one is no repetition.
  public var template: [[String]]
  /// Whether training started from the published model.
  public var isWarm: Bool
  /// Whether codes came from the codebooks of the published night.
  public var hasFrozenCodes: Bool
  /// Metrics, sizes, times: everything else that a reader of the history may want, by name.
  public var figures: [String: JSONValue]

  /// A record from its parts.
  public init(
    isPublished: Bool, reasons: [String], template: [[String]], isWarm: Bool,
    hasFrozenCodes: Bool, figures: [String: JSONValue]
  ) {
    self.isPublished = isPublished
    self.reasons = reasons
    self.template = template
    self.isWarm = isWarm
    self.hasFrozenCodes = hasFrozenCodes
    self.figures = figures
  }

  /// The record with stable keys.
  public var json: JSONValue {
    var members = figures
    members["event"] = "night"
    members["published"] = .bool(isPublished)
    members["reasons"] = .array(reasons.map { .string($0) })
    members["template"] = .array(template.map { .array($0.map { .string($0) }) })
    members["warmStart"] = .bool(isWarm)
    members["frozenCodes"] = .bool(hasFrozenCodes)
    return .object(members)
  }

  private static let ownKeys: Set = [
    "event", "published", "reasons", "template", "warmStart", "frozenCodes",
  ]

  /// Reads what ``json`` wrote.
  ///
  /// - Throws: `PipelineError` `.dataFormat`.
  init(_ json: JSONValue, _ path: FilePath) throws(PipelineError) {
    guard let members = json.objectValue, let isPublished = members["published"]?.boolValue,
      let reasons = members["reasons"]?.arrayValue?.map(\.stringValue),
      let template = members["template"]?.arrayValue, let isWarm = members["warmStart"]?.boolValue,
      let hasFrozenCodes = members["frozenCodes"]?.boolValue, !reasons.contains(nil)
    else {
      throw PipelineError(
        .dataFormat, "this is no record of a night", at: .init(path: path.string),
        note: "remove the folder of this night, if it is not the published one")
    }
    self.isPublished = isPublished
    self.reasons = reasons.compactMap(\.self)
    self.template = template.map { ($0.arrayValue ?? []).compactMap(\.stringValue) }
    self.isWarm = isWarm
    self.hasFrozenCodes = hasFrozenCodes
    figures = members.filter { !Self.ownKeys.contains($0.key) }
  }
}
