#pragma once

// The vectors of items and their gradients. An item has a row of its own in a table of `width` columns, or the mean of M of
// its rows: `codes` is null, or [items of the catalogue, M] rows of the table.

#include <stddef.h>
#include <stdint.h>

/// out[t] = the vector of items[t]; rows of out are `stride` floats apart.
void h2rec_gather_items(float *out, size_t stride, const float *table, size_t width, const uint32_t *codes,
                        size_t M, const uint32_t *items, size_t count);
/// gradient[r, c] += factor * factors[t] * x[t / per, c] for every row r of items[t] and at most 32 columns c from `first` on,
/// in the order of t; rows of x are `stride` floats apart, factors may be null for ones.
void h2rec_scatter_items(float *gradient, size_t width, const uint32_t *codes, size_t M,
                         const uint32_t *items, size_t count, const float *x, size_t stride, size_t per,
                         const float *factors, float factor, size_t first, size_t columns);
