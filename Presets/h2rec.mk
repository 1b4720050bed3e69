# H2Rec with both branches and the alignment loss: 5-core data without repeats, 4 levels of 256 codes.
PRESET_PREPROCESS := --dedup first
PRESET_TOKENIZE   := rq-kmeans --codebooks 256,256,256,256
PRESET_TRAIN      := h2rec --cross none --alignment-weight 0.1 --dimension 128
PRESET_EVALUATE   := --recommend 10
