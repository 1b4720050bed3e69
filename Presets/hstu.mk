# HSTU (Zhai et al. 2024): pointwise attention with relative positions over hash IDs, no codes. Here: no bias for the time between events, which
# models do not read, and no table of positions beside the bias; normalisations have learned gains; scores are inner products (published: cosines
# divided by .05), the softmax is over the catalogue (published: sampled); items start from their vectors where
# stage 1 has some.
include Presets/h2rec.mk
WITHOUT_CODES     := yes
PRESET_TRAIN      := hstu --dimension 64 --layers 4 --heads 2
