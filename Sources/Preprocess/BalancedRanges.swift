/// Cuts rows into ranges of about equal work; the cut depends on the data alone.
///
/// - Parameters:
///   - weights: the work of each row.
///   - count: how many ranges are wanted.
/// - Returns: not more than `count` ranges that cover all rows.
func balancedRanges(_ weights: [UInt32], count: Int) -> [Range<Int>] {
  let total = weights.reduce(0) { $0 + Int($1) + 1 }
  var ranges: [Range<Int>] = []
  var first = 0
  var sum = 0
  for row in weights.indices {
    sum += Int(weights[row]) + 1
    if sum * count >= total * (ranges.count + 1) || row == weights.count - 1 {
      ranges.append(first..<row + 1)
      first = row + 1
    }
  }
  return ranges
}
