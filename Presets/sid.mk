# Semantic IDs alone: the other half of H2Rec.
include Presets/h2rec.mk
PRESET_TRAIN      := --model sid --dimension 128
