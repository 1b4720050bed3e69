# FMLP-Rec (Zhou et al. 2022): learned filters along time over hash IDs, no attention, no codes. As published: every prefix of a history is an
# example and its last item the target, the filter goes around the whole window, blocks and sizes. Here: the softmax is over the catalogue (published: one
# negative), what is missing of a window counts as zeros instead of padded rows, positions count from the oldest item
# that is read, items start from their vectors where stage 1 has some.
include Presets/h2rec.mk
WITHOUT_CODES     := yes
PRESET_TRAIN      := fmlp-rec --dimension 64 --filter window --targets last --windows prefixes --batch-size 256
