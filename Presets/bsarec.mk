# BSARec (Shin et al. 2024): attention beside a low pass along time over hash IDs, no codes. As published: every prefix of a history is an
# example and its last item the target, the filter goes around the whole window, blocks, sizes and shares. Here: what is missing of a window counts
# as zeros instead of padded rows, positions count from the oldest item that is read, weight decay is decoupled, items
# start from their vectors where stage 1 has some.
include Presets/h2rec.mk
WITHOUT_CODES     := yes
PRESET_TRAIN      := bsarec --dimension 64 --filter window --targets last --windows prefixes --batch-size 256 --learning-rate 0.0005 --weight-decay 0.0001
