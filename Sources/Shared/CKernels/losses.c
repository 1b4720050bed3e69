#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

CLONES void h2rec_exp_sums(float *restrict x, size_t stride, float factor, float shift, size_t rows,
                           size_t columns, float *restrict row_sums, float *restrict column_sums) {
  for (size_t i = 0; i < columns; i++) column_sums[i] = 0;
  for (size_t row = 0; row < rows; row++) {
    float *y = x + row * stride, sum = 0;
    for (size_t i = 0; i < columns; i++) {
      float value = fast_exp(factor * y[i] - shift);
      y[i] = value;
      sum += value;
      column_sums[i] += value;
    }
    row_sums[row] = sum;
  }
}

CLONES void h2rec_scale_by_sums(float *restrict x, size_t stride, const float *restrict row_factors,
                                const float *restrict column_factors, size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; row++)
    for (size_t i = 0; i < columns; i++) x[row * stride + i] *= row_factors[row] + column_factors[i];
}

void h2rec_entry_sums(const float *restrict x, size_t stride, const ptrdiff_t *restrict offsets,
                      const ptrdiff_t *restrict columns, const float *restrict weights, size_t rows,
                      float *restrict values, float *restrict sums) {
  for (size_t i = 0; i < rows; i++) {
    float forward = 0, reverse = 0;
    for (ptrdiff_t p = offsets[i]; p < offsets[i + 1]; p++) {
      size_t j = (size_t)columns[p];
      values[2 * p] = weights[p] * x[i * stride + j];
      values[2 * p + 1] = weights[p] * x[j * stride + i];
      forward += values[2 * p];
      reverse += values[2 * p + 1];
    }
    sums[2 * i] = forward;
    sums[2 * i + 1] = reverse;
  }
}

void h2rec_take_entries(float *restrict x, size_t stride, const ptrdiff_t *restrict offsets,
                        const ptrdiff_t *restrict columns, size_t rows, const float *restrict values, const float *restrict sums,
                        const float *restrict row_factors, const float *restrict column_factors) {
  for (size_t i = 0; i < rows; i++) {
    for (ptrdiff_t p = offsets[i]; p < offsets[i + 1]; p++) {
      size_t j = (size_t)columns[p];
      x[i * stride + j] -= values[2 * p] / (sums[2 * i] * (row_factors[i] + column_factors[j]));
      x[j * stride + i] -= values[2 * p + 1] / (sums[2 * i + 1] * (row_factors[j] + column_factors[i]));
    }
  }
}

CLONES void h2rec_soft_targets(float *restrict targets, const float *restrict scores, size_t stride,
                               const float *restrict sums, size_t rows, size_t columns,
                               float *restrict masses, float *restrict column_masses,
                               float *restrict products) {
  for (size_t i = 0; i < columns; i++) column_masses[i] = 0;
  for (size_t row = 0; row < rows; row++) {
    float *t = targets + row * stride, inverse = 1.0f / sums[row], mass = 0, product = 0;
    const float *s = scores + row * stride;
    for (size_t i = 0; i < columns; i++) {
      float share = t[i] * inverse;
      t[i] = share;
      column_masses[i] += share;
      mass += share;
      product += share * s[i];
    }
    masses[row] = mass;
    products[row] = product;
  }
}

CLONES void h2rec_soft_target_gradient(float *restrict x, const float *restrict targets, size_t stride,
                                       const float *restrict row_factors,
                                       const float *restrict column_factors, float factor, size_t rows,
                                       size_t columns) {
  for (size_t row = 0; row < rows; row++) {
    float *y = x + row * stride;
    const float *t = targets + row * stride;
    for (size_t i = 0; i < columns; i++)
      y[i] = y[i] * (row_factors[row] + column_factors[i]) - factor * t[i];
  }
}
