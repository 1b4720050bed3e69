#pragma once

// Small functions shared by the kernels, inlined so that each clone compiles them for its own processor.

#include "ckernels.h"
#include "clones.h"
#include <math.h>

#define INLINE static inline __attribute__((always_inline))

// e^x = 2^k e^r with a whole k and |r| <= log(2) / 2. Macros, because they serve floats and vectors of floats alike.

/// x / log(2) + 1.5 * 2^23, whose last bits are k.
#define exp_shifted(x) ((x) * 1.44269504f + 12582912.0f)
#define exp_k(shifted) ((shifted) - 12582912.0f)
#define exp_r(x, k) (((x) - (k) * 0.693359375f) + (k) * 2.12194440e-4f)
/// The bits of 2^k, from those of the shifted number.
#define exp_power(shifted_bits) (((shifted_bits) - 0x4B400000 + 127) << 23)
/// Replaces p by e^r.
#define exp_polynomial(p, r)       \
  p = 1.9875691500e-4f;            \
  p = p * (r) + 1.3981999507e-3f;  \
  p = p * (r) + 8.3334519073e-3f;  \
  p = p * (r) + 4.1665795894e-2f;  \
  p = p * (r) + 1.6666665459e-1f;  \
  p = p * (r) + 5.0000001201e-1f;  \
  p = p * (r) * (r) + (r) + 1.0f

/// e^x with a relative error below 3e-7; x is clamped to [-87, 88].
INLINE float fast_exp(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  union { float f; int32_t i; } shifted = {.f = exp_shifted(x)};
  float k = exp_k(shifted.f), r = exp_r(x, k), p;
  exp_polynomial(p, r);
  union { int32_t i; float f; } power = {.i = exp_power(shifted.i)};
  return p * power.f;
}

/// Mixes the bits of a 32-bit number or of every lane of a vector (the finaliser of a multiplicative hash): equal inputs
/// give equal bits everywhere.
#define mix_in_place(x) \
  x ^= x >> 16;         \
  x *= 0x7feb352du;     \
  x ^= x >> 15;         \
  x *= 0x846ca68bu;     \
  x ^= x >> 16

INLINE uint32_t mix_bits(uint32_t x) {
  mix_in_place(x);
  return x;
}

/// Element `index` of a dropout mask: 0 or 1 / (1 - rate).
INLINE float mask_value(uint32_t index, uint32_t key, uint32_t threshold, float keep) {
  return mix_bits(index * 0x9E3779B9u + key) >= threshold ? keep : 0.0f;
}

INLINE uint32_t dropout_threshold(float rate) { return (uint32_t)((double)rate * 4294967296.0); }
