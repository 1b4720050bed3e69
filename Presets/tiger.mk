# TIGER (Rajput et al. 2023): an encoder and a decoder over the digits of semantic IDs, beam search over the catalogue. Smaller than published:
# 2 blocks of 4 heads of 32 and layers of 512 in place of 4, 6 of 64 and 1,024, which are the defaults of h2rec-train tiger. Codes are those of
# residual k-means with a digit that makes them unique, in place of RQ-VAE's. There are no user tokens; output embeddings are not the input's.
include Presets/h2rec.mk
PRESET_TOKENIZE   := rq-kmeans --codebooks 256,256,256 --collisions append
PRESET_TRAIN      := tiger --dimension 128 --layers 2 --heads 4 --head-width 32 --feed-forward 512 --validation-users 1000
