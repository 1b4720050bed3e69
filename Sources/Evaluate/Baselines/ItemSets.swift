import Dataset

/// Which items users have in training, each once, and which users have an item.
struct ItemSets: Sendable {
  /// The items of each user.
  let histories: [[UInt32]]
  /// The users of each item, ascending.
  let users: [[Int32]]

  /// Reads the training events.
  ///
  /// - Parameters:
  ///   - sequences: the histories of all users.
  ///   - itemCount: items of the catalogue.
  ///   - eventLimit: of a user with more training events the last ones.
  init(_ sequences: UserSequences, itemCount: Int, eventLimit: Int) {
    histories = (0..<sequences.count).map { user in
      Array(Set(sequences.train(of: user).suffix(eventLimit)))
    }
    var users = [[Int32]](repeating: [], count: itemCount)
    for (user, history) in histories.enumerated() {
      for item in history { users[Int(item)].append(Int32(user)) }
    }
    self.users = users
  }
}
