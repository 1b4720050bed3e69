public import ArgumentParser
import Clustering
import Foundation
public import Numerics
import Quantizers
public import Tape

/// Times the learning of a residual-quantised autoencoder and prints one JSON line.
///
/// The clock runs from the first random weight to the last epoch, k-means starts included. The error is that of the
/// finished network over all points, as a share of their variance.
@main
struct AutoencoderBenchmark: ParsableCommand {
  @Option var items = 100_000
  @Option var width = 384
  @Option var levels = 4
  @Option var codes = 256
  @Option var latent = 64
  @Option(help: "Widths of the hidden layers, for example 512,256.") var hidden = "512,256"
  @Option var batchSize = 1024
  @Option var epochs = 3
  @Option var threads = 2
  @Option(help: "straight-through or rotation.") var gradient = QuantizerGradient.straightThrough
  @Option(help: "float32 or bfloat16.") var precision = ProductPrecision.float32
  @Option(help: "Decay of moving averages; 0 for codebooks by gradient.") var codebookDecay: Float =
    0
  @Option(help: "A file of float32 numbers, row by row, instead of made vectors.")
  var vectors: String?

  func validate() throws {
    guard precision.isAvailable else {
      throw ValidationError("this machine has no \(precision.rawValue) products")
    }
  }

  func run() throws {
    var points = try vectors.map(read) ?? made()
    subtract(columnMeans(points, threads: threads), fromRowsOf: &points, threads: threads)
    var options = AutoencoderOptions(
      levelSizes: Array(repeating: codes, count: levels), random: CounterRandom(seed: 1, stream: 0))
    options.hiddenWidths = hidden.split(separator: ",").compactMap { Int($0) }
    options.latentWidth = latent
    options.batchSize = batchSize
    options.epochCount = epochs
    options.passing = gradient
    options.precision = precision
    if codebookDecay > 0 { options.update = .movingAverage(decay: codebookDecay) }
    let clock = ContinuousClock()
    let start = clock.now
    let found = try ResidualAutoencoder(points, options: options, threads: threads)
    let training = seconds(clock.now - start)
    let encodingStart = clock.now
    var rest = found.encoder.apply(to: points, threads: threads)
    var sums = rest
    for codebook in found.codebooks {
      let nearest = NearestCentroids(of: rest, among: codebook, threads: threads)
      subtract(nearest.indices, of: codebook, from: &rest, threads: threads)
    }
    let encoding = seconds(clock.now - encodingStart)
    for index in sums.values.indices { sums.values[index] -= rest.values[index] }
    var left = found.decoder.apply(to: sums, threads: threads)
    for index in left.values.indices { left.values[index] -= points.values[index] }
    let error =
      meanSquaredLength(left, threads: threads) / meanSquaredLength(points, threads: threads)
    print(
      """
      {"bench": "autoencoder", "items": \(points.rows), "width": \(points.columns), "hidden": [\(hidden)], \
      "latent": \(latent), "levels": \(levels), "codes": \(codes), "batchSize": \(batchSize), \
      "epochs": \(epochs), "threads": \(threads), "seconds": \(rounded(training)), \
      "itemsPerSecond": \(Int(Double(points.rows * epochs) / training)), \
      "encodedItemsPerSecond": \(Int(Double(points.rows) / encoding)), "error": \(rounded(error)), \
      "lossByEpoch": [\(found.epochs.map { "\(rounded($0.total))" }.joined(separator: ", "))]}
      """)
  }

  /// 2,000 clusters with noise, the same for a seed.
  private func made() -> Matrix {
    let random = CounterRandom(seed: 3, stream: 0)
    var points = Matrix(rows: items, columns: width)
    for row in 0..<items {
      let cluster = random.integer(below: 2000, UInt64(row) | 1 << 50)
      for column in 0..<width {
        // A sum of four uniform numbers is round enough.
        let noise = (0..<4).reduce(-2.0) {
          $0 + random.uniform(UInt64((row * width + column) * 4 + $1) | 1 << 40)
        }
        let centre = (0..<4).reduce(-2.0) {
          $0 + random.uniform(UInt64((cluster * width + column) * 4 + $1))
        }
        points.values[row * width + column] = Float(1.7 * centre + 0.85 * noise)
      }
    }
    return points
  }

  private func read(_ path: String) throws -> Matrix {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let values = data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    guard !values.isEmpty, values.count.isMultiple(of: width) else {
      throw ValidationError("\(path) holds \(values.count) numbers, no rows of \(width).")
    }
    return Matrix(rows: values.count / width, columns: width, values: values)
  }
}

private func seconds(_ duration: Duration) -> Double {
  let parts = duration.components
  return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
}

private func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }

extension ProductPrecision: ExpressibleByArgument {}
extension QuantizerGradient: ExpressibleByArgument {}
