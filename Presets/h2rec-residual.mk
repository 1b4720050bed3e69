# H2Rec with cross-attention added to each branch, the gate, and both auxiliary losses.
include Presets/h2rec.mk
PRESET_TRAIN      := h2rec --cross residual --alignment-weight 0.1 --msg-weight 0.1 --dimension 128
