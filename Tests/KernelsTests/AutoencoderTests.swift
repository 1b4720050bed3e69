import TestSupport
import Testing

@testable import Clustering
@testable import Numerics
@testable import Quantizers
@testable import Tape
@testable import Training

func autoencoderOptions(_ sizes: [Int], epochs: Int = 30) -> AutoencoderOptions {
  var options = AutoencoderOptions(
    levelSizes: sizes, random: CounterRandom(seed: 5, stream: 0))
  options.hiddenWidths = [24, 16]
  options.latentWidth = 6
  options.epochCount = epochs
  options.batchSize = 100
  options.learningRate = 0.005
  return options
}

/// Points in 8 far clusters, centred; point i belongs to cluster i mod 8.
func plantedPoints(_ rows: Int, _ columns: Int) -> Matrix {
  let centres = Grid.noise(8, columns, seed: 1, scale: 5)
  let noise = Grid.noise(rows, columns, seed: 2, scale: 0.1)
  var points = Matrix(
    rows: rows, columns: columns,
    values: (0..<rows * columns).map {
      Float(centres[$0 / columns % 8, $0 % columns] + noise.values[$0])
    })
  subtract(columnMeans(points, threads: 1), fromRowsOf: &points, threads: 1)
  return points
}

extension Grid {
  /// Some floats as a matrix.
  fileprivate init(_ matrix: Matrix) {
    self.init(matrix.rows, matrix.columns, floats: matrix.values)
  }
}

@Suite struct AutoencoderTests {
  @Test(arguments: QuantizerGradient.allCases)
  func `the gradient of every weight is that of the loss`(passing: QuantizerGradient) throws {
    let points = plantedPoints(37, 11)
    var settings = autoencoderOptions([4, 3])
    settings.hiddenWidths = [7]
    settings.latentWidth = 5
    settings.passing = passing
    let model = AutoencoderModel(points, settings, threads: 1)
    model.initialize(nil)
    let gradient = try gradient(model, Array(0..<30))
    let places = (model.layers.encoder + model.layers.decoder).flatMap { [$0.weight, $0.bias] }
    let start = places.map { place in
      Grid(place.rows, place.columns, floats: model.store.array(of: place))
    }
    let gradients = places.map { gradient.array($0.offset..<$0.offset + $0.count) }
    let input = Double(model.scale) * Grid(points).rows(Array(0..<30))
    func encoded(_ weights: [Grid]) -> Grid {
      input.linear(weights[0], bias: weights[1]).rectified.linear(weights[2], bias: weights[3])
    }
    let latent = encoded(start)
    var rests: [Grid] = []
    var rest = latent
    for level in 0..<2 {
      let book = Grid(model.codebooks[level: level])
      let nearest = (0..<30).map { row -> Int in
        let scores = (0..<book.rows).map {
          rest.dot(row, book, $0) - book.dot($0, book, $0) / 2
        }
        return scores.indices.max { scores[$0] < scores[$1] } ?? 0
      }
      rest = rest + -1 * book.rows(nearest)
      rests.append(rest)
    }
    let sums = latent + -1 * rest
    try requireGradients(of: start, equal: gradients, tolerance: 5e-5) { weights in
      let moved = encoded(weights)
      let passed =
        passing == .rotation ? turning(moved, latent, sums) : sums + (moved + -1 * latent)
      let output = passed.linear(weights[4], bias: weights[5]).rectified
        .linear(weights[6], bias: weights[7])
      let error = output + -1 * input
      let held = rests.reduce(0.0) { total, rest in
        let left = moved + -1 * (latent + -1 * rest)
        return total + (left * left).values.reduce(0, +)
      }
      return (error * error).values.reduce(0, +) / Double(30 * 11) + 0.25 * held / Double(30 * 5)
    }
  }

  /// The gradient of the dense parameters from a batch.
  private func gradient(_ model: AutoencoderModel, _ rows: [Int]) throws -> AlignedBuffer {
    let step = TrainingStep(model, model.stepSettings)
    _ = step.gradients(of: AutoencoderBatch(rows: rows), number: 0)
    return try #require(step.denseGradient)
  }

