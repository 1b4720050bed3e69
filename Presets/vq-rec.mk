# VQ-Rec (Hou et al. 2023): product codes of the rotated text vectors, 32 of 256; an item is the mean of its code vectors. Here: trained on the data
# at hand alone (published: on other domains first, with made-up items as negatives, then the codes permuted), code vectors begin as their
# centroids (published: at random).
include Presets/h2rec.mk
PRESET_TOKENIZE   := opq --codebooks 256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256,256
PRESET_TRAIN      := sid --dimension 128
