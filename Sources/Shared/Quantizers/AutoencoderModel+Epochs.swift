internal import Clustering
internal import Numerics
internal import Tape

// N points, Z width of the latent space, M levels, K codes of a level.

extension AutoencoderModel {
  /// Puts the codebooks on clusters once more, when the latent space has some form: the first codes were those of random weights.
  func prepareStep(_ number: Int) {
    if !isWarm, number == secondStart { startCodebooks(1) }
  }

  /// Revives codes, except in the last epochs: a tenth of all, at most 10.
  func finishEpoch(_ epoch: Int, of count: Int) -> [(key: String, value: Double)] {
    defer { updater.endEpoch() }
    let restCount = min(10, (count + 9) / 10)
    let revived = epoch - 1 + restCount < count ? revive(epoch - 1) : 0
    return [(AutoencoderEpoch.revivalsKey, Double(revived))]
  }

  /// Puts codes that no row of the epoch chose on what the levels before leave of random points.
  private func revive(_ epoch: Int) -> Int {
    let usage = updater.usage
    guard usage.contains(0) else { return 0 }
    let random = options.random.substream(1_000_000 + UInt64(epoch))
    var rest = latents(sample: 4096, random)
    var revived = 0
    for (level, size) in options.levelSizes.enumerated() {
      let first = codebooks.firstRow(of: level)
      let before = codebooks[level: level]
      for code in first..<first + size where usage[code] == 0 {
        let row = random.integer(below: rest.rows, UInt64(code) | 1 << 40)
        updater.place(code, Array(rest[row: row]))
        revived += 1
      }
      let isAngular = options.isAngular[level]
      let nearest = NearestCentroids(
        of: isAngular ? normalizedRows(rest) : rest,
        among: isAngular ? normalizedRows(before) : before, threads: threads)
      subtract(nearest.indices, of: before, from: &rest, threads: threads)
    }
    codebooks.refresh()
    return revived
  }
}

/// The step before which the codebooks are put on clusters once more.
private let secondStart = 20
