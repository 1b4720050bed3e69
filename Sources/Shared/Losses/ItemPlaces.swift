/// Where the items of a batch stand among its distinct items; memory for the whole catalogue, work for the batch alone.
@safe public final class ItemPlaces: @unchecked Sendable {
  /// −1 for every item outside ``mark(_:)``, `[I]`.
  private var places: [Int32]

  /// Places for the items of a catalogue.
  public init(itemCount: Int) {
    places = Array(repeating: -1, count: itemCount)
  }

  /// Lends the memory, −1 for every item, which must be so again at the end.
  public func borrow<Result>(_ body: (inout [Int32]) -> Result) -> Result { body(&places) }

  /// The distinct items in the order of their first appearance.
  public func distinct(_ items: [UInt32]) -> [UInt32] {
    var result: [UInt32] = []
    result.reserveCapacity(items.count)
    unsafe places.withUnsafeMutableBufferPointer { places in
      for item in items where unsafe places[Int(item)] < 0 {
        unsafe places[Int(item)] = 0
        result.append(item)
      }
      for item in result { unsafe places[Int(item)] = -1 }
    }
    return result
  }

  /// Calls `body` while each of some distinct items has its place among them; one caller at a time.
  public func mark<Result>(_ items: [UInt32], _ body: () -> Result) -> Result {
    for (place, item) in items.enumerated() { places[Int(item)] = Int32(place) }
    defer { for item in items { places[Int(item)] = -1 } }
    return body()
  }

  /// For some marked items a row each: the item's own place with weight 1, and those of its positives that are marked.
  ///
  /// - Parameters:
  ///   - items: marked items.
  ///   - offsets: the positives of item i of the catalogue are `neighbours[offsets[i] ..< offsets[i + 1]]`.
  ///   - neighbours: positives of the whole catalogue.
  ///   - weights: theirs.
  /// - Returns: a row for each of `items`; columns are places.
  public func lists(
    of items: ArraySlice<UInt32>, offsets: [Int], neighbours: [UInt32], weights: [Float]
  ) -> PositiveLists {
    precondition(neighbours.count == weights.count)
    var lists = PositiveLists()
    // Borrowed once: the loop counts no references, which other threads share.
    unsafe places.withUnsafeBufferPointer { places in
      unsafe neighbours.withUnsafeBufferPointer { neighbours in
        for item in items {
          unsafe lists.columns.append(Int(places[Int(item)]))
          lists.weights.append(1)
          for index in offsets[Int(item)]..<offsets[Int(item) + 1] {
            let place = unsafe places[Int(neighbours[index])]
            guard place >= 0 else { continue }
            lists.columns.append(Int(place))
            lists.weights.append(weights[index])
          }
          lists.offsets.append(lists.columns.count)
        }
      }
    }
    return lists
  }
}
