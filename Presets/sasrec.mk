# SASRec, the ID-only form: no codes are needed, so stage 2 is left out. Where there are vectors, the items start from them.
include Presets/h2rec.mk
WITHOUT_CODES     := yes
PRESET_TRAIN       = --model sasrec --dimension 128 $(if $(VECTORS),,--hash-init random)
