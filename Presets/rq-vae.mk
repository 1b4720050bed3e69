# H2Rec with the published codes: RQ-VAE, 4 levels of 128 codes, chosen by the angle, on whole vectors.
include Presets/h2rec.mk
PRESET_TOKENIZE   := rq-vae --codebooks 128,128,128,128 --distance cosine --pca 0
