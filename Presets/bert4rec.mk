# BERT4Rec (Sun et al. 2019): hidden items told from both sides over hash IDs, no codes. As published: blocks, sizes, the share of hidden items
# for Amazon's logs, one window in eleven that hides its last item alone, the softmax over the catalogue. Here: what is hidden is drawn anew in each
# epoch (published: ten times before training), no bias for each item in the output, no padding, items start from their
# vectors where stage 1 has some.
include Presets/h2rec.mk
WITHOUT_CODES     := yes
PRESET_TRAIN      := bert4rec --dimension 64 --hidden-share 0.6
