#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

CLONES void h2rec_scale_views(float *restrict y, const float *restrict a, const float *restrict alpha,
                              size_t T, size_t M, size_t D) {
  for (size_t row = 0; row < T * M; row++)
    for (size_t i = 0; i < D; i++) y[row * D + i] = a[row * D + i] * alpha[row];
}

CLONES void h2rec_scale_views_backward(const float *restrict a, const float *restrict alpha,
                                       const float *restrict dy, float *restrict da,
                                       float *restrict dalpha, size_t T, size_t M, size_t D, int adds) {
  for (size_t row = 0; row < T * M; row++) {
    const float *x = a + row * D, *g = dy + row * D;
    if (!adds) for (size_t i = 0; i < D; i++) da[row * D + i] = 0;
    float factor = alpha[row], product = 0;
    for (size_t i = 0; i < D; i++) {
      product += g[i] * x[i];
      da[row * D + i] += factor * g[i];
    }
    dalpha[row] += product;
  }
}

CLONES void h2rec_mix_views(float *restrict out, const float *restrict views, const float *restrict alpha,
                            const uint8_t *restrict hidden, const float *restrict masks,
                            const uint32_t *restrict offsets, size_t sequences, size_t T, size_t M,
                            size_t D) {
  for (size_t s = 0; s < sequences; s++) {
    for (size_t t = offsets[s]; t < offsets[s + 1]; t++) {
      float *y = out + t * D;
      for (size_t i = 0; i < D; i++) y[i] = 0;
      for (size_t m = 0; m < M; m++) {
        const float *x = hidden[s * M + m] ? masks + m * D : views + (m * T + t) * D;
        float factor = alpha[s * M + m];
        for (size_t i = 0; i < D; i++) y[i] += factor * x[i];
      }
    }
  }
}

CLONES void h2rec_mix_views_backward(const float *restrict dout, const float *restrict views,
                                     const float *restrict alpha, const uint8_t *restrict hidden,
                                     const float *restrict masks, float *restrict dviews,
                                     float *restrict dalpha, float *restrict dmasks,
                                     const uint32_t *restrict offsets, size_t sequences, size_t T,
                                     size_t M, size_t D) {
  for (size_t s = 0; s < sequences; s++) {
    for (size_t m = 0; m < M; m++) {
      float factor = alpha[s * M + m], product = 0;
      int masked = hidden[s * M + m];
      for (size_t t = offsets[s]; t < offsets[s + 1]; t++) {
        const float *x = masked ? masks + m * D : views + (m * T + t) * D;
        float *d = masked ? dmasks + m * D : dviews + (m * T + t) * D;
        const float *g = dout + t * D;
        for (size_t i = 0; i < D; i++) {
          product += g[i] * x[i];
          d[i] += factor * g[i];
        }
      }
      dalpha[s * M + m] += product;
    }
  }
}
