#include "ckernels.h"

#include <string.h>

// Products of bfloat16 inputs with float sums, for processors with AVX512-BF16: the instruction multiplies pairs of
// neighbours along k and adds both products to a float. B is packed to panels, in which the pairs of 64 columns lie side by side, so
// that a block of 6 rows and 64 columns of C stays in registers while it goes along k; A is read where it lies.

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define INLINE TARGET static inline __attribute__((always_inline))
#define LANES 16
#define PANEL 64
#define ROWS 6
#define BLOCK_BYTES (256 << 10)

int h2rec_bf16_product_available(void) {
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw")
         && __builtin_cpu_supports("avx512vl");
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t padded(size_t n) { return (n + LANES - 1) / LANES * LANES; }

size_t h2rec_bf16_panel_pairs(size_t k, size_t n) { return (k + 1) / 2 * padded(n); }

// MARK: - Rounding

TARGET void h2rec_round_bf16(uint16_t *out, size_t out_stride, const float *x, size_t x_stride, size_t rows,
                             size_t columns) {
  for (size_t row = 0; row < rows; row++, out += out_stride, x += x_stride) {
    size_t i = 0;
    for (; i + 2 * LANES <= columns; i += 2 * LANES) {
      __m512bh halves = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + LANES), _mm512_loadu_ps(x + i));
      _mm512_storeu_si512(out + i, (__m512i)halves);
    }
    for (; i < columns; i += LANES) {
      __mmask16 mask = (__mmask16)(columns - i < LANES ? (1u << (columns - i)) - 1 : 0xFFFF);
      __m256bh halves = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x + i));
      _mm256_mask_storeu_epi16(out + i, mask, (__m256i)halves);
    }
  }
}

// MARK: - Packing

/// The first `count` of up to 16 halves, zeros behind them, each in the low half of a lane.
INLINE __m512i sixteen_halves(const uint16_t *x, size_t count) {
  __mmask16 mask = (__mmask16)(count < LANES ? (1u << count) - 1 : 0xFFFF);
  return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, x));
}

/// to[p][c] = (x[2p][c], x[2p + 1][c]) for the columns c, zeros up to `wide` of them.
TARGET static void interleave(uint32_t *to, size_t wide, const uint16_t *x, size_t stride, size_t k,
                              size_t columns) {
  for (size_t row = 0; row < k; row += 2, to += wide) {
    for (size_t c = 0; c < wide; c += LANES) {
      size_t count = c < columns ? columns - c : 0;
      const uint16_t *low = x + row * stride + c;
      __m512i pairs = sixteen_halves(low, count);
      if (row + 1 < k) {
        pairs = _mm512_or_si512(pairs, _mm512_slli_epi32(sixteen_halves(low + stride, count), 16));
      }
      _mm512_storeu_si512(to + c, pairs);
    }
  }
}

/// Sixteen rows of 16 numbers become columns.
INLINE void transpose_lanes(__m512i r[LANES]) {
  __m512i t[LANES];
  for (int i = 0; i < LANES; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < LANES; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xDD);
    t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xDD);
  }
  for (int i = 0; i < 8; i++) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xDD);
  }
}

/// to[p][c] = (x[c][2p], x[c][2p + 1]) for the rows c of x, zeros up to `wide` of them.
TARGET static void interleave_transposed(uint32_t *to, size_t wide, const uint16_t *x, size_t stride,
                                         size_t k, size_t rows) {
  for (size_t c = 0; c < wide; c += LANES) {
    for (size_t first = 0; first < k; first += 2 * LANES) {
      size_t count = least(2 * LANES, k - first);
      __mmask32 mask = (__mmask32)(count < 32 ? (1u << count) - 1 : 0xFFFFFFFF);
      __m512i block[LANES];
      for (size_t r = 0; r < LANES; r++) {
        block[r] = c + r < rows ? _mm512_maskz_loadu_epi16(mask, x + (c + r) * stride + first)
                                : _mm512_setzero_si512();
      }
      transpose_lanes(block);
      for (size_t p = 0; p < (count + 1) / 2; p++)
        _mm512_storeu_si512(to + (first / 2 + p) * wide + c, block[p]);
    }
  }
}

TARGET void h2rec_bf16_panels(uint32_t *panels, const uint16_t *b, size_t stride, int transposed,
                              size_t k, size_t n) {
  for (size_t c = 0; c < n; c += PANEL) {
    size_t columns = least(PANEL, n - c), wide = padded(columns);
    uint32_t *panel = panels + (k + 1) / 2 * c;
    if (transposed) {
      interleave_transposed(panel, wide, b + c * stride, stride, k, columns);
    } else {
      interleave(panel, wide, b + c, stride, k, columns);
    }
  }
}

TARGET void h2rec_bf16_pairs(uint32_t *pairs, const uint16_t *a, size_t stride, size_t k, size_t m) {
  interleave(pairs, padded(m), a, stride, k, m);
}

// MARK: - Products

/// The pairs of a block of rows of A: bytes from row to row, and from pair to pair.
typedef struct {
  const char *first;
  size_t row_step, pair_step;
  size_t pairs;
  /// Whether one number without a neighbour follows the pairs.
  int has_tail;
} row_pairs;

INLINE __m512bh pair_of(const char *place) {
  int32_t pair;
  memcpy(&pair, place, sizeof pair);
  return (__m512bh)_mm512_set1_epi32(pair);
}

INLINE __m512bh tail_of(const char *place) {
  uint16_t half;
  memcpy(&half, place, sizeof half);
  return (__m512bh)_mm512_set1_epi32(half);
}

