public import ShardIO

/// The memory that readers may fill, counted before it is taken.
public struct MemoryBudget: Sendable {
  /// The most bytes.
  public let limit: Int
  /// The bytes taken so far.
  public private(set) var used = 0
  /// What gives more; empty where nothing does.
  private let note: String

  /// A budget.
  ///
  /// - Parameters:
  ///   - limit: the most bytes.
  ///   - note: what to do where that is too little.
  public init(limit: Int = .max, note: String = "") {
    self.limit = limit
    self.note = note
  }

  /// The longest record that is read: what is made of it takes many times its bytes.
  public var recordLimit: Int { min(ChunkReader.maximumRecordByteCount, max(1 << 20, limit >> 6)) }

  /// Takes bytes.
  ///
  /// - Parameters:
  ///   - byteCount: how many.
  ///   - what: what they hold, in the plural, for the message.
  ///   - path: where they come from.
  /// - Throws: `PipelineError` `.configuration` if there are not so many left; nothing is taken then.
  public mutating func take(
    _ byteCount: Int, for what: String, of path: String
  ) throws(PipelineError) {
    guard byteCount <= limit - used else {
      let (sum, overflow) = used.addingReportingOverflow(byteCount)
      let needed = ((overflow ? .max : sum) - 1) >> 20 + 1
      throw PipelineError(
        .configuration, "the \(what) take at least \(needed) MiB, \(limit >> 20) MiB are allowed",
        at: .init(path: path), note: note.isEmpty ? nil : note)
    }
    used += byteCount
  }
}
