#include "ckernels_rows.h"

#include "clones.h"

CLONES void h2rec_add_rows_double(const float *x, size_t rows, size_t columns, double *sum) {
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++) sum[j] += (double)x[i * columns + j];
}

CLONES void h2rec_subtract_from_rows(
    const float *x, const float *v, size_t rows, size_t columns, float *y) {
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++) y[i * columns + j] = x[i * columns + j] - v[j];
}
