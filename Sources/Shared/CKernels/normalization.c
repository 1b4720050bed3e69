#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

CLONES void h2rec_layer_norm(const float *restrict x, const float *restrict gain, const float *restrict bias,
                             float *restrict y, float *restrict mean, float *restrict rstd, size_t T,
                             size_t D, float epsilon) {
  for (size_t t = 0; t < T; t++) {
    const float *row = x + t * D;
    float sum = 0, squares = 0;
    for (size_t i = 0; i < D; i++) sum += row[i];
    float mu = sum / (float)D;
    for (size_t i = 0; i < D; i++) squares += (row[i] - mu) * (row[i] - mu);
    float r = 1.0f / sqrtf(squares / (float)D + epsilon);
    mean[t] = mu;
    rstd[t] = r;
    for (size_t i = 0; i < D; i++) y[t * D + i] = (row[i] - mu) * r * gain[i] + bias[i];
  }
}

CLONES void h2rec_layer_norm_backward(const float *restrict x, const float *restrict gain,
                                      const float *restrict mean, const float *restrict rstd,
                                      const float *restrict dy, float *restrict dx, float *restrict dgain,
                                      float *restrict dbias, size_t T, size_t D, int adds) {
  for (size_t t = 0; t < T; t++) {
    const float *row = x + t * D, *g = dy + t * D;
    float *d = dx + t * D;
    if (!adds) for (size_t i = 0; i < D; i++) d[i] = 0;
    float mu = mean[t], r = rstd[t], sum = 0, product = 0;
    for (size_t i = 0; i < D; i++) {
      float normal = (row[i] - mu) * r, weighted = g[i] * gain[i];
      sum += weighted;
      product += weighted * normal;
      dgain[i] += g[i] * normal;
      dbias[i] += g[i];
    }
    sum /= (float)D;
    product /= (float)D;
    for (size_t i = 0; i < D; i++)
      d[i] += (g[i] * gain[i] - sum - (row[i] - mu) * r * product) * r;
  }
}

CLONES void h2rec_normalize_rows(const float *restrict x, float *restrict y, float *restrict norms,
                                 size_t rows, size_t columns) {
  for (size_t t = 0; t < rows; t++) {
    const float *row = x + t * columns;
    float squares = 0;
    for (size_t i = 0; i < columns; i++) squares += row[i] * row[i];
    float norm = sqrtf(squares), inverse = norm > 1e-12f ? 1.0f / norm : 0.0f;
    norms[t] = norm;
    for (size_t i = 0; i < columns; i++) y[t * columns + i] = row[i] * inverse;
  }
}

CLONES void h2rec_normalize_rows_backward(const float *restrict y, const float *restrict norms,
                                          const float *restrict dy, float *restrict dx, size_t rows,
                                          size_t columns) {
  for (size_t t = 0; t < rows; t++) {
    if (norms[t] <= 1e-12f) continue;
    const float *row = y + t * columns, *g = dy + t * columns;
    float product = 0, inverse = 1.0f / norms[t];
    for (size_t i = 0; i < columns; i++) product += row[i] * g[i];
    for (size_t i = 0; i < columns; i++) dx[t * columns + i] += (g[i] - row[i] * product) * inverse;
  }
}
