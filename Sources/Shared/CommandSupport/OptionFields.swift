public import ArgumentParser
public import ShardIO

/// Options whose names, ranges and entries in a manifest come from one list.
///
/// The declaration of an option gives its default and its help; its field in ``fields`` gives everything else: the option's name on the
/// command line is that of the key in kebab case, a value out of range is refused with one message, the manifest holds the resolved
/// value, and a later stage reads it back.
public protocol ConfiguredOptions: ParsableArguments {
  /// One field for each option, those of groups included.
  static var fields: [OptionField<Self>] { get }
}

extension ConfiguredOptions {
  /// The options with everything resolved, as the manifest has them.
  public var configuration: [String: JSONValue] {
    Dictionary(uniqueKeysWithValues: Self.fields.map { ($0.key, $0.read(self)) })
  }

  /// Refuses values out of range.
  ///
  /// - Throws: `ValidationError` with option, range and value.
  public func validateRanges() throws {
    for field in Self.fields {
      if let problem = field.problem(self) { throw ValidationError(problem) }
    }
  }

  /// The options that were given although they have a default that depends on others.
  public var given: [GivenOption] {
    Self.fields.map { ($0.optionName, $0.isGiven(self)) }
  }

  /// Reads what ``configuration`` wrote.
  ///
  /// - Parameters:
  ///   - entries: the configuration of a manifest.
  ///   - path: where it was read, for messages.
  /// - Throws: `PipelineError` `.dataFormat` naming an entry that shapes the model and is missing, or that has a value that the
  ///   option could not have.
  public init(_ entries: [String: JSONValue], path: String) throws(PipelineError) {
    let defaults: Self
    do {
      defaults = try Self.parse([])
    } catch {
      throw PipelineError(.internalError, "options without defaults: \(error)")
    }
    try self.init(entries, over: defaults, path: path)
  }

  /// The same, where the defaults are there already.
  init(
    _ entries: [String: JSONValue], over defaults: Self, path: String
  ) throws(PipelineError) {
    self = defaults
    for field in Self.fields {
      guard let value = entries[field.key] else {
        guard field.isStructural else { continue }
        throw Self.unreadable(field.key, "is missing", path)
      }
      guard field.write(&self, value), field.problem(self) == nil else {
        throw Self.unreadable(field.key, "has a value that it cannot have", path)
      }
    }
  }

  private static func unreadable(
    _ key: String, _ problem: String, _ path: String
  ) -> PipelineError {
    PipelineError(
      .dataFormat, "configuration entry '\(key)' \(problem)", at: .init(path: path),
      note: "run the stage again with this version of the programs")
  }
}

/// One option: its key in a manifest, its range, and how its value is read and set.
public struct OptionField<Options> {
  /// The key in a manifest, in camel case.
  public let key: String
  /// Whether a trained model cannot be built without it.
  public let isStructural: Bool
  let read: (Options) -> JSONValue
  let write: (inout Options, JSONValue) -> Bool
  let problem: (Options) -> String?
  let isGiven: (Options) -> Bool

  /// The name on the command line, without dashes at its start.
  public var optionName: String { Self.kebab(key) }

  /// A field from its parts.
  ///
  /// - Parameters:
  ///   - key: the key in a manifest.
  ///   - isStructural: whether a trained model cannot be built without it.
  ///   - read: the resolved value.
  ///   - write: sets a value of a manifest; false where it is of another kind.
  ///   - problem: what is wrong with the value, as a sentence; nil where nothing is.
  ///   - isGiven: whether the option was given, where its default depends on others.
  public init(
    _ key: String, isStructural: Bool = false, read: @escaping (Options) -> JSONValue,
    write: @escaping (inout Options, JSONValue) -> Bool,
    problem: @escaping (Options) -> String? = { _ in nil },
    isGiven: @escaping (Options) -> Bool = { _ in false }
  ) {
    self.key = key
    self.isStructural = isStructural
    self.read = read
    self.write = write
    self.problem = problem
    self.isGiven = isGiven
  }

  /// The same field of options that hold these as a group.
  public func lifted<Outer>(
    _ group: WritableKeyPath<Outer, Options>
  ) -> OptionField<Outer> {
    OptionField<Outer>(
      key, isStructural: isStructural, read: { read($0[keyPath: group]) },
      write: { write(&$0[keyPath: group], $1) }, problem: { problem($0[keyPath: group]) },
      isGiven: { isGiven($0[keyPath: group]) })
  }

  private static func kebab(_ key: String) -> String {
    key.reduce(into: "") { name, letter in
      name += letter.isUppercase ? "-\(letter.lowercased())" : "\(letter)"
    }
  }

  /// A whole number in a range.
  public static func integer(
    _ key: String, _ path: WritableKeyPath<Options, Int>, _ range: ClosedRange<Int>,
    isStructural: Bool = false
  ) -> OptionField {
    OptionField(
      key, isStructural: isStructural, read: { JSONValue($0[keyPath: path]) },
      write: { set(&$0, path, $1.integerValue.map { Int($0) }) },
      problem: { outside(key, $0[keyPath: path], range) })
  }

