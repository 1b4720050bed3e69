#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

CLONES float h2rec_dot(const float *x, const float *y, size_t count) {
  float total = 0;
  for (size_t i = 0; i < count; i++) total += x[i] * y[i];
  return total;
}

CLONES void h2rec_add_scaled(float *restrict y, const float *restrict x, float factor, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += factor * x[i];
}

CLONES void h2rec_scale(float *restrict y, const float *restrict x, float factor, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = factor * x[i];
}

CLONES void h2rec_column_sums(float *restrict sums, const float *restrict x, size_t rows, size_t columns) {
  size_t row = 0;
  for (; row + 4 <= rows; row += 4) {
    const float *a = x + row * columns, *b = a + columns, *c = b + columns, *d = c + columns;
    for (size_t i = 0; i < columns; i++) sums[i] += (a[i] + b[i]) + (c[i] + d[i]);
  }
  for (; row < rows; row++)
    for (size_t i = 0; i < columns; i++) sums[i] += x[row * columns + i];
}

CLONES void h2rec_add_bias(float *restrict x, const float *restrict bias, size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; row++)
    for (size_t i = 0; i < columns; i++) x[row * columns + i] += bias[i];
}

CLONES double h2rec_sum_of_squares(const float *x, size_t count) {
  double total = 0;
  for (size_t i = 0; i < count; i++) total += (double)x[i] * x[i];
  return total;
}
