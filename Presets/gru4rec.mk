# GRU4Rec (Hidasi et al. 2016): recurrent units over hash IDs, no codes. The softmax is over the catalogue; the published losses are over other
# items of the batch.
include Presets/h2rec.mk
WITHOUT_CODES     := yes
PRESET_TRAIN      := gru4rec --dimension 128