  /// A whole number in a range, with a default that is resolved later; nil where the option has no use.
  public static func integer(
    _ key: String, _ path: WritableKeyPath<Options, Int?>, _ range: ClosedRange<Int>,
    default resolve: @escaping (Options) -> Int?, isStructural: Bool = false
  ) -> OptionField {
    OptionField(
      key, isStructural: isStructural,
      read: { ($0[keyPath: path] ?? resolve($0)).map { JSONValue($0) } ?? .null },
      write: { options, value in
        guard let number = value.integerValue else { return value == .null }
        options[keyPath: path] = Int(number)
        return true
      }, problem: { options in options[keyPath: path].flatMap { outside(key, $0, range) } },
      isGiven: { $0[keyPath: path] != nil })
  }

  /// A number in a closed range.
  public static func number(
    _ key: String, _ path: WritableKeyPath<Options, Float>, _ range: ClosedRange<Float>,
    isStructural: Bool = false
  ) -> OptionField {
    OptionField(
      key, isStructural: isStructural, read: { decimal($0[keyPath: path]) },
      write: { set(&$0, path, $1.numberValue.map { Float($0) }) },
      problem: { outside(key, $0[keyPath: path], range) })
  }

  /// A number in a closed range, with a default; nil where the option has no use.
  public static func number(
    _ key: String, _ path: WritableKeyPath<Options, Float?>, _ range: ClosedRange<Float>,
    default resolve: @escaping (Options) -> Float?
  ) -> OptionField {
    OptionField(
      key, read: { ($0[keyPath: path] ?? resolve($0)).map { decimal($0) } ?? .null },
      write: { options, value in
        guard let number = value.numberValue else { return value == .null }
        options[keyPath: path] = Float(number)
        return true
      }, problem: { options in options[keyPath: path].flatMap { outside(key, $0, range) } },
      isGiven: { $0[keyPath: path] != nil })
  }

  /// A number in a closed range.
  public static func number(
    _ key: String, _ path: WritableKeyPath<Options, Double>, _ range: ClosedRange<Double>
  ) -> OptionField {
    OptionField(
      key, read: { JSONValue($0[keyPath: path]) },
      write: { set(&$0, path, $1.numberValue) },
      problem: { outside(key, $0[keyPath: path], range) })
  }

  /// A probability below 1, as of dropout.
  public static func probability(
    _ key: String, _ path: WritableKeyPath<Options, Float>
  ) -> OptionField {
    OptionField(
      key, read: { decimal($0[keyPath: path]) },
      write: { set(&$0, path, $1.numberValue.map { Float($0) }) },
      problem: { badProbability(key, $0[keyPath: path]) })
  }

  /// A probability below 1, with a default.
  public static func probability(
    _ key: String, _ path: WritableKeyPath<Options, Float?>,
    default resolve: @escaping (Options) -> Float
  ) -> OptionField {
    OptionField(
      key, read: { decimal($0[keyPath: path] ?? resolve($0)) },
      write: { options, value in
        guard let number = value.numberValue else { return value == .null }
        options[keyPath: path] = Float(number)
        return true
      }, problem: { options in options[keyPath: path].flatMap { badProbability(key, $0) } },
      isGiven: { $0[keyPath: path] != nil })
  }

  /// A flag.
  public static func flag(_ key: String, _ path: WritableKeyPath<Options, Bool>) -> OptionField {
    OptionField(
      key, read: { .bool($0[keyPath: path]) },
      write: { options, value in
        guard case .bool(let isOn) = value else { return false }
        options[keyPath: path] = isOn
        return true
      })
  }

  /// One of a few words.
  public static func choice<Choice: RawRepresentable<String>>(
    _ key: String, _ path: WritableKeyPath<Options, Choice>, isStructural: Bool = false
  ) -> OptionField {
    OptionField(
      key, isStructural: isStructural, read: { JSONValue($0[keyPath: path].rawValue) },
      write: { set(&$0, path, $1.stringValue.flatMap(Choice.init(rawValue:))) })
  }

  /// One of a few words, with a default.
  public static func choice<Choice: RawRepresentable<String>>(
    _ key: String, _ path: WritableKeyPath<Options, Choice?>,
    default resolve: @escaping (Options) -> Choice, isStructural: Bool = false
  ) -> OptionField {
    OptionField(
      key, isStructural: isStructural,
      read: { JSONValue(($0[keyPath: path] ?? resolve($0)).rawValue) },
      write: { options, value in
        guard let text = value.stringValue else { return value == .null }
        options[keyPath: path] = Choice(rawValue: text)
        return options[keyPath: path] != nil
      }, isGiven: { $0[keyPath: path] != nil })
  }

  // MARK: - Values

  private static func set<Value>(
    _ options: inout Options, _ path: WritableKeyPath<Options, Value>, _ value: Value?
  ) -> Bool {
    guard let value else { return false }
    options[keyPath: path] = value
    return true
  }

  private static func outside<Number: Comparable>(
    _ key: String, _ value: Number, _ range: ClosedRange<Number>
  ) -> String? {
    guard !range.contains(value) else { return nil }
    return
      "'--\(kebab(key))' must be from \(range.lowerBound) to \(range.upperBound), not \(value)."
  }

  private static func badProbability(_ key: String, _ value: Float) -> String? {
    guard !(value >= 0 && value < 1) else { return nil }
    return "'--\(kebab(key))' must be from 0 to below 1, not \(value)."
  }
}

/// A float as it was written, not as its nearest double.
public func decimal(_ value: Float) -> JSONValue {
  JSONValue(Double("\(value)") ?? Double(value))
}