/// One block of C; `rows` and `vectors` are constants wherever this is inlined. `mask` is that of the last vector.
INLINE void block_product(const int rows, const int vectors, row_pairs a, const uint32_t *panel, float *c,
                          size_t stride, __mmask16 mask, int adds) {
  __m512 sums[ROWS][PANEL / LANES];
  const size_t wide = (size_t)vectors * LANES;
  for (int i = 0; i < rows; i++)
    for (int v = 0; v < vectors; v++)
      sums[i][v] = adds ? _mm512_maskz_loadu_ps(v == vectors - 1 ? mask : 0xFFFF,
                                                c + (size_t)i * stride + (size_t)v * LANES)
                        : _mm512_setzero_ps();
  const char *place = a.first;
  for (size_t p = 0; p < a.pairs; p++, place += a.pair_step, panel += wide) {
    for (int i = 0; i < rows; i++) {
      __m512bh x = pair_of(place + (size_t)i * a.row_step);
      for (int v = 0; v < vectors; v++)
        sums[i][v] = _mm512_dpbf16_ps(sums[i][v], x, (__m512bh)_mm512_loadu_si512(panel + v * LANES));
    }
  }
  for (int i = 0; i < rows && a.has_tail; i++) {
    __m512bh x = tail_of(place + (size_t)i * a.row_step);
    for (int v = 0; v < vectors; v++)
      sums[i][v] = _mm512_dpbf16_ps(sums[i][v], x, (__m512bh)_mm512_loadu_si512(panel + v * LANES));
  }
  for (int i = 0; i < rows; i++)
    for (int v = 0; v < vectors; v++)
      _mm512_mask_storeu_ps(c + (size_t)i * stride + (size_t)v * LANES,
                            v == vectors - 1 ? mask : 0xFFFF, sums[i][v]);
}

/// All rows of C and up to 64 of its columns.
INLINE void panel_product(const int vectors, size_t m, row_pairs a, const uint32_t *panel, float *c,
                          size_t stride, __mmask16 mask, int adds) {
  size_t row = 0;
  for (; row + ROWS <= m; row += ROWS, a.first += ROWS * a.row_step)
    block_product(ROWS, vectors, a, panel, c + row * stride, stride, mask, adds);
  float *rest = c + row * stride;
  switch (m - row) {
    case 1: block_product(1, vectors, a, panel, rest, stride, mask, adds); break;
    case 2: block_product(2, vectors, a, panel, rest, stride, mask, adds); break;
    case 3: block_product(3, vectors, a, panel, rest, stride, mask, adds); break;
    case 4: block_product(4, vectors, a, panel, rest, stride, mask, adds); break;
    case 5: block_product(5, vectors, a, panel, rest, stride, mask, adds); break;
    default: break;
  }
}

/// A block of rows of C.
TARGET static void rows_product(size_t m, size_t n, size_t k, row_pairs a, const uint32_t *panels, int adds,
                                float *c, size_t stride) {
  for (size_t column = 0; column < n; column += PANEL) {
    size_t columns = least(PANEL, n - column);
    const uint32_t *panel = panels + (k + 1) / 2 * column;
    __mmask16 mask = (__mmask16)(columns % LANES ? (1u << columns % LANES) - 1 : 0xFFFF);
    float *out = c + column;
    switch (padded(columns) / LANES) {
      case 1: panel_product(1, m, a, panel, out, stride, mask, adds); break;
      case 2: panel_product(2, m, a, panel, out, stride, mask, adds); break;
      case 3: panel_product(3, m, a, panel, out, stride, mask, adds); break;
      default: panel_product(4, m, a, panel, out, stride, mask, adds); break;
    }
  }
}

/// Goes along A in blocks of rows that stay in the second-level cache.
static void product(size_t m, size_t n, size_t k, row_pairs a, const uint32_t *panels, int adds, float *c,
                    size_t stride) {
  size_t most = least(m, (BLOCK_BYTES / (2 * k + 2) / ROWS + 1) * ROWS);
  for (size_t row = 0; row < m; row += most, a.first += most * a.row_step)
    rows_product(least(most, m - row), n, k, a, panels, adds, c + row * stride, stride);
}

void h2rec_bf16_product(size_t m, size_t n, size_t k, const uint16_t *a, size_t a_stride,
                        const uint32_t *panels, int adds, float *c, size_t c_stride) {
  row_pairs rows = {(const char *)a, 2 * a_stride, 4, k / 2, (int)(k % 2)};
  product(m, n, k, rows, panels, adds, c, c_stride);
}

void h2rec_bf16_product_of_pairs(size_t m, size_t n, size_t k, const uint32_t *pairs,
                                 const uint32_t *panels, int adds, float *c, size_t c_stride) {
  row_pairs rows = {(const char *)pairs, 4, 4 * padded(m), (k + 1) / 2, 0};
  product(m, n, k, rows, panels, adds, c, c_stride);
}

#else

int h2rec_bf16_product_available(void) { return 0; }
void h2rec_round_bf16(uint16_t *out, size_t out_stride, const float *x, size_t x_stride, size_t rows,
                      size_t columns) {}
size_t h2rec_bf16_panel_pairs(size_t k, size_t n) { return 0; }
void h2rec_bf16_panels(uint32_t *panels, const uint16_t *b, size_t stride, int transposed, size_t k,
                       size_t n) {}
void h2rec_bf16_pairs(uint32_t *pairs, const uint16_t *a, size_t stride, size_t k, size_t m) {}
void h2rec_bf16_product(size_t m, size_t n, size_t k, const uint16_t *a, size_t a_stride,
                        const uint32_t *panels, int adds, float *c, size_t c_stride) {}
void h2rec_bf16_product_of_pairs(size_t m, size_t n, size_t k, const uint32_t *pairs,
                                 const uint32_t *panels, int adds, float *c, size_t c_stride) {}

#endif
