#pragma once

// Pieces of the training of a residual-quantised autoencoder. One-letter dimensions: T rows, D width.

#include <stddef.h>
#include <stdint.h>

/// dy += factor * (y - target); returns the sum of the squared differences.
double h2rec_squared_error(
    const float *y, const float *target, float *dy, float factor, size_t count);

/// Takes a code vector from each row: rest[t] -= codebook[index[t]]. What is left is added to drift[t] and to
/// sums[index[t]], in the order of the rows; returns the sum of its squares.
double h2rec_take_codes(
    float *rest, float *drift, const float *codebook, const uint32_t *index, float *sums, size_t T,
    size_t D);

/// dz[t] += |q| / |z| * R' dq[t], R the rotation in the plane of z[t] and q[t] that turns z[t] towards q[t]; where
/// one of them or their middle has no direction, dz[t] += dq[t].
void h2rec_rotate_back(
    const float *z, const float *q, const float *dq, float *dz, size_t T, size_t D);
