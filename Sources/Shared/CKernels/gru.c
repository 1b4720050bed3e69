#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

INLINE float sigmoid(float x) { return 1.0f / (1.0f + fast_exp(-x)); }

/// 1 - 2 / (e^2x + 1)
INLINE float hyperbolic_tangent(float x) { return 1.0f - 2.0f / (fast_exp(2.0f * x) + 1.0f); }

CLONES void h2rec_gru_step(size_t n, size_t d, const uint32_t *tokens, const float *restrict input,
                           const float *restrict recurrent, const float *restrict state,
                           float *restrict output, float *restrict gates) {
  for (size_t i = 0; i < n; i++) {
    const float *x = input + (size_t)tokens[i] * 3 * d;
    const float *u = recurrent + i * 3 * d;
    const float *h = state + i * d;
    float *y = output + (size_t)tokens[i] * d;
    float *g = gates + (size_t)tokens[i] * 4 * d;
    for (size_t k = 0; k < d; k++) {
      float r = sigmoid(x[k] + u[k]);
      float z = sigmoid(x[d + k] + u[d + k]);
      float part = u[2 * d + k];
      float c = hyperbolic_tangent(x[2 * d + k] + r * part);
      g[k] = r;
      g[d + k] = z;
      g[2 * d + k] = c;
      g[3 * d + k] = part;
      y[k] = (1.0f - z) * c + z * h[k];
    }
  }
}

CLONES void h2rec_gru_step_backward(size_t n, size_t d, const uint32_t *tokens, const float *restrict gates,
                                    const float *restrict state, const float *restrict output_gradient,
                                    float *restrict input_gradient, float *restrict recurrent_gradient,
                                    float *restrict state_gradient) {
  for (size_t i = 0; i < n; i++) {
    const float *g = gates + (size_t)tokens[i] * 4 * d;
    const float *h = state + i * d;
    const float *dy = output_gradient + (size_t)tokens[i] * d;
    float *dx = input_gradient + (size_t)tokens[i] * 3 * d;
    float *du = recurrent_gradient + i * 3 * d;
    float *dh = state_gradient + i * d;
    for (size_t k = 0; k < d; k++) {
      float r = g[k], z = g[d + k], c = g[2 * d + k], part = g[3 * d + k];
      float dc = dy[k] * (1.0f - z) * (1.0f - c * c);
      float dz = dy[k] * (h[k] - c) * z * (1.0f - z);
      float dr = dc * part * r * (1.0f - r);
      dx[k] += dr;
      dx[d + k] += dz;
      dx[2 * d + k] += dc;
      du[k] = dr;
      du[d + k] = dz;
      du[2 * d + k] = dc * r;
      dh[k] = dy[k] * z;
    }
  }
}
