#pragma once

// Pieces of k-means and of residual quantisation.

#include <stddef.h>
#include <stdint.h>

/// y[i] = the squared length of row i of x.
void h2rec_squared_lengths(const float *x, size_t rows, size_t columns, float *y);

/// For each row i: over all columns j in order, where scores[i, j] + bias[j] exceeds best[i], sets best[i] to it
/// and index[i] to first + j. Among equals the smallest column wins.
void h2rec_keep_largest(
    const float *scores, const float *bias, size_t rows, size_t columns, uint32_t first,
    float *best, uint32_t *index);

/// best[i] = min(best[i], squared distance of row i of x to the point c).
void h2rec_keep_smallest_distance(
    const float *x, const float *c, size_t rows, size_t columns, float *best);

/// sum[j] += x[members[i], j] over i in order, in Double.
void h2rec_add_member_rows(
    const float *x, const uint32_t *members, size_t count, size_t columns, double *sum);

/// x[i] -= table[index[i]] for each row i.
void h2rec_subtract_indexed_rows(
    float *x, const float *table, const uint32_t *index, size_t rows, size_t columns);