  /// `λ R x` row by row, see `QuantizeTests`.
  private func turning(_ x: Grid, _ z: Grid, _ q: Grid) -> Grid {
    let (a, b) = (z.normalizedRows, q.normalizedRows)
    let middle = (a + b).normalizedRows
    return Grid(x.rows, x.columns) { row, column in
      (q.dot(row, q, row) / z.dot(row, z, row)).squareRoot()
        * (x[row, column] - 2 * middle[row, column] * middle.dot(row, x, row)
          + 2 * b[row, column] * a.dot(row, x, row))
    }
  }

  @Test(
    arguments: QuantizerGradient.allCases, [CodebookUpdate.gradient, .movingAverage(decay: 0.9)])
  func `planted clusters are found, with the same bits for one and two threads`(
    passing: QuantizerGradient, update: CodebookUpdate
  ) throws {
    let points = plantedPoints(1200, 20)
    var settings = autoencoderOptions([8, 2], epochs: 60)
    settings.batchSize = 600
    settings.passing = passing
    settings.update = update
    let found = try ResidualAutoencoder(points, options: settings, threads: 2)
    #expect(try found == ResidualAutoencoder(points, options: settings, threads: 1))
    let latent = found.encoder.apply(to: points, threads: 1)
    let codes = NearestCentroids(of: latent, among: found.codebooks[0], threads: 1).indices
    #expect(codes.indices.allSatisfy { codes[$0] == codes[$0 % 8] })
    #expect(Set(codes.prefix(8)).count == 8)
    #expect(found.epochs.count == 60)
    #expect(found.epochs[59].reconstruction < 0.3 * found.epochs[0].reconstruction)
  }

  @Test(.enabled(if: ProductPrecision.bfloat16.isAvailable))
  func `rounded products learn as well, with the same bits for one and two threads`() throws {
    let points = plantedPoints(1200, 20)
    var settings = autoencoderOptions([8, 2])
    let exact = try ResidualAutoencoder(points, options: settings, threads: 2).epochs
    settings.precision = .bfloat16
    let found = try ResidualAutoencoder(points, options: settings, threads: 2)
    #expect(try found == ResidualAutoencoder(points, options: settings, threads: 1))
    #expect(found.epochs != exact)
    let (error, exactError) = (found.epochs[29].reconstruction, exact[29].reconstruction)
    // Both errors are near zero, and the baseline kernels round elsewhere.
    #expect(abs(error - exactError) < 0.25 * exactError)
    #expect(error < 0.5 * exact[0].reconstruction)
  }

  @Test func `a moving average ends at the mean of the rows that chose the code`() {
    let books = LatentCodebooks(sizes: [2], width: 1, isAngular: [false])
    books[level: 0] = Matrix(rows: 2, columns: 1, values: [0, 10])
    books.refresh()
    var settings = autoencoderOptions([2])
    settings.update = .movingAverage(decay: 0.5)
    let updater = CodebookUpdater(books, settings)
    updater.restart()
    for _ in 0..<30 {
      let bench = OperationBench([.tensor(Grid(3, 1, [1, 3, 8]))])
      let sums = CodeSums(books)
      _ = bench.tape.quantize(
        bench.tensor(0), books, into: sums, commitment: 0, passing: .rotation)
      updater.follow(sums)
      books.refresh()
    }
    #expect(abs(books.values[0] - 2) < 1e-4 && abs(books.values[1] - 8) < 1e-4)
    #expect(updater.usage == [60, 30])
  }

  @Test func `codes that nobody chooses are put on points`() throws {
    var settings = autoencoderOptions([40, 10], epochs: 20)
    settings.batchSize = 60
    // Only the 8 clusters and their noise: most of 40 codes starve unless they are moved.
    let found = try ResidualAutoencoder(plantedPoints(240, 12), options: settings, threads: 2)
    #expect(found.epochs.contains { $0.revivedCount > 0 })
    #expect(found.epochs.suffix(2).allSatisfy { $0.revivedCount == 0 })
  }

  @Test func `learning ends where nothing gets better, with the best parameters`() throws {
    let points = plantedPoints(400, 10)
    var settings = autoencoderOptions([8, 4], epochs: 400)
    settings.patience = 3
    settings.learningRate = 0.02
    let found = try ResidualAutoencoder(points, options: settings, threads: 2)
    #expect(found.epochs.count < 400)
    let totals = found.epochs.map(\.total)
    let best = totals.indices.min { totals[$0] < totals[$1] } ?? 0
    #expect(found.epochs.count - best <= 4 + 3)
  }

