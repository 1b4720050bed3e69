import ArgumentParser

/// The events of a user's part that are predicted.
enum HeldOut: String, CaseIterable, Sendable, ExpressibleByArgument {
  /// Each of them, after all events before it.
  case all
  /// The first one.
  case first
}

/// The part of the events that is predicted.
enum Split: String, CaseIterable, Sendable, ExpressibleByArgument {
  /// The events before the test part; the history is the train part.
  case valid
  /// The last events; the history is the train and the valid part.
  case test
}
