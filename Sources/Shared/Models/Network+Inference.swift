internal import Layers
public import Numerics
internal import Tape

extension Network {
  /// The vector of every item, `[I, stateWidth]`: a score is the inner product of a state and an item vector.
  public func itemVectors(threads: Int) -> Matrix {
    for branch in branches { branch.refresh(threads: threads) }
    let width = hyper.dimension
    var values: [Float] = []
    values.reserveCapacity(itemCount * hyper.stateWidth)
    let parts = branches.map(\.vectors.array)
    for item in 0..<itemCount {
      for part in parts { values += part[item * width..<(item + 1) * width] }
    }
    return Matrix(rows: itemCount, columns: hyper.stateWidth, values: values)
  }

  /// The state after the last item of each history.
  ///
  /// - Parameters:
  ///   - histories: none is empty; the most recent L items of each are read.
  ///   - threads: the largest number of threads; does not change the result.
  /// - Returns: `[histories, stateWidth]`, without dropout.
  public func states(after histories: [ArraySlice<UInt32>], threads: Int) -> Matrix {
    reading(of: histories, threads: threads).states
  }

  /// The state after the last item of each history, and the gate's weights there.
  ///
  /// - Parameters:
  ///   - histories: none is empty; the most recent L items of each are read.
  ///   - threads: the largest number of threads; does not change the result.
  /// - Returns: states `[histories, stateWidth]`, without dropout; weights of the levels `[histories, M]`, nil for a
  ///   network without a gate.
  public func reading(
    of histories: [ArraySlice<UInt32>], threads: Int
  ) -> (states: Matrix, gates: Matrix?) {
    precondition(histories.allSatisfy { !$0.isEmpty })
    let chunks = chunks(of: histories)
    let network = self
    let tapes = TapePool(parameters: parameters)
    let results = parallelMap(chunks.count, threads: threads) {
      index -> (states: [Float], gates: [Float]) in
      let batch = SequenceBatch(
        Array(histories[chunks[index]]), maxLength: network.hyper.maxLength)
      return tapes.withTape { tape in
        tape.begin(recording: false, randomness: nil)
        let output = network.forward(batch, at: .last, on: tape)
        let last = batch.sequences.lastTokens
        return (output.states.array, output.gateWeights.map { tape.rows($0, last).array } ?? [])
      }
    }
    let states = Matrix(
      rows: histories.count, columns: hyper.stateWidth, values: results.flatMap(\.states))
    guard hyper.hasCross else { return (states, nil) }
    return (
      states,
      Matrix(
        rows: histories.count, columns: hyper.levelCount, values: results.flatMap(\.gates))
    )
  }

  /// Neighbouring histories, about 512 tokens together.
  private func chunks(of histories: [ArraySlice<UInt32>]) -> [Range<Int>] {
    var chunks: [Range<Int>] = []
    var first = 0
    var tokens = 0
    for (index, history) in histories.enumerated() {
      tokens += min(history.count, hyper.maxLength)
      if tokens >= 512 || index == histories.count - 1 {
        chunks.append(first..<index + 1)
        first = index + 1
        tokens = 0
      }
    }
    return chunks
  }
}