  @Test func `supervision makes the first code tell the tag, which the points hardly show`() throws
  {
    // The tag is one small coordinate; the clusters have nothing to do with it.
    var points = plantedPoints(800, 12)
    let tags = AutoencoderTags(counts: [2], classes: [(0..<800).map { Int32($0 / 8 % 2) }])
    for row in 0..<800 { points.values[row * 12] += row / 8 % 2 == 0 ? 0.4 : -0.4 }
    let purity = { (supervision: Float) throws -> Double in
      var settings = autoencoderOptions([4, 16], epochs: 40)
      settings.supervision = supervision
      let found = try ResidualAutoencoder(points, options: settings, tags: tags, threads: 2)
      let latent = found.encoder.apply(to: points, threads: 1)
      let codes = NearestCentroids(of: latent, among: found.codebooks[0], threads: 1).indices
      let agreeing = (0..<4).reduce(0) { sum, code in
        let members = (0..<800).filter { codes[$0] == code }
        let first = members.count { $0 / 8 % 2 == 0 }
        return sum + max(first, members.count - first)
      }
      #expect((found.epochs[39].supervision > 0) == (supervision > 0))
      return Double(agreeing) / 800
    }
    #expect(try purity(0) < 0.7)
    #expect(try purity(3) > 0.95)
  }

  /// Points of 4 broad and 12 narrow tags, which are small beside clusters that have nothing to do with them; a third of
  /// the points has no tags.
  private func taxonomy() -> (points: Matrix, tags: AutoencoderTags, broad: [Int], narrow: [Int]) {
    var points = plantedPoints(960, 16)
    let narrow = (0..<960).map { $0 / 8 % 12 }
    let broad = narrow.map { $0 / 3 }
    for row in 0..<960 {
      points.values[row * 16 + broad[row]] += 1.5
      points.values[row * 16 + 4 + narrow[row] % 3] += 1
    }
    subtract(columnMeans(points, threads: 1), fromRowsOf: &points, threads: 1)
    let named = { (tags: [Int]) in tags.indices.map { Int32($0 / 96 % 3 == 0 ? -1 : tags[$0]) } }
    let tags = AutoencoderTags(counts: [4, 12], classes: [named(broad), named(narrow)])
    return (points, tags, broad, narrow)
  }

  /// The share of points whose tag is the most frequent one of the points with the same first codes.
  private func purities(
    _ found: ResidualAutoencoder, _ points: Matrix, _ tags: [[Int]]
  ) -> [Double] {
    var rest = found.encoder.apply(to: points, threads: 1)
    var prefixes = [[UInt32]](repeating: [], count: points.rows)
    return zip(found.codebooks, tags).map { codebook, tags in
      let nearest = NearestCentroids(of: rest, among: codebook, threads: 1).indices
      subtract(nearest, of: codebook, from: &rest, threads: 1)
      for (row, code) in nearest.enumerated() { prefixes[row].append(code) }
      var counts: [[UInt32]: [Int: Int]] = [:]
      for (prefix, tag) in zip(prefixes, tags) {
        counts[prefix, default: [:]][tag, default: 0] += 1
      }
      return Double(counts.values.reduce(0) { $0 + ($1.values.max() ?? 0) }) / Double(points.rows)
    }
  }

  @Test func `alignment with tags makes the codes of a level tell the tags of that level`() throws {
    let (points, tags, broad, narrow) = taxonomy()
    let found = { (weight: Float, threads: Int) throws -> ResidualAutoencoder in
      var settings = autoencoderOptions([4, 6], epochs: 150)
      settings.tagAlignment = weight
      return try ResidualAutoencoder(points, options: settings, tags: tags, threads: threads)
    }
    let (without, with) = (try found(0, 2), try found(3, 2))
    let before = purities(without, points, [broad, narrow])
    let after = purities(with, points, [broad, narrow])
    #expect(before[0] < 0.4)
    #expect(before[1] < 0.2)
    #expect(after[0] > 0.95)
    #expect(after[1] > 0.9)
    #expect(without.epochs[149].tagAlignment == 0)
    #expect(with.epochs[149].tagAlignment < 0.2 * with.epochs[0].tagAlignment)
    #expect(try with == found(3, 1))
  }

