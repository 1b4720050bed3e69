public import Numerics

extension Adam {
  /// The moments of the dense parameters, then those of each table; what the next steps depend on, with ``stepCount``.
  public var moments: [(first: AlignedBuffer, second: AlignedBuffer)] {
    [(first, second)] + tables.map { ($0.first, $0.second) }
  }

  /// Goes on after `stepCount` steps, whose moments the caller has put into ``moments``.
  public func resume(stepCount: Int) { self.stepCount = stepCount }
}
