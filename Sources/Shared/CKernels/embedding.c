#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

CLONES void h2rec_apply_dropout(float *x, size_t rows, size_t columns, h2rec_dropout dropout) {
  if (dropout.rate <= 0) return;
  uint32_t threshold = dropout_threshold(dropout.rate);
  float keep = 1.0f / (1.0f - dropout.rate);
  uint32_t count = (uint32_t)(rows * columns);
  for (uint32_t i = 0; i < count; i++) x[i] *= mask_value(i, dropout.key, threshold, keep);
}

CLONES void h2rec_embed(float *restrict out, const float *restrict table, const uint32_t *restrict indices,
                        const float *restrict positions, const uint32_t *restrict places, float scale,
                        size_t T, size_t D, h2rec_dropout dropout) {
  for (size_t t = 0; t < T; t++) {
    const float *row = table + (size_t)indices[t] * D;
    float *y = out + t * D;
    if (positions) {
      const float *place = positions + (size_t)places[t] * D;
      for (size_t i = 0; i < D; i++) y[i] = scale * row[i] + place[i];
    } else {
      for (size_t i = 0; i < D; i++) y[i] = scale * row[i];
    }
  }
  h2rec_apply_dropout(out, T, D, dropout);
}

CLONES void h2rec_embed_mean(float *restrict out, const float *restrict table,
                             const uint32_t *restrict indices, size_t M, const float *restrict positions,
                             const uint32_t *restrict places, float scale, size_t T, size_t D,
                             h2rec_dropout dropout) {
  float factor = scale / (float)M;
  for (size_t t = 0; t < T; t++) {
    float *y = out + t * D;
    if (positions) {
      const float *place = positions + (size_t)places[t] * D;
      for (size_t i = 0; i < D; i++) y[i] = place[i];
    } else {
      for (size_t i = 0; i < D; i++) y[i] = 0;
    }
    for (size_t m = 0; m < M; m++) {
      const float *row = table + (size_t)indices[t * M + m] * D;
      for (size_t i = 0; i < D; i++) y[i] += factor * row[i];
    }
  }
  h2rec_apply_dropout(out, T, D, dropout);
}

CLONES void h2rec_scatter_add(float *restrict table, const uint32_t *restrict indices,
                              const float *restrict rows, float factor, size_t T, size_t D) {
  for (size_t t = 0; t < T; t++) {
    float *row = table + (size_t)indices[t] * D;
    const float *x = rows + t * D;
    for (size_t i = 0; i < D; i++) row[i] += factor * x[i];
  }
}