  @Test func `the gradient of alignment reaches projections and encoder`() throws {
    let (points, tags, _, _) = taxonomy()
    let rows = Array(80..<120)
    let run = { (weight: Float) throws -> (AutoencoderModel, AlignedBuffer) in
      var settings = autoencoderOptions([4, 3])
      settings.hiddenWidths = []
      settings.tagAlignment = weight
      let model = AutoencoderModel(points, settings, tags: tags, threads: 1)
      model.initialize(nil)
      return (model, try gradient(model, rows))
    }
    // The loss is linear in the weight, so that the difference is the alignment alone.
    let ((model, one), (_, two)) = (try run(1), try run(2))
    let layers = [model.layers.encoder[0]] + model.layers.projections
    let places = layers.flatMap { [$0.weight, $0.bias] }
    let array = { (place: Parameter, buffer: AlignedBuffer) in
      buffer.array(place.offset..<place.offset + place.count)
    }
    let gradients = places.map { place in
      zip(array(place, two), array(place, one)).map { $0 - $1 }
    }
    let start = places.map { Grid($0.rows, $0.columns, floats: model.store.array(of: $0)) }
    let input = Double(model.scale) * Grid(points).rows(rows)
    let latent = input.linear(start[0], bias: start[1])
    var rest = latent
    var shifts: [Grid] = []
    for level in 0..<2 {
      let book = model.codebooks[level: level]
      let now = Matrix(rows: 40, columns: 6, values: rest.floats)
      let nearest = NearestCentroids(of: now, among: book, threads: 1).indices
      rest = rest + -1 * Grid(book).rows(nearest.map(Int.init))
      shifts.append(-1 * rest)
    }
    try requireGradients(of: start, equal: gradients, tolerance: 2e-4) { weights in
      let moved = input.linear(weights[0], bias: weights[1])
      return (0..<2).reduce(0.0) { total, level in
        let classes = rows.map { tags.classes[level][$0] }
        let named = classes.indices.filter { classes[$0] >= 0 }
        let present = Set(named.map { classes[$0] }).sorted()
        let vectors = (Double(model.scale) * Grid(model.tagVectors[level]))
          .rows(present.map(Int.init))
          .linear(weights[2 + 2 * level], bias: weights[3 + 2 * level])
        let targets = named.map { UInt32(present.firstIndex(of: classes[$0]) ?? 0) }
        return total
          + Double(named.count) / 40
          * referenceCrossEntropy(
            states: 10 * (moved + shifts[level]).rows(named).normalizedRows,
            items: vectors.normalizedRows, targets: targets)
      }
    }
  }

  /// How many of 300 points have the codes of an earlier one, in the world and with the random numbers of a seed.
  private func collisions(uniqueness: Float, seed: UInt64) throws -> Int {
    var points = plantedPoints(300, 12)
    let noise = Grid.noise(300, 12, seed: 10 + Int(seed), scale: 1.5)
    for place in points.values.indices { points.values[place] += Float(noise.values[place]) }
    var settings = autoencoderOptions([8, 8], epochs: 60)
    settings.random = CounterRandom(seed: seed, stream: 0)
    settings.uniqueness = uniqueness
    let found = try ResidualAutoencoder(points, options: settings, threads: 2)
    #expect((found.epochs[0].uniqueness > 0) == (uniqueness > 0))
    var rest = found.encoder.apply(to: points, threads: 1)
    var tuples = [[UInt32]](repeating: [], count: 300)
    for codebook in found.codebooks {
      let nearest = NearestCentroids(of: rest, among: codebook, threads: 1).indices
      for row in 0..<300 { tuples[row].append(nearest[row]) }
      subtract(nearest, of: codebook, from: &rest, threads: 1)
    }
    return 300 - Set(tuples).count
  }

  @Test func `uniqueness lowers the number of different points with equal codes`() throws {
    // One seed gives 17 fewer, with a standard deviation of 9: eight of them leave five deviations of room.
    let sums = try [Float(0), 4].map { uniqueness in
      try (1...8).reduce(0) { try $0 + collisions(uniqueness: uniqueness, seed: $1) }
    }
    #expect(sums[1] < sums[0])
  }

  @Test func `an earlier autoencoder is where a warm start begins`() throws {
    let points = plantedPoints(600, 14)
    let first = try ResidualAutoencoder(
      points, options: autoencoderOptions([8, 4], epochs: 20), threads: 2)
    let second = try ResidualAutoencoder(
      points, options: autoencoderOptions([8, 4], epochs: 1), start: first, threads: 2)
    #expect(second.epochs[0].total < 1.2 * first.epochs[19].total)
    #expect(second.epochs[0].total < 0.5 * first.epochs[0].total)
  }
}
