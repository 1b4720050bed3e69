#pragma once

// Filters along time: every channel of a sequence is convolved with a kernel of its own.

#include "ckernels_engine.h"

/// Convolutions of packed sequences, around a window of `length` positions. The queries of a sequence stand at the last of its positions.
typedef struct {
  const uint32_t *queries;  ///< [sequences + 1]: which rows of the output belong to each sequence
  const uint32_t *keys;     ///< [sequences + 1]: which rows of the input do; at most `length`, at least as many as queries
  size_t sequences;
  size_t length;  ///< rows of the kernel
  size_t width;   ///< channels
  h2rec_key_mask mask;
} h2rec_filter_shape;

/// y[i] = sum over the tokens j that i sees of kernel[(i - j) mod length] * x[j], channel by channel.
void h2rec_filter(h2rec_filter_shape shape, const float *x, const float *kernel, float *y);
/// Adds to dx and dkernel.
void h2rec_filter_backward(h2rec_filter_shape shape, const float *x, const float *kernel, const float *dy,
                           float *dx, float *dkernel);

/// kernel[lag, c] = low[lag] + root[c]^2 * ([lag = 0] - low[lag]): a low pass, and root^2 of what it takes away.
void h2rec_low_pass_kernel(const float *low, const float *root, float *kernel, size_t length, size_t width);
/// Adds to droot.
void h2rec_low_pass_kernel_backward(const float *low, const float *root, const float *dkernel, float *droot,
                                    size_t length, size_t width);
