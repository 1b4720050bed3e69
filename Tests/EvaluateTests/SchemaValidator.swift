import ShardIO

/// The part of JSON Schema (draft 2020-12) that Documentation/report.schema.json uses.
struct SchemaValidator {
  /// A keyword that the validator does not know would silently check nothing.
  private static let known: Set<String> = [
    "$schema", "$defs", "$ref", "title", "description", "type", "required", "properties",
    "additionalProperties", "patternProperties", "items", "minItems", "maxItems", "enum", "const",
    "minimum", "maximum", "pattern",
  ]

  let root: JSONValue

  /// The places where a value breaks the schema, with what is wrong there.
  func problems(_ value: JSONValue) throws -> [String] {
    try check(value, root, at: "")
  }

  private func check(_ value: JSONValue, _ schema: JSONValue, at path: String) throws -> [String] {
    guard let members = schema.objectValue else { return [] }
    if let reference = members["$ref"]?.stringValue {
      let name = String(reference.split(separator: "/").last ?? "")
      guard let target = root["$defs"]?[name] else { return ["\(path): no definition \(name)"] }
      return try check(value, target, at: path)
    }
    var found = members.keys.filter { !Self.known.contains($0) }.map { "\(path): keyword \($0)" }
    if let type = members["type"], !matches(value, type) { found.append("\(path): type") }
    if let constant = members["const"], constant != value { found.append("\(path): const") }
    if let choices = members["enum"]?.arrayValue, !choices.contains(value) {
      found.append("\(path): enum")
    }
    if let number = value.numberValue {
      if let least = members["minimum"]?.numberValue, number < least {
        found.append("\(path): minimum")
      }
      if let most = members["maximum"]?.numberValue, number > most {
        found.append("\(path): maximum")
      }
    }
    if let pattern = members["pattern"]?.stringValue, let text = value.stringValue,
      try text.firstMatch(of: Regex(pattern)) == nil
    {
      found.append("\(path): pattern")
    }
    return try found + checkElements(value, members, path) + checkMembers(value, members, path)
  }

  private func matches(_ value: JSONValue, _ type: JSONValue) -> Bool {
    let names = type.arrayValue?.compactMap(\.stringValue) ?? [type.stringValue ?? ""]
    return names.contains { name in
      switch (name, value) {
      case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool),
        ("null", .null), ("integer", .integer), ("number", .integer), ("number", .number):
        true
      default: false
      }
    }
  }

  private func checkElements(
    _ value: JSONValue, _ schema: [String: JSONValue], _ path: String
  ) throws -> [String] {
    guard let elements = value.arrayValue else { return [] }
    var found: [String] = []
    if let least = schema["minItems"]?.integerValue, elements.count < least {
      found.append("\(path): minItems")
    }
    if let most = schema["maxItems"]?.integerValue, elements.count > most {
      found.append("\(path): maxItems")
    }
    guard let schema = schema["items"] else { return found }
    return try found
      + elements.enumerated().flatMap { try check($0.element, schema, at: "\(path)/\($0.offset)") }
  }

  private func checkMembers(
    _ value: JSONValue, _ schema: [String: JSONValue], _ path: String
  ) throws -> [String] {
    guard let members = value.objectValue else { return [] }
    let required = (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue)
    var found = required.filter { members[$0] == nil }.map { "\(path): no \($0)" }
    for (key, member) in members {
      var schemas: [JSONValue] = []
      if let property = schema["properties"]?[key] { schemas.append(property) }
      for (pattern, candidate) in schema["patternProperties"]?.objectValue ?? [:]
      where try key.firstMatch(of: Regex(pattern)) != nil {
        schemas.append(candidate)
      }
      if schemas.isEmpty, let rest = schema["additionalProperties"] {
        if rest == .bool(false) { found.append("\(path): \(key) is not foreseen") }
        schemas.append(rest)
      }
      for schema in schemas { found += try check(member, schema, at: "\(path)/\(key)") }
    }
    return found
  }
}
