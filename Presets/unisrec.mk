# UniSRec (Hou et al. 2022), transductive: eight experts map the text vectors, a gate mixes them, item rows are added. Here: trained on the data at
# hand alone (published: on other domains first, with two contrastive losses), no noise in the gate, no dropout of the text vectors, inner
# products (published: cosines divided by a temperature of 0.07), the softmax over the catalogue, no codes.
include Presets/h2rec.mk
WITHOUT_CODES     := yes
PRESET_TRAIN      := unisrec --dimension 128 --experts 8 --mode transductive
