internal import Numerics

/// Words, pairs of words and pieces of words of some texts, counted.
///
/// Features are told apart by a 20-bit hash.
struct TextFeatures {
  /// The number of values of the hash.
  static let bucketCount = 1 << 20

  /// One feature of a text and how often it has it.
  struct Feature: Sendable {
    var bucket: UInt32
    var count: UInt32
  }

  /// The features of each text, ascending by bucket.
  let rows: [[Feature]]

  /// Counts the features of some texts.
  init(_ texts: [String], threads: Int) {
    let blockSize = 512
    let blocks = parallelMap((texts.count + blockSize - 1) / blockSize, threads: threads) { block in
      texts[block * blockSize..<min((block + 1) * blockSize, texts.count)].map(Self.counts)
    }
    rows = blocks.flatMap(\.self)
  }

  /// The features of a text, ascending by bucket.
  private static func counts(_ text: String) -> [Feature] {
    var buckets: [UInt32] = []
    var previous: [UInt32] = []
    for word in words(text) {
      buckets.append(bucket(word, kind: 1))
      if !previous.isEmpty { buckets.append(bucket(previous + [0x20] + word, kind: 2)) }
      previous = word
      // Pieces of three and four characters, the ends of the word marked.
      let marked = [0x5E] + word + [0x24]
      for length in 3...4 where marked.count > length {
        for start in 0...marked.count - length {
          buckets.append(bucket(marked[start..<start + length], kind: UInt64(length)))
        }
      }
    }
    buckets.sort()
    var features: [Feature] = []
    for bucket in buckets {
      if features.last?.bucket == bucket {
        features[features.count - 1].count += 1
      } else {
        features.append(Feature(bucket: bucket, count: 1))
      }
    }
    return features
  }

  /// Runs of letters and digits in lower case, as Unicode scalars.
  private static func words(_ text: String) -> [[UInt32]] {
    var words: [[UInt32]] = []
    var word: [UInt32] = []
    for scalar in text.lowercased().unicodeScalars {
      if scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
        word.append(scalar.value)
      } else if !word.isEmpty {
        words.append(word)
        word = []
      }
    }
    if !word.isEmpty { words.append(word) }
    return words
  }

  /// FNV-1a over whole scalars, folded to 20 bits.
  private static func bucket(_ scalars: some Sequence<UInt32>, kind: UInt64) -> UInt32 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ kind
    for scalar in scalars { hash = (hash ^ UInt64(scalar)) &* 0x100_0000_01B3 }
    hash ^= hash >> 32
    return UInt32(truncatingIfNeeded: (hash &* 0x9E37_79B9_7F4A_7C15) >> 44)
  }
}
