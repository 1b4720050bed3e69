#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

/// Round to nearest even; NaN stays NaN.
INLINE uint16_t round_bf16(float x) {
  union { float f; uint32_t u; } bits = {.f = x};
  uint32_t rounded = bits.u + 0x7FFFu + ((bits.u >> 16) & 1u);
  uint32_t quiet = bits.u | 0x400000u;
  return (uint16_t)((x == x ? rounded : quiet) >> 16);
}

CLONES float h2rec_cross_entropy_row_bf16(float *restrict logits, uint16_t *restrict gradient,
                                          size_t count, size_t target, float weight) {
  float peak = logits[0], sum = 0, wanted = logits[target];
  for (size_t i = 1; i < count; i++) peak = logits[i] > peak ? logits[i] : peak;
  for (size_t i = 0; i < count; i++) {
    logits[i] = fast_exp(logits[i] - peak);
    sum += logits[i];
  }
  float factor = weight / sum;
  logits[target] -= sum;
  for (size_t i = 0; i < count; i++) gradient[i] = round_bf16(logits[i] * factor);
  return logf(sum) + peak - wanted;
}
