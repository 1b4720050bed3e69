# eSASRec (Tikhonovich et al. 2025): gated pre-normalised attention (LiGR) over hash IDs, no codes, sampled softmax. Here: the negatives are those of
# a step, corrected for the sampling (published: 256 for each position), positions count from the oldest item that is read
# (published: from the latest), no padding, items start from their vectors where stage 1 has some.
include Presets/h2rec.mk
WITHOUT_CODES     := yes
PRESET_TRAIN      := esasrec --dimension 128 --heads 4 --dropout 0.2 --loss sampled-softmax
