#include "inline.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#pragma clang fp reassociate(on) contract(fast)

/// Round to nearest even; NaN stays NaN.
INLINE uint16_t round_bf16(float x) {
  union { float f; uint32_t u; } bits = {.f = x};
  uint32_t rounded = bits.u + 0x7FFFu + ((bits.u >> 16) & 1u);
  uint32_t quiet = bits.u | 0x400000u;
  return (uint16_t)((x == x ? rounded : quiet) >> 16);
}

CLONES static void round_rows(uint16_t *restrict out, size_t out_stride, const float *restrict x,
                              size_t x_stride, size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; row++)
    for (size_t i = 0; i < columns; i++) out[row * out_stride + i] = round_bf16(x[row * x_stride + i]);
}

#if defined(__x86_64__)
/// The same by the processor's own instruction, which makes zeros of numbers below 2^-126.
__attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16"))) static void round_rows_natively(
    uint16_t *out, size_t out_stride, const float *x, size_t x_stride, size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; row++, out += out_stride, x += x_stride) {
    size_t i = 0;
    for (; i + 32 <= columns; i += 32) {
      __m512bh halves = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(x + i));
      _mm512_storeu_si512(out + i, (__m512i)halves);
    }
    for (; i < columns; i += 16) {
      __mmask16 mask = (__mmask16)(columns - i < 16 ? (1u << (columns - i)) - 1 : 0xFFFF);
      __m256bh halves = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x + i));
      _mm256_mask_storeu_epi16(out + i, mask, (__m256i)halves);
    }
  }
}
#endif

void h2rec_round_bf16(uint16_t *out, size_t out_stride, const float *x, size_t x_stride, size_t rows,
                      size_t columns) {
#if defined(__x86_64__)
  if (h2rec_bf16_product_available()) {
    round_rows_natively(out, out_stride, x, x_stride, rows, columns);
    return;
  }
#endif
  round_rows(out, out_stride, x, x_stride, rows, columns);
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
