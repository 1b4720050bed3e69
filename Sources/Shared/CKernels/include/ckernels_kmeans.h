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

/// y[i] = the squared length of the difference between row i of x and of its bfloat16 form.
void h2rec_rounding_errors(
    const float *x, const uint16_t *rounded, size_t rows, size_t columns, float *y);

/// For each point, row i of x: where x[i] . centroids[j] + bias[j] exceeds best[i], over all columns j in order, sets
/// best[i] to it and index[i] to names[j]. Columns with a bias of -infinity never win. rival[i] becomes at least its old
/// value and all scores but that of index[i].
///
/// scores[i, j] + bias[j] is within margins[i] of that sum as it is computed here, so that only columns near the largest are
/// looked at; all of them where the margin is infinite or no number. `columns` is a multiple of 16.
void h2rec_keep_nearest(
    const float *x, size_t rows, size_t width, const float *centroids, const float *bias,
    size_t columns, const float *scores, const float *margins, const uint32_t *names, float *best,
    float *rival, uint32_t *index);

/// scores[i] = x[i] . centroids[j] + bias[j] as above, with j = index[i], for points whose moves[j] exceeds 0.
void h2rec_renew_scores(
    const float *x, size_t rows, size_t width, const float *centroids, const float *bias,
    const float *moves, const uint32_t *index, float *scores);

/// best[i] = min(best[i], squared distance of row i of x to the point c).
void h2rec_keep_smallest_distance(
    const float *x, const float *c, size_t rows, size_t columns, float *best);

/// sum[j] += x[members[i], j] over i in order, in Double.
void h2rec_add_member_rows(
    const float *x, const uint32_t *members, size_t count, size_t columns, double *sum);

/// x[i] -= table[index[i]] for each row i.
void h2rec_subtract_indexed_rows(
    float *x, const float *table, const uint32_t *index, size_t rows, size_t columns);
