/// All quantisers, the default first; the subcommands of `h2rec-tokenize` that learn codes.
let quantizerRecipes: [any QuantizerRecipe.Type] = [
  RQKMeans.self, PQ.self, OPQ.self, VQ.self, RQVAE.self, CoarseRQVAE.self,
]
