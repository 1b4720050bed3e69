internal import Clustering
internal import Numerics
internal import Tape

// N points, Z width of the latent space, M levels, K codes of a level.

extension AutoencoderTrainer {
  /// All epochs up to the first whose loss is not a number; the parameters are those of the best one where patience ended learning.
  func run(_ progress: (Int, AutoencoderEpoch) -> Void) -> [AutoencoderEpoch] {
    var epochs: [AutoencoderEpoch] = []
    var best = (total: Double.infinity, epoch: 0)
    let (kept, keptCodes) = (
      AlignedBuffer(count: options.patience > 0 ? parameters.count : 0),
      AlignedBuffer(count: options.patience > 0 ? codebooks.values.count : 0)
    )
    for epoch in 0..<options.epochCount {
      var losses = pass(epoch)
      guard losses.total.isFinite else {
        epochs.append(losses)
        break
      }
      if epoch + revivalFreeEpochs < options.epochCount { losses.revivedCount = revive(epoch) }
      epochs.append(losses)
      progress(epoch + 1, losses)
      guard options.patience > 0 else { continue }
      if losses.total < best.total * 0.999 {
        best = (losses.total, epoch)
        kept.copy(from: parameters)
        keptCodes.copy(from: codebooks.values)
      } else if epoch - best.epoch >= options.patience {
        parameters.copy(from: kept)
        codebooks.values.copy(from: keptCodes)
        codebooks.refresh()
        break
      }
    }
    return epochs
  }

  /// The last epochs, which leave codes where they are: a tenth of all, at most 10.
  private var revivalFreeEpochs: Int { min(10, (options.epochCount + 9) / 10) }

  /// One pass over the points in random order.
  private func pass(_ epoch: Int) -> AutoencoderEpoch {
    let order = options.random.substream(1000 + UInt64(epoch)).permutation(points.rows)
    var losses = AutoencoderEpoch(reconstruction: 0, quantization: 0, total: 0)
    updater.beginEpoch()
    let batches = ranges(points.rows, of: options.batchSize)
    for (number, range) in batches.enumerated() {
      // By then the latent space has some form; the first codes were those of random weights.
      if !isWarm, epoch * batches.count + number == secondStart { startCodebooks(1) }
      let batch = step(order[range])
      losses.reconstruction += batch.reconstruction
      losses.quantization += batch.quantization
      losses.uniqueness += batch.uniqueness
      losses.supervision += batch.supervision
      losses.tagAlignment += batch.tagAlignment
      losses.total += batch.total
    }
    losses.reconstruction /= Double(points.rows)
    losses.quantization /= Double(points.rows)
    losses.uniqueness /= Double(points.rows)
    losses.supervision /= Double(points.rows)
    losses.tagAlignment /= Double(points.rows)
    losses.total /= Double(points.rows)
    return losses
  }

  /// Puts codes that no row of the epoch chose on what the levels before leave of random points.
  private func revive(_ epoch: Int) -> Int {
    guard updater.usage.contains(0) else { return 0 }
    let random = options.random.substream(1_000_000 + UInt64(epoch))
    var rest = latents(sample: 4096, random)
    var revived = 0
    for (level, size) in options.levelSizes.enumerated() {
      let first = codebooks.firstRow(of: level)
      let before = codebooks[level: level]
      for code in first..<first + size where updater.usage[code] == 0 {
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
