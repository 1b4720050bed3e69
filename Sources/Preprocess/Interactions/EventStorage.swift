internal import ShardIO
internal import Synchronization
internal import SystemPackage

/// How much memory events may take, and the file for those that have no room in it.
///
/// Only speed depends on the limit: what is computed does not.
final class EventStorage: Sendable {
  /// Where the file is made, once it is needed.
  private let directory: FilePath
  let limit: Int
  private let reserve: Int
  private let state: Mutex<State>

  private struct State {
    var file: ScratchFile?
    /// The bytes of the id tables of each worker.
    var ids: [Int: Int] = [:]
    /// The bytes of the blocks in memory.
    var blocks = 0
    /// The bytes of items and vectors.
    var held = 0
  }

  /// - Parameters:
  ///   - limit: the memory of the process, bytes.
  ///   - directory: for a temporary file.
  ///   - reserve: what the program itself takes: code, buffers, the pieces that threads work on.
  init(limit: Int, directory: FilePath, reserve: Int = 48 << 20) {
    self.limit = limit
    self.reserve = reserve
    self.directory = directory
    state = Mutex(State())
  }

  /// Forgets all events and ids.
  func reset() { state.withLock { $0 = State(held: $0.held) } }

  /// Notes what items and vectors take.
  func hold(byteCount: Int) { state.withLock { $0.held = byteCount } }

  /// Room for everything; nothing is ever written.
  static var unlimited: EventStorage { EventStorage(limit: .max, directory: "/tmp") }

  /// The bytes that events may take together, beside the ids.
  var byteCount: Int { state.withLock { available($0) } }

  /// Notes the size of the ids that a worker has met, and asks for room for a block.
  ///
  /// - Returns: whether the block may stay in memory.
  func keepsBlock(byteCount: Int, worker: Int, idByteCount: Int) -> Bool {
    state.withLock { state in
      state.ids[worker] = idByteCount
      guard state.blocks + byteCount <= available(state) / 2 else { return false }
      state.blocks += byteCount
      return true
    }
  }

  /// Refuses ids, items and vectors that leave no room for anything else.
  ///
  /// - Throws: ``PipelineError`` `.configuration`.
  func requireRoom() throws(PipelineError) {
    let (room, ids, held) = state.withLock { state in
      (available(state), state.ids.values.reduce(0, +), state.held)
    }
    let least = limit / 16
    guard room < least else { return }
    let needed = (reserve + held + ids * 3 / 2 + least) >> 20 + 1
    throw PipelineError(
      .configuration,
      "the ids of users and items\(held > 0 ? ", texts and vectors" : "") do not fit into the memory allowed",
      note: "allow at least --memory \(needed)MiB")
  }

  /// Writes numbers to the file.
  func write<Element>(
    _ values: [Element]
  ) throws(PipelineError) -> ScratchFile.Piece<Element> {
    try file().write(values)
  }

  /// Writes numbers over older ones.
  func rewrite<Element>(
    _ values: [Element], _ piece: inout ScratchFile.Piece<Element>
  ) throws(PipelineError) {
    try file().rewrite(values, &piece)
  }

  /// Reads numbers from the file.
  func read<Element>(
    _ piece: ScratchFile.Piece<Element>, _ range: Range<Int>? = nil
  ) throws(PipelineError) -> [Element] {
    try file().read(piece, range ?? 0..<piece.count)
  }

  /// The bytes that have been written to the file.
  var fileByteCount: Int { state.withLock { $0.file?.byteCount ?? 0 } }

  private func file() throws(PipelineError) -> ScratchFile {
    try state.withLock { state throws(PipelineError) in
      if let file = state.file { return file }
      let file = try ScratchFile(in: directory)
      state.file = file
      return file
    }
  }

  private func available(_ state: borrowing State) -> Int {
    // While ids are sorted and joined, they are in memory one and a half times.
    let ids = state.ids.values.reduce(0, +) * 3 / 2
    return max(0, limit - reserve - ids - state.held)
  }
}
