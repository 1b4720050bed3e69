#pragma once

#include <stddef.h>

/// average = values + share * (average - values).
void h2rec_blend(float *average, const float *values, float share, size_t count);
/// Exchanges two vectors.
void h2rec_exchange(float *x, float *y, size_t count);
