#pragma once

// Sums and differences over the rows of a matrix.

#include <stddef.h>

/// sum[j] += x[i, j] over all rows i, in Double, row by row.
void h2rec_add_rows_double(const float *x, size_t rows, size_t columns, double *sum);

/// y[i, j] = x[i, j] - v[j]; y may be x.
void h2rec_subtract_from_rows(
    const float *x, const float *v, size_t rows, size_t columns, float *y);
