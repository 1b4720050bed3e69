#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

/// What a query at `position` sees: tokens before `end`, and the row of the kernel for token `key`.
#define seen_end(shape, position, keys) ((shape).mask == h2rec_earlier_keys ? (position) + 1 : (keys))
#define lag_of(shape, position, key) ((position) >= (key) ? (position) - (key) : (position) + (shape).length - (key))

CLONES void h2rec_filter(h2rec_filter_shape shape, const float *restrict x, const float *restrict kernel,
                         float *restrict y) {
  size_t d = shape.width;
  for (size_t s = 0; s < shape.sequences; s++) {
    size_t first = shape.keys[s], keys = shape.keys[s + 1] - first;
    size_t queries = shape.queries[s + 1] - shape.queries[s];
    for (size_t q = 0; q < queries; q++) {
      size_t position = keys - queries + q, end = seen_end(shape, position, keys);
      float *out = y + (shape.queries[s] + q) * d;
      for (size_t c = 0; c < d; c++) out[c] = 0;
      for (size_t key = 0; key < end; key++) {
        const float *a = x + (first + key) * d, *k = kernel + lag_of(shape, position, key) * d;
        for (size_t c = 0; c < d; c++) out[c] += k[c] * a[c];
      }
    }
  }
}

CLONES void h2rec_filter_backward(h2rec_filter_shape shape, const float *restrict x, const float *restrict kernel,
                                  const float *restrict dy, float *restrict dx, float *restrict dkernel) {
  size_t d = shape.width;
  for (size_t s = 0; s < shape.sequences; s++) {
    size_t first = shape.keys[s], keys = shape.keys[s + 1] - first;
    size_t queries = shape.queries[s + 1] - shape.queries[s];
    for (size_t q = 0; q < queries; q++) {
      size_t position = keys - queries + q, end = seen_end(shape, position, keys);
      const float *g = dy + (shape.queries[s] + q) * d;
      for (size_t key = 0; key < end; key++) {
        size_t lag = lag_of(shape, position, key);
        const float *a = x + (first + key) * d, *k = kernel + lag * d;
        float *da = dx + (first + key) * d, *dk = dkernel + lag * d;
        for (size_t c = 0; c < d; c++) {
          da[c] += k[c] * g[c];
          dk[c] += a[c] * g[c];
        }
      }
    }
  }
}

CLONES void h2rec_low_pass_kernel(const float *restrict low, const float *restrict root, float *restrict kernel,
                                  size_t length, size_t width) {
  for (size_t lag = 0; lag < length; lag++) {
    float rest = (lag == 0 ? 1.0f : 0.0f) - low[lag];
    for (size_t c = 0; c < width; c++) kernel[lag * width + c] = low[lag] + root[c] * root[c] * rest;
  }
}

CLONES void h2rec_low_pass_kernel_backward(const float *restrict low, const float *restrict root,
                                           const float *restrict dkernel, float *restrict droot, size_t length,
                                           size_t width) {
  for (size_t lag = 0; lag < length; lag++) {
    float rest = (lag == 0 ? 1.0f : 0.0f) - low[lag];
    for (size_t c = 0; c < width; c++) droot[c] += 2.0f * root[c] * rest * dkernel[lag * width + c];
  }
}
