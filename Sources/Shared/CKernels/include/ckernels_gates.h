#pragma once

// Smooth activations, and gates: products of a matrix with an activation of another one.

#include "ckernels_engine.h"

/// z += bias, then y = z * Phi(z), Phi being the distribution function of the normal distribution (GELU); z is kept.
void h2rec_bias_gelu(float *z, const float *bias, float *y, size_t rows, size_t columns);
/// dz = dy * (Phi(z) + z * phi(z)), phi being the density; overwrites dz.
void h2rec_gelu_backward(const float *z, const float *dy, float *dz, size_t count);

/// y = x / (1 + e^-x) (SiLU).
void h2rec_silu(const float *x, float *y, size_t count);
/// dx += dy * the slope of SiLU at x.
void h2rec_silu_backward(const float *x, const float *dy, float *dx, size_t count);
/// y = 1 / (1 + e^-x).
void h2rec_sigmoid(const float *x, float *y, size_t count);
/// dx += dy * y * (1 - y).
void h2rec_sigmoid_backward(const float *y, const float *dy, float *dx, size_t count);
/// y = a * b, element by element.
void h2rec_multiply(const float *a, const float *b, float *y, size_t count);
/// y += a * b, element by element.
void h2rec_add_product(const float *a, const float *b, float *y, size_t count);
