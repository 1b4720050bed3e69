internal import Tape

/// The affine maps of an autoencoder among the parameters of a store.
struct AutoencoderLayers {
  /// One affine map.
  struct Layer {
    var weight: Parameter
    var bias: Parameter
  }

  let encoder: [Layer]
  let decoder: [Layer]
  /// What predicts the tags, one for each level of tags.
  let heads: [Layer]
  /// What takes the vectors of the tags to the latent space, one for each level of tags.
  let projections: [Layer]

  /// Declares the parameters.
  init(_ store: ParameterStore, pointWidth: Int, options: AutoencoderOptions, tagCounts: [Int]) {
    func layer(_ name: String, _ input: Int, _ output: Int) -> Layer {
      Layer(
        weight: store.add("\(name).weight", output, input, .zero),
        bias: store.add("\(name).bias", 1, output, .zero))
    }
    func stack(_ name: String, _ widths: [Int]) -> [Layer] {
      zip(widths, widths.dropFirst()).enumerated().map {
        layer("\(name).\($0)", $1.0, $1.1)
      }
    }
    let widths = [pointWidth] + options.hiddenWidths + [options.latentWidth]
    encoder = stack("encoder", widths)
    decoder = stack("decoder", widths.reversed())
    heads =
      options.supervision > 0
      ? tagCounts.enumerated().map { layer("head.\($0)", options.latentWidth, $1) } : []
    projections =
      options.tagAlignment > 0
      ? tagCounts.indices.map { layer("projection.\($0)", pointWidth, options.latentWidth) } : []
  }
}
