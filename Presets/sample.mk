# H2Rec at the size of the built-in sample.
include Presets/h2rec.mk
PRESET_TOKENIZE   := --codebooks 32,32,32,32
