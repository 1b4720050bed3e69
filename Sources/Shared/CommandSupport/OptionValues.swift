internal import ArgumentParser

/// The values of all options and flags of a command, by the name of their property, as text.
///
/// Equal command lines give equal texts, however they are spelled: defaults are values like others, and sets have an order.
///
/// - Parameters:
///   - command: a command that has been parsed, or a part of one.
///   - names: properties that do not matter.
/// - Returns: the values; `none` for an option without a default that was not given.
func optionValues(
  of command: any ParsableArguments, leavingOut names: Set<String>
) -> [String: String] {
  var values: [String: String] = [:]
  for child in Mirror(reflecting: command).children {
    // A wrapped property is stored under its name behind an underscore.
    let name = String((child.label ?? "").drop { $0 == "_" })
    guard let value = (child.value as? any WrappedValue)?.anyValue, !names.contains(name) else {
      continue
    }
    if let group = value as? any ParsableArguments, child.value is any GroupOfOptions {
      values.merge(optionValues(of: group, leavingOut: names)) { first, _ in first }
    } else {
      values[name] = text(of: value)
    }
  }
  return values
}

/// A value as text that is equal for equal values.
private func text(of value: Any) -> String {
  let mirror = Mirror(reflecting: value)
  switch mirror.displayStyle {
  case .optional: return mirror.children.first.map { text(of: $0.value) } ?? "none"
  case .set, .dictionary:
    return "[\(mirror.children.map { text(of: $0.value) }.sorted().joined(separator: ", "))]"
  case .collection, .tuple:
    return "[\(mirror.children.map { text(of: $0.value) }.joined(separator: ", "))]"
  case .struct where !mirror.children.isEmpty && !(value is any CustomStringConvertible):
    let parts = mirror.children.map { "\($0.label ?? ""): \(text(of: $0.value))" }
    return parts.count == 1
      ? text(of: mirror.children.first?.value ?? "") : "[\(parts.joined(separator: ", "))]"
  default: return "\(value)"
  }
}

/// A property wrapper of the command line.
private protocol WrappedValue {
  var anyValue: Any { get }
}

/// A wrapper of several options.
private protocol GroupOfOptions {}

extension Option: WrappedValue {
  fileprivate var anyValue: Any { wrappedValue }
}

extension Flag: WrappedValue {
  fileprivate var anyValue: Any { wrappedValue }
}

extension Argument: WrappedValue {
  fileprivate var anyValue: Any { wrappedValue }
}

extension OptionGroup: WrappedValue, GroupOfOptions {
  fileprivate var anyValue: Any { wrappedValue }
}
