#pragma once

// The loops of losses that contrast all rows of one matrix with all rows of another: E[i, j] = exp(score of row i and row j), and
// its sums. `stride` floats lie between rows.

#include <stddef.h>
#include <stdint.h>

/// x = exp(factor * x - shift), in place, with arguments clamped to [-87, 88]; row_sums[rows] and column_sums[columns] are the
/// sums of the result.
void h2rec_exp_sums(float *x, size_t stride, float factor, float shift, size_t rows, size_t columns,
                    float *row_sums, float *column_sums);
/// x[i, j] *= row_factors[i] + column_factors[j].
void h2rec_scale_by_sums(float *x, size_t stride, const float *row_factors, const float *column_factors,
                         size_t rows, size_t columns);

/// For the entries p of row i of a square matrix, offsets[i] up to offsets[i + 1], with j = columns[p]: values[2 p] =
/// weights[p] * x[i, j] and values[2 p + 1] = weights[p] * x[j, i]; sums[2 i] and sums[2 i + 1] are what a row's values add up to.
void h2rec_entry_sums(const float *x, size_t stride, const ptrdiff_t *offsets, const ptrdiff_t *columns,
                      const float *weights, size_t rows, float *values, float *sums);
/// x[i, j] -= values[2 p] / sums[2 i] / (row_factors[i] + column_factors[j]), and x[j, i] likewise with the odd ones.
void h2rec_take_entries(float *x, size_t stride, const ptrdiff_t *offsets, const ptrdiff_t *columns,
                        size_t rows, const float *values, const float *sums, const float *row_factors,
                        const float *column_factors);

/// Divides row i of targets by sums[i]; masses[rows] and column_masses[columns] are the sums of the result, products[i] its
/// inner product with row i of scores.
void h2rec_soft_targets(float *targets, const float *scores, size_t stride, const float *sums, size_t rows,
                        size_t columns, float *masses, float *column_masses, float *products);
/// x[i, j] = x[i, j] * (row_factors[i] + column_factors[j]) - factor * targets[i, j].
void h2rec_soft_target_gradient(float *x, const float *targets, size_t stride, const float *row_factors,
                                const float *column_factors, float factor, size_t rows, size_t columns);
