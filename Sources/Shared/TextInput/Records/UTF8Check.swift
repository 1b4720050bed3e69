/// The offset of the first byte that is not part of well-formed UTF-8 (RFC 3629), or nil.
public func firstInvalidUTF8(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
  var position = range.lowerBound
  while position < range.upperBound {
    let lead = bytes[position]
    if lead < 0x80 {
      position += 1
      continue
    }
    let length = sequenceLength(lead)
    guard length > 0, position + length <= range.upperBound else { return position }
    let second = bytes[position + 1]
    guard secondByteRange(lead).contains(second) else { return position }
    for offset in 2..<max(length, 2) where bytes[position + offset] & 0xC0 != 0x80 {
      return position
    }
    position += length
  }
  return nil
}

/// The length of the sequence a byte begins, 0 if it begins none.
private func sequenceLength(_ lead: UInt8) -> Int {
  switch lead {
  case 0xC2...0xDF: 2
  case 0xE0...0xEF: 3
  case 0xF0...0xF4: 4
  default: 0
  }
}

/// The second bytes allowed after a first; excludes overlong forms, surrogates and code points above U+10FFFF.
private func secondByteRange(_ lead: UInt8) -> ClosedRange<UInt8> {
  switch lead {
  case 0xE0: 0xA0...0xBF
  case 0xED: 0x80...0x9F
  case 0xF0: 0x90...0xBF
  case 0xF4: 0x80...0x8F
  default: 0x80...0xBF
  }
}
