#pragma once

#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

#define LANES 16
typedef float lanes __attribute__((ext_vector_type(LANES), aligned(4)));

INLINE size_t padded(size_t n) { return (n + LANES - 1) / LANES * LANES; }

// Macros, because a function that takes or returns `lanes` would have another ABI in each clone.
#define load(p) (*(const lanes *)(p))
#define store(p, x) (*(lanes *)(p) = (x))

/// The rows of one head's probabilities: which elements count, and their dropout.
typedef struct {
  size_t n, rows, first, head;
  float scale;
} head_rows;

// Sequences of at most LANES tokens, most of them in practice: queries, keys and values are read where they lie, and the
// scores of one key with all queries are one vector, p[key][query], so that sums over the keys need no shuffles. Head
// widths are multiples of LANES here; others take the general path.

typedef int32_t ints __attribute__((ext_vector_type(LANES), aligned(4)));
typedef uint32_t words __attribute__((ext_vector_type(LANES), aligned(4)));
static const ints lane_numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// -1 in the lanes of the queries that see a key, else 0.
#define seen_by(key, n, causal) \
  ((lane_numbers < (int32_t)(n)) & (lane_numbers >= ((causal) ? (int32_t)(key) : 0)))

/// fast_exp of every lane.
INLINE void exp_lanes(lanes *x) {
  lanes low = -87.0f, high = 88.0f, y = *x < low ? low : *x;
  y = y > high ? high : y;
  lanes shifted = exp_shifted(y), k = exp_k(shifted), r = exp_r(y, k), p;
  exp_polynomial(p, r);
  *x = p * (lanes)exp_power((ints)shifted);
}

/// mix_bits of every lane.
INLINE void mix_lanes(words *x) {
  words y = *x;
  mix_in_place(y);
  *x = y;
}

/// p[j][i] = <a[i], b[j]> for the queries i that see the key j; other lanes are left as they are.
INLINE void short_products(float *p, h2rec_rows a, h2rec_rows b, size_t n, size_t width, int causal) {
  for (size_t j = 0; j < n; j++) {
    const float *y = b.values + j * b.stride;
    for (size_t i = causal ? j : 0; i < n; i++) {
      const float *x = a.values + i * a.stride;
      lanes products = load(x) * load(y);
      for (size_t c = LANES; c < width; c += LANES) products += load(x + c) * load(y + c);
      float sum = 0;
      for (size_t l = 0; l < LANES; l++) sum += products[l];
      p[j * LANES + i] = sum;
    }
  }
}

/// Softmax of scale * p over the keys that a query sees; zeros for the others.
INLINE void short_softmax(float *p, size_t n, float scale, int causal) {
  lanes zero = 0, peak = seen_by(0, n, 0) ? load(p) : zero, sum = 0;
  for (size_t j = 1; j < n; j++) {
    lanes x = load(p + j * LANES);
    peak = (seen_by(j, n, causal) & (x > peak)) ? x : peak;
  }
  for (size_t j = 0; j < n; j++) {
    lanes e = ((seen_by(j, n, causal) ? load(p + j * LANES) : peak) - peak) * scale;
    exp_lanes(&e);
    e = seen_by(j, n, causal) ? e : zero;
    sum += e;
    store(p + j * LANES, e);
  }
  lanes inverse = seen_by(0, n, 0) ? 1.0f / sum : zero;
  for (size_t j = 0; j < n; j++) store(p + j * LANES, load(p + j * LANES) * inverse);
}

/// Gradient of the scores from that of the probabilities p, in place.
INLINE void short_softmax_backward(const float *p, float *d, size_t n, float scale, int causal) {
  lanes zero = 0, sum = 0;
  for (size_t j = 0; j < n; j++) {
    lanes x = seen_by(j, n, causal) ? load(d + j * LANES) : zero;
    store(d + j * LANES, x);
    sum += x * load(p + j * LANES);
  }
  for (size_t j = 0; j < n; j++)
    store(d + j * LANES, load(p + j * LANES) * (load(d + j * LANES) - sum) * scale);
}

/// The same mask as `drop`.
INLINE void short_drop(float *p, head_rows at, const h2rec_attention_shape *shape) {
  if (!(shape->dropout.rate > 0)) return;
  lanes zero = 0;
  words threshold = dropout_threshold(shape->dropout.rate);
  float keep = 1.0f / (1.0f - shape->dropout.rate);
  words keys = ((words)lane_numbers + (uint32_t)at.first) * (uint32_t)shape->heads + (uint32_t)at.head;
  keys ^= shape->dropout.key;
  mix_lanes(&keys);
  for (size_t j = 0; j < at.n; j++) {
    words bits = keys + (uint32_t)j * 0x9E3779B9u;
    mix_lanes(&bits);
    store(p + j * LANES, bits >= threshold ? load(p + j * LANES) * keep : zero);
  }
}

/// out[i] (+)= sum over the keys j that i sees of p[j][i] * b[j].
INLINE void short_combine(h2rec_mutable_rows out, const float *p, h2rec_rows b, size_t n, size_t width,
                          int causal, int add) {
  for (size_t i = 0; i < n; i++) {
    size_t limit = causal ? i + 1 : n;
    for (size_t c = 0; c < width; c += LANES) {
      float *y = out.values + i * out.stride + c;
      lanes sum = add ? load(y) : 0;
      for (size_t j = 0; j < limit; j++) sum += p[j * LANES + i] * load(b.values + j * b.stride + c);
      store(y, sum);
    }
  }
}

/// out[j] += sum over the queries i that see j of p[j][i] * b[i].
INLINE void short_combine_transposed(h2rec_mutable_rows out, const float *p, h2rec_rows b, size_t n,
                                     size_t width, int causal) {
  for (size_t j = 0; j < n; j++) {
    for (size_t c = 0; c < width; c += LANES) {
      float *y = out.values + j * out.stride + c;
      lanes sum = load(y);
      for (size_t i = causal ? j : 0; i < n; i++)
        sum += p[j * LANES + i] * load(b.values + i * b.stride + c);
      store(y, sum);
    }
  }
}

INLINE void short_attention(const h2rec_attention_shape *shape, head_rows at, h2rec_rows q, h2rec_rows k,
                            h2rec_rows v, h2rec_mutable_rows out) {
  float p[LANES * LANES];
  size_t width = shape->head_width;
  short_products(p, q, k, at.n, width, shape->causal);
  short_softmax(p, at.n, at.scale, shape->causal);
  short_drop(p, at, shape);
  short_combine(out, p, v, at.n, width, shape->causal, 0);
}

INLINE void short_attention_backward(const h2rec_attention_shape *shape, head_rows at, h2rec_rows q,
                                     h2rec_rows k, h2rec_rows v, h2rec_rows dout, h2rec_mutable_rows dq,
                                     h2rec_mutable_rows dk, h2rec_mutable_rows dv) {
  float p[LANES * LANES], d[LANES * LANES];
  size_t width = shape->head_width;
  short_products(p, q, k, at.n, width, shape->causal);
  short_softmax(p, at.n, at.scale, shape->causal);
  short_products(d, dout, v, at.n, width, shape->causal);
  short_drop(d, at, shape);
  short_softmax_backward(p, d, at.n, at.scale, shape->causal);
  short_drop(p, at, shape);
  short_combine(dq, d, k, at.n, width, shape->causal, 1);
  short_combine_transposed(dk, d, q, at.n, width, shape->causal);
  short_combine_transposed(dv, p, dout, at.n, width, shape->causal);
}
