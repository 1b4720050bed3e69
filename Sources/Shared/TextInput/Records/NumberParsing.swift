/// Reads a whole number with an optional sign; nil if there is anything else or it does not fit.
public func parseInteger(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
  var position = range.lowerBound
  guard position < range.upperBound else { return nil }
  // Up to 18 digits cannot overflow; most numbers are such.
  if range.count <= 18, bytes[position] &- UInt8(ascii: "0") <= 9 {
    var value: Int64 = 0
    for index in range {
      let digit = bytes[index] &- UInt8(ascii: "0")
      if digit > 9 { return nil }
      value = value &* 10 &+ Int64(digit)
    }
    return value
  }
  let isNegative = bytes[position] == UInt8(ascii: "-")
  if isNegative || bytes[position] == UInt8(ascii: "+") { position += 1 }
  guard position < range.upperBound else { return nil }
  var value: Int64 = 0
  while position < range.upperBound {
    let digit = bytes[position] &- UInt8(ascii: "0")
    guard digit <= 9 else { return nil }
    let (product, overflow) = value.multipliedReportingOverflow(by: 10)
    let (sum, carry) = product.subtractingReportingOverflow(Int64(digit))
    if overflow || carry { return nil }
    value = sum
    position += 1
  }
  // Collected as a negative number, because its range is larger by one.
  if isNegative { return value }
  return value == .min ? nil : -value
}

/// Reads a decimal number; nil if there is anything else or it is not finite.
public func parseDecimal(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
  guard range.count <= 64 else { return nil }
  var text = ""
  for index in range {
    let byte = bytes[index]
    guard byte > 0x20, byte < 0x7F else { return nil }
    text.unicodeScalars.append(Unicode.Scalar(byte))
  }
  guard let value = Double(text), value.isFinite else { return nil }
  return value
}
