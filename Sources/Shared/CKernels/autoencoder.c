#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

CLONES double h2rec_squared_error(const float *restrict y, const float *restrict target,
                                  float *restrict dy, float factor, size_t count) {
  double total = 0;
  for (size_t first = 0; first < count; first += 1024) {
    size_t end = first + 1024 < count ? first + 1024 : count;
    float sum = 0;
    for (size_t i = first; i < end; i++) {
      float difference = y[i] - target[i];
      sum += difference * difference;
      dy[i] += factor * difference;
    }
    total += sum;
  }
  return total;
}

CLONES double h2rec_take_codes(float *restrict rest, float *restrict drift,
                               const float *restrict codebook, const uint32_t *restrict index,
                               float *restrict sums, size_t T, size_t D) {
  double total = 0;
  for (size_t t = 0; t < T; t++) {
    float *row = rest + t * D, *left = drift + t * D, *sum = sums + (size_t)index[t] * D;
    const float *code = codebook + (size_t)index[t] * D;
    float squares = 0;
    for (size_t i = 0; i < D; i++) {
      float value = row[i] - code[i];
      row[i] = value;
      left[i] += value;
      sum[i] += value;
      squares += value * value;
    }
    total += squares;
  }
  return total;
}

CLONES void h2rec_rotate_back(const float *restrict z, const float *restrict q,
                              const float *restrict dq, float *restrict dz, size_t T, size_t D) {
  for (size_t t = 0; t < T; t++) {
    const float *a = z + t * D, *b = q + t * D, *g = dq + t * D;
    float *d = dz + t * D;
    float aa = 0, bb = 0, ab = 0, ag = 0, bg = 0;
    for (size_t i = 0; i < D; i++) {
      aa += a[i] * a[i];
      bb += b[i] * b[i];
      ab += a[i] * b[i];
      ag += a[i] * g[i];
      bg += b[i] * g[i];
    }
    float lengths = sqrtf(aa) * sqrtf(bb), middle = lengths + ab;
    if (!(aa > 1e-24f && bb > 1e-24f && middle > 1e-6f * lengths)) {
      for (size_t i = 0; i < D; i++) d[i] += g[i];
      continue;
    }
    // With unit vectors a and b and s = (a + b) / |a + b|: R' g = g - 2 s (s'g) + 2 a (b'g), |a + b|^2 = 2 + 2 a'b.
    float ra = 1 / sqrtf(aa), rb = 1 / sqrtf(bb), scale = sqrtf(bb) * ra;
    float across = (ra * ag + rb * bg) / (1 + ab * ra * rb);
    float along_a = ra * (2 * rb * bg - across), along_b = -rb * across;
    for (size_t i = 0; i < D; i++) d[i] += scale * (g[i] + along_a * a[i] + along_b * b[i]);
  }
}
