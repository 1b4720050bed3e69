#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

/// The distribution function of the normal distribution, within 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26); `density` is e^(-z^2 / 2).
INLINE float normal_share(float z, float density) {
  float x = (z < 0 ? -z : z) * 0.70710678f, t = 1.0f / (1.0f + 0.3275911f * x);
  float p = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  float tail = 0.5f * p * density;
  return z < 0 ? tail : 1.0f - tail;
}

CLONES void h2rec_bias_gelu(float *restrict z, const float *restrict bias, float *restrict y, size_t rows,
                            size_t columns) {
  for (size_t row = 0; row < rows; row++) {
    float *in = z + row * columns, *out = y + row * columns;
    for (size_t c = 0; c < columns; c++) {
      float value = in[c] + bias[c];
      in[c] = value;
      out[c] = value * normal_share(value, fast_exp(-0.5f * value * value));
    }
  }
}

CLONES void h2rec_gelu_backward(const float *restrict z, const float *restrict dy, float *restrict dz,
                                size_t count) {
  for (size_t i = 0; i < count; i++) {
    float density = fast_exp(-0.5f * z[i] * z[i]);
    dz[i] = dy[i] * (normal_share(z[i], density) + z[i] * 0.39894228f * density);
  }
}

INLINE float sigmoid_of(float x) { return 1.0f / (1.0f + fast_exp(-x)); }

CLONES void h2rec_silu(const float *restrict x, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[i] * sigmoid_of(x[i]);
}

CLONES void h2rec_silu_backward(const float *restrict x, const float *restrict dy, float *restrict dx,
                                size_t count) {
  for (size_t i = 0; i < count; i++) {
    float share = sigmoid_of(x[i]);
    dx[i] += dy[i] * share * (1.0f + x[i] * (1.0f - share));
  }
}

CLONES void h2rec_sigmoid(const float *restrict x, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = sigmoid_of(x[i]);
}

CLONES void h2rec_sigmoid_backward(const float *restrict y, const float *restrict dy, float *restrict dx,
                                   size_t count) {
  for (size_t i = 0; i < count; i++) dx[i] += dy[i] * y[i] * (1.0f - y[i]);
}

CLONES void h2rec_multiply(const float *restrict a, const float *restrict b, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = a[i] * b[i];
}

CLONES void h2rec_add_product(const float *restrict a, const float *restrict b, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += a[i] * b[i];
}
