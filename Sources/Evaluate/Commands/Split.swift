import ArgumentParser

/// The part of the events that is predicted.
enum Split: String, CaseIterable, Sendable, ExpressibleByArgument {
  /// The events before the test part; the history is the train part.
  case valid
  /// The last events; the history is the train and the valid part.
  case test
}
