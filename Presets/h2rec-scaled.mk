# H2Rec with cross-attention behind learned scales that start at 0, the gate, and both auxiliary losses.
include Presets/h2rec.mk
PRESET_TRAIN      := h2rec --cross scaled --alignment-weight 0.1 --msg-weight 0.1 --dimension 128
