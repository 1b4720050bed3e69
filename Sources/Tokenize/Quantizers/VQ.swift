internal import Clustering
internal import Numerics
internal import ShardIO

/// Parallel vector quantisation: each level clusters the whole vectors, from a start of its own.
enum VQ: QuantizerRecipe {
  typealias Options = ClusteringOptions

  static let name = "vq"
  static let abstract =
    "Parallel codes: each level clusters the whole vectors, from a start of its own."

  static func fit(
    _ vectors: consuming Matrix, _ options: Options, _ learning: Learning
  ) throws(PipelineError) -> TokenizedItems {
    let sizes = options.codes.sizes
    let space = QuantizerSpace(of: copy vectors, options.codes, threads: learning.threads)
    var items = space.emptyItems(sizes, sizes.map { _ in .l2 }, threads: learning.threads)
    for (level, size) in sizes.enumerated() {
      learning.progress("level \(level + 1)")
      let found = KMeans(
        space.vectors,
        options: options.search.kMeans(level: level, size: size, seed: learning.seed),
        threads: learning.threads)
      items.append(found, codebook: space.expand(found.centroids), residual: 0)
    }
    items.isParallel = true
    return items.encoded(vectors, space, threads: learning.threads)
  }
}
