#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

/// How many items ahead a row is asked for.
#define AHEAD 8
/// Columns at a time, in registers.
#define COLUMNS 32

/// y += factor * the sum of the rows of one item, `columns` of them.
INLINE void gather(float *restrict y, const float *restrict table, size_t width,
                   const uint32_t *restrict rows, size_t M, float factor, size_t columns) {
  float sum[COLUMNS] = {0};
  for (size_t m = 0; m < M; m++) {
    const float *row = table + (size_t)rows[m] * width;
    for (size_t i = 0; i < columns; i++) sum[i] += factor * row[i];
  }
  for (size_t i = 0; i < columns; i++) y[i] = sum[i];
}

CLONES void h2rec_gather_items(float *restrict out, size_t stride, const float *restrict table,
                               size_t width, const uint32_t *restrict codes, size_t M,
                               const uint32_t *restrict items, size_t count) {
  float factor = 1.0f / (float)M;
  for (size_t t = 0; t < count; t++) {
    const uint32_t *rows = codes ? codes + (size_t)items[t] * M : items + t;
    if (!codes && t + AHEAD < count) __builtin_prefetch(table + (size_t)items[t + AHEAD] * width);
    size_t column = 0;
    for (; column + COLUMNS <= width; column += COLUMNS)
      gather(out + t * stride + column, table + column, width, rows, M, factor, COLUMNS);
    if (column < width)
      gather(out + t * stride + column, table + column, width, rows, M, factor, width - column);
  }
}

/// Adds factor * x to the rows of one item, `columns` of them.
INLINE void scatter(float *restrict gradient, size_t width, const uint32_t *restrict rows, size_t M,
                    const float *restrict x, float factor, size_t columns) {
  float direction[COLUMNS];
  for (size_t i = 0; i < columns; i++) direction[i] = factor * x[i];
  for (size_t m = 0; m < M; m++) {
    float *row = gradient + (size_t)rows[m] * width;
    for (size_t i = 0; i < columns; i++) row[i] += direction[i];
  }
}

CLONES void h2rec_scatter_items(float *restrict gradient, size_t width, const uint32_t *restrict codes,
                                size_t M, const uint32_t *restrict items, size_t count,
                                const float *restrict x, size_t stride, size_t per,
                                const float *restrict factors, float factor, size_t first, size_t columns) {
  float *target = gradient + first;
  for (size_t t = 0, row = 0; t < count; row++) {
    for (size_t end = t + per < count ? t + per : count; t < end; t++) {
      const uint32_t *rows = codes ? codes + (size_t)items[t] * M : items + t;
      if (!codes && t + AHEAD < count) __builtin_prefetch(target + (size_t)items[t + AHEAD] * width, 1);
      float scale = factors ? factor * factors[t] : factor;
      const float *direction = x + row * stride + first;
      if (columns == COLUMNS)
        scatter(target, width, rows, M, direction, scale, COLUMNS);
      else
        scatter(target, width, rows, M, direction, scale, columns);
    }
  }
}
