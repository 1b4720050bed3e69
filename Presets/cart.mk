# H2Rec with identifiers in the form of CART: a k-means code of the whole vector, RQ-VAE codes of what it leaves, and a counter.
include Presets/h2rec.mk
PRESET_TOKENIZE   := coarse-rq-vae --codebooks 64,256,256 --pca 0 --collisions append
