public import ShardIO
internal import SystemPackage

extension NightFolder {
  /// A night as an OpenLineage run event (https://openlineage.io/spec/2-0-2/OpenLineage.json); sending it is the user's.
  ///
  /// - Parameters:
  ///   - night: a night that has ended.
  ///   - record: how it ended; a refused night is an event of the type FAIL.
  ///   - now: seconds since 1970.
  /// - Returns: the event; the id of its run follows from the folder and the name of the night.
  public func lineage(_ night: String, _ record: NightRecord, now: Int64) -> JSONValue {
    let data = (NightPlan.words("preprocess", in: record.template) ?? [])
      .first { $0.hasPrefix("--data-folder=") }.map { String($0.dropFirst(14)) }
    func dataset(_ path: String) -> JSONValue {
      ["namespace": "file", "name": .string(path), "facets": [:]]
    }
    let facet: JSONValue = [
      "_producer": .string(Self.producer),
      "_schemaURL": "https://openlineage.io/spec/facets/1-0-0/ErrorMessageRunFacet.json",
      "message": .string(record.reasons.joined(separator: "; ")), "programmingLanguage": "Swift",
    ]
    return [
      "eventType": record.isPublished ? "COMPLETE" : "FAIL",
      "eventTime": .string(Self.timestamp(now)),
      "producer": .string(Self.producer),
      "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
      "run": [
        "runId": .string(Self.identifier("\(run.string)/\(night)")),
        "facets": record.isPublished ? [:] : ["errorMessage": facet],
      ],
      "job": ["namespace": "h2rec", "name": .string(run.string), "facets": [:]],
      "inputs": .array(data.map { [dataset($0)] } ?? []),
      "outputs": .array(record.isPublished ? [dataset(folder(night).string)] : []),
    ]
  }

  private static let producer = "h2rec/\(programVersion)"

  /// `2026-11-30T03:00:00Z`.
  private static func timestamp(_ seconds: Int64) -> String {
    let parts = name(seconds).split(separator: "T")
    return "\(parts[0])T\(parts[1].replacing("-", with: ":"))"
  }

  /// A UUID of version 8 (RFC 9562) from the hash of a text.
  private static func identifier(_ text: String) -> String {
    var digits = Array(checksum(Array(text.utf8)))
    digits[12] = "8"
    digits[16] = "8"
    let places = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
    return places.map { String(digits[$0]) }.joined(separator: "-")
  }
}
