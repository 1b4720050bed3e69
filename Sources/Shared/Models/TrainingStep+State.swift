public import Numerics
internal import Tape

/// A named block of floats on which the future of a training depends.
public struct StateBlock: Sendable {
  /// Its name: lower case, with dashes.
  public let name: String
  /// The numbers; a copy of nothing, so that writing to them sets the state.
  public let buffer: AlignedBuffer
  /// Floats in a row.
  public let width: Int

  /// Names a buffer.
  public init(_ name: String, _ buffer: AlignedBuffer, width: Int) {
    self.name = name
    self.buffer = buffer
    self.width = width
  }
}

extension Network {
  /// The dense parameters and the tables.
  public var stateBlocks: [StateBlock] {
    // Every parameter starts at a multiple of 16 floats.
    [StateBlock("parameters", parameters, width: 16)]
      + [("hash", hash), ("codes", codes)].compactMap { name, table in
        table.map { StateBlock(name, $0.values, width: $0.width) }
      }
  }
}

extension TrainingStep {
  /// All numbers that the following steps depend on, besides their batches and
  /// ``resume(stepCount:averagedStep:)``.
  ///
  /// Parameters and tables, both moments of each, and the average where one is kept.
  public var stateBlocks: [StateBlock] {
    let values = network.stateBlocks
    return values
      + zip(values, optimizer.moments).flatMap { block, moments in
        [
          StateBlock("\(block.name)-first", moments.first, width: block.width),
          StateBlock("\(block.name)-second", moments.second, width: block.width),
        ]
      } + averageBlocks
  }

  private var averageBlocks: [StateBlock] {
    guard let average else { return [] }
    let values = network.stateBlocks
    return zip([0] + stride(from: 1, to: average.blocks.count, by: 2), values).flatMap {
      index, block in
      let averages = StateBlock("\(block.name)-average", average.blocks[index], width: block.width)
      guard index > 0 else { return [averages] }
      return [
        averages, StateBlock("\(block.name)-average-steps", average.blocks[index + 1], width: 1),
      ]
    }
  }

  /// Goes on after `stepCount` steps, whose results the caller has put into ``stateBlocks``.
  ///
  /// - Parameters:
  ///   - stepCount: the steps that were taken.
  ///   - averagedStep: the steps taken when ``withAverage(_:)`` was last called, 0 for never.
  public func resume(stepCount: Int, averagedStep: Int) {
    optimizer.resume(stepCount: stepCount)
    average?.resume(base: averagedStep)
  }

  /// Calls `body` while the network has the average of its parameters, where one is kept.
  public func withAverage<Result>(_ body: () -> Result) -> Result {
    guard let average, optimizer.stepCount > 0 else { return body() }
    average.catchUp(to: optimizer.stepCount)
    average.exchange()
    defer { average.exchange() }
    return body()
  }
}
