# SASRec, the ID-only form: no codes are needed, so stage 2 is left out. Items start from their vectors where stage 1 has some.
include Presets/h2rec.mk
WITHOUT_CODES     := yes
PRESET_TRAIN      := sasrec --dimension 128
