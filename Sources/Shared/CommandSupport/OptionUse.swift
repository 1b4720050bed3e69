internal import ArgumentParser

/// The name of an option without its dashes, and whether it was given.
public typealias GivenOption = (name: String, isGiven: Bool)

/// Refuses an option that was given although a choice leaves it without use.
///
/// - Parameters:
///   - options: what the choice has no use for.
///   - isUnused: whether that choice was made.
///   - choice: the choice as on the command line, for example `--cross none`.
/// - Throws: `ValidationError` that names the option and the choice.
public func refuse(
  _ options: [GivenOption], if isUnused: Bool, for choice: String
) throws {
  guard isUnused, let option = options.first(where: \.isGiven) else { return }
  throw ValidationError("'\(choice)' has no use for '--\(option.name)'; leave it out.")
}

/// Refuses an option that was given without another one that it says something about.
///
/// - Parameters:
///   - options: what is of no use alone.
///   - other: the other option, for example `--items`.
///   - isThere: whether the other option was given.
/// - Throws: `ValidationError` that names both options.
public func refuse(
  _ options: [GivenOption], without other: String, isThere: Bool
) throws {
  guard !isThere, let option = options.first(where: \.isGiven) else { return }
  throw ValidationError("'--\(option.name)' needs '\(other)'.")
}
