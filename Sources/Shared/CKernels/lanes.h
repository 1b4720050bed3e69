#pragma once

// Vectors of LANES numbers.

#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

#define LANES 16
typedef float lanes __attribute__((ext_vector_type(LANES), aligned(4)));

INLINE size_t padded(size_t n) { return (n + LANES - 1) / LANES * LANES; }
INLINE int is_whole(size_t n) { return n % LANES == 0; }

typedef float half_lanes __attribute__((ext_vector_type(8), aligned(4)));
typedef float quarter_lanes __attribute__((ext_vector_type(4), aligned(4)));

// Macros, because a function that takes or returns `lanes` would have another ABI in each clone.
#define load(p) (*(const lanes *)(p))
#define store(p, x) (*(lanes *)(p) = (x))

typedef int32_t ints __attribute__((ext_vector_type(LANES), aligned(4)));
typedef uint32_t words __attribute__((ext_vector_type(LANES), aligned(4)));
static const ints lane_numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// fast_exp of every lane.
INLINE void exp_lanes(lanes *x) {
  lanes low = -87.0f, high = 88.0f, y = *x < low ? low : *x;
  y = y > high ? high : y;
  lanes shifted = exp_shifted(y), k = exp_k(shifted), r = exp_r(y, k), p;
  exp_polynomial(p, r);
  *x = p * (lanes)exp_power((ints)shifted);
}

/// mix_bits of every lane.
INLINE void mix_lanes(words *x) {
  words y = *x;
  mix_in_place(y);
  *x = y;
}

// Halves and quarters of two vectors in turn, for transposing.
#define low_pairs(a, b) \
  __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define high_pairs(a, b) \
  __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define low_halves(a, b) \
  __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define high_halves(a, b) \
  __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define even_quarters(a, b) \
  __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
#define odd_quarters(a, b) \
  __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)

/// to[column][row] (+)= from[row][column] of 16 x 16 numbers; steps between rows in floats. Where there are fewer rows,
/// the last one stands for the others.
INLINE void transpose_block(float *to, size_t to_step, const float *from, size_t step, size_t rows, int add) {
  lanes u[LANES];
  for (size_t r = 0; r < LANES; r += 4) {
#define row_at(r) load(from + ((r) < rows ? (r) : rows - 1) * step)
    lanes a = row_at(r), b = row_at(r + 1), c = row_at(r + 2), d = row_at(r + 3);
    lanes ab = low_pairs(a, b), cd = low_pairs(c, d), ef = high_pairs(a, b), gh = high_pairs(c, d);
    u[r] = low_halves(ab, cd);
    u[r + 1] = high_halves(ab, cd);
    u[r + 2] = low_halves(ef, gh);
    u[r + 3] = high_halves(ef, gh);
  }
  for (size_t m = 0; m < 4; m++) {
    lanes a = even_quarters(u[m], u[m + 4]), b = odd_quarters(u[m], u[m + 4]);
    lanes c = even_quarters(u[m + 8], u[m + 12]), d = odd_quarters(u[m + 8], u[m + 12]);
    float *y0 = to + m * to_step, *y1 = y0 + 4 * to_step, *y2 = y1 + 4 * to_step, *y3 = y2 + 4 * to_step;
    store(y0, add ? load(y0) + even_quarters(a, c) : even_quarters(a, c));
    store(y1, add ? load(y1) + even_quarters(b, d) : even_quarters(b, d));
    store(y2, add ? load(y2) + odd_quarters(a, c) : odd_quarters(a, c));
    store(y3, add ? load(y3) + odd_quarters(b, d) : odd_quarters(b, d));
  }
}
