public import Tape

/// Gated recurrent units one after another, and a linear readout, as GRU4Rec has them (Hidasi and others 2016).
public struct GRUEncoder: SequenceEncoder {
  private struct Layer {
    let input, inputBias, recurrent, recurrentBias: Parameter
  }

  private let layers: [Layer]
  private let readout: Parameter
  private let readoutBias: Parameter

  /// Declares the parameters, `encoder.…`.
  ///
  /// - Parameters:
  ///   - d: the width of inputs and states.
  ///   - layerCount: the number of recurrent layers.
  ///   - store: where the parameters are declared.
  public init(dimension d: Int, layerCount: Int, in store: ParameterStore) {
    layers = (0..<layerCount).map { number in
      let name = "encoder.\(number)"
      return Layer(
        input: store.add("\(name).input.weight", 3 * d, d, .xavier(fanIn: d, fanOut: d)),
        inputBias: store.add("\(name).input.bias", 1, 3 * d, .zero),
        recurrent: store.add("\(name).recurrent.weight", 3 * d, d, .xavier(fanIn: d, fanOut: d)),
        recurrentBias: store.add("\(name).recurrent.bias", 1, 3 * d, .zero))
    }
    readout = store.addWeight("encoder.readout.weight", d, d)
    readoutBias = store.add("encoder.readout.bias", 1, d, .zero)
  }

  /// Encodes streams of the same sequences, one below the other; there is no attention to observe.
  public func encode(
    _ input: Tensor, sequences: PackedSequences, wholeStreams: Int, on tape: Tape,
    observe: AttentionObserver?
  ) -> Tensor {
    let streams = input.rows / sequences.tokenCount
    let all = sequences.repeated(streams)
    var x = input
    for layer in layers {
      x = tape.recurrence(
        tape.linear(x, layer.input, bias: layer.inputBias), layer.recurrent,
        bias: layer.recurrentBias, sequences: all)
    }
    if wholeStreams < streams {
      let whole = UInt32(wholeStreams * sequences.tokenCount)
      let last = sequences.repeated(streams - wholeStreams).lastTokens.map { whole + $0 }
      x = tape.rows(x, Array(0..<whole) + last)
    }
    return tape.linear(x, readout, bias: readoutBias)
  }
}
