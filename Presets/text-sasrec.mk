# SASRec over item texts: a linear map of the text vectors that begins as their principal components, no codes and no item rows.
include Presets/h2rec.mk
WITHOUT_CODES     := yes
PRESET_TRAIN      := text-sasrec --dimension 128
