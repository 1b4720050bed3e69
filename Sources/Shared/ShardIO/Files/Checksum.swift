internal import CXXHash

/// The XXH3 128-bit hash of some bytes, as 32 hexadecimal digits; `xxhsum -H2` prints the same.
///
/// It finds damage and names files by their contents; it does not resist an attacker.
public func checksum(_ bytes: [UInt8]) -> String {
  let hash = unsafe bytes.withUnsafeBytes { unsafe XXH3_128bits($0.baseAddress, $0.count) }
  return hexadecimal(hash)
}

/// The XXH3 64-bit hash of the bytes of some values without padding: the same number on every machine.
///
/// - Parameters:
///   - values: numbers.
///   - seed: equal bytes with different seeds have different hashes.
/// - Returns: the hash.
public func shortHash<Value: BitwiseCopyable>(_ values: Span<Value>, seed: UInt64 = 0) -> UInt64 {
  unsafe values.withUnsafeBytes { unsafe XXH3_64bits_withSeed($0.baseAddress, $0.count, seed) }
}

/// The hash of bytes that come in pieces; see ``checksum(_:)``.
@safe
struct ChecksumStream: ~Copyable {
  private let state: OpaquePointer

  /// Starts with no bytes.
  init() {
    guard let state = unsafe XXH3_createState() else { fatalError("out of memory") }
    unsafe self.state = unsafe state
    _ = unsafe XXH3_128bits_reset(state)
  }

  /// Adds bytes.
  func append(_ bytes: [UInt8]) {
    _ = unsafe bytes.withUnsafeBytes { unsafe XXH3_128bits_update(state, $0.baseAddress, $0.count) }
  }

  /// The hash of all bytes so far.
  var value: String { hexadecimal(unsafe XXH3_128bits_digest(state)) }

  deinit { _ = unsafe XXH3_freeState(state) }
}

private func hexadecimal(_ hash: XXH128_hash_t) -> String {
  [hash.high64, hash.low64].map { value in
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }.joined()
}
