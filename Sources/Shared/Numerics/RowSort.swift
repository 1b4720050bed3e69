/// Sorts each row of a ragged array of numbers.
///
/// - Parameters:
///   - values: the rows, one after another.
///   - offsets: where each row begins, with the end of the last.
/// - Precondition: `offsets` never decreases and stays within the values.
public func sortRows(_ values: inout [UInt64], offsets: [Int]) {
  unsafe values.withUnsafeMutableBufferPointer { buffer in
    for row in 0..<offsets.count - 1 where offsets[row + 1] - offsets[row] > 1 {
      let range = offsets[row]..<offsets[row + 1]
      var numbers = unsafe UnsafeMutableBufferPointer(rebasing: buffer[range])
      if numbers.count > 32 {
        unsafe numbers.sort()
      } else {
        unsafe insertionSort(numbers)
      }
    }
  }
}

/// Moves each number down to its place among those before it.
private func insertionSort(_ numbers: UnsafeMutableBufferPointer<UInt64>) {
  for index in 1..<numbers.count {
    let number = unsafe numbers[index]
    var place = index
    while place > 0, unsafe numbers[place - 1] > number {
      unsafe numbers[place] = unsafe numbers[place - 1]
      place -= 1
    }
    unsafe numbers[place] = number
  }
}
