# Semantic IDs alone: the other half of H2Rec.
include Presets/h2rec.mk
PRESET_TRAIN      := sid --dimension 128
