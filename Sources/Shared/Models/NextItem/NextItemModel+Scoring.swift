internal import Layers
public import Numerics
public import Retrieval
public import ShardIO
internal import Tape

extension NextItemModel {
  /// The vector of every item, `[I, w]`.
  public func itemVectors(threads: Int) -> Matrix {
    for encoder in itemEncoders { encoder.refresh(threads: threads) }
    let parts = itemEncoders.map { (width: $0.width, values: $0.vectors.array) }
    guard parts.count > 1 else {
      return Matrix(rows: itemCount, columns: stateWidth, values: parts[0].values)
    }
    var values: [Float] = []
    values.reserveCapacity(itemCount * stateWidth)
    for item in 0..<itemCount {
      for part in parts { values += part.values[item * part.width..<(item + 1) * part.width] }
    }
    return Matrix(rows: itemCount, columns: stateWidth, values: values)
  }

  /// The state after each history, without dropout, and the weights of a gate there.
  ///
  /// - Parameters:
  ///   - histories: one row a user; the most recent L items of each are read. An empty history has a state of zeros.
  ///   - threads: the largest number of threads; does not change the result.
  /// - Returns: states `[U, w]`; `gateWeights` `[U, M]` for a model with a gate, zeros for an empty history.
  public func read(_ histories: RaggedArray<UInt32>, threads: Int) -> UserReading {
    let present = (0..<histories.count).filter { !histories[$0].isEmpty }
    let reading = read(present.map { histories[$0] }, threads: threads)
    guard present.count < histories.count else { return reading }
    func spread(_ rows: Matrix) -> Matrix {
      var result = Matrix(rows: histories.count, columns: rows.columns)
      for (row, user) in present.enumerated() {
        let first = user * rows.columns
        result.values.replaceSubrange(first..<first + rows.columns, with: rows[row: row])
      }
      return result
    }
    return UserReading(
      states: spread(reading.states), diagnostics: reading.diagnostics.mapValues(spread))
  }

  /// The state after each of some histories, none of which is empty.
  public func read(_ histories: [ArraySlice<UInt32>], threads: Int) -> UserReading {
    precondition(histories.allSatisfy { !$0.isEmpty })
    let chunks = chunks(of: histories)
    let model = self
    let tapes = TapePool(parameters: store.values)
    let results = parallelMap(chunks.count, threads: threads) {
      index -> (states: [Float], gates: [Float]) in
      let batch = SequenceBatch(Array(histories[chunks[index]]), maxLength: model.maxLength)
      return tapes.withTape { tape in
        tape.begin(recording: false, randomness: nil)
        let output = model.states(batch, at: .last, on: tape, random: nil, observe: nil)
        let last = batch.sequences.lastTokens
        return (output.states.array, output.gateWeights.map { tape.rows($0, last).array } ?? [])
      }
    }
    var reading = UserReading(
      states: Matrix(
        rows: histories.count, columns: stateWidth, values: results.flatMap(\.states)))
    let gates = results.flatMap(\.gates)
    if !gates.isEmpty {
      reading.diagnostics[UserReading.gateWeights] = Matrix(
        rows: histories.count, columns: gates.count / histories.count, values: gates)
    }
    return reading
  }

  /// Neighbouring histories, about 512 tokens together.
  private func chunks(of histories: [ArraySlice<UInt32>]) -> [Range<Int>] {
    var chunks: [Range<Int>] = []
    var first = 0
    var tokens = 0
    for (index, history) in histories.enumerated() {
      tokens += min(history.count, maxLength)
      if tokens >= 512 || index == histories.count - 1 {
        chunks.append(first..<index + 1)
        first = index + 1
        tokens = 0
      }
    }
    return chunks
  }
}
