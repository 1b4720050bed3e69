# PG-SID (arXiv 2504.02137), by our reading of the H2Rec paper's name: rows for the prefixes of an item's codes, placed by a hash, and their mean. Here:
# the mean (published: the sum), softmax over the catalogue in place of clicks, four levels of residual k-means (published: RQ-VAE).
include Presets/h2rec.mk
PRESET_TRAIN      := pg-sid --dimension 128
