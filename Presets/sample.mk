# H2Rec at the size of the built-in sample.
include Presets/h2rec.mk
PRESET_TOKENIZE   := rq-kmeans --codebooks 32,32,32,32
PRESET_TRAIN      := h2rec --cross none --alignment-weight 0.1 \
  --dimension 32 --dropout 0.1 --batch-size 64 --learning-rate 0.003 --patience 3
