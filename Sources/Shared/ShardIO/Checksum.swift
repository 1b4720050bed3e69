internal import CXXHash

/// The XXH3 128-bit hash of some bytes, as 32 hexadecimal digits; `xxhsum -H2` prints the same.
///
/// It finds damage and names files by their contents; it does not resist an attacker.
public func checksum(_ bytes: [UInt8]) -> String {
  let hash = unsafe bytes.withUnsafeBytes { unsafe XXH3_128bits($0.baseAddress, $0.count) }
  return hexadecimal(hash.high64) + hexadecimal(hash.low64)
}

private func hexadecimal(_ value: UInt64) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}
