#pragma once

#include "one_head.h"

#pragma clang fp reassociate(on) contract(fast)

// LANES heads at a time, one in each lane: rows of queries, keys and values, [head][column], are transposed to
// [column][head], and then every sum over columns or over keys is free of shuffles and every lane is at work, however
// short the sequence is. QUERIES queries share each load of a key or value.

#define QUERIES 4

/// Whether all heads can be taken LANES at a time.
INLINE int are_many(size_t heads, size_t width) { return heads % LANES == 0 && is_whole(width); }

INLINE size_t many_heads_scratch(size_t longest, size_t width) {
  size_t keys = longest + longest % 2;
  return LANES * (4 * keys * width + 3 * QUERIES * width + 2 * QUERIES * keys);
}

/// to[column] = column of the heads' rows; `from` is one token's.
INLINE void heads_to_lanes(lanes *to, const float *from, size_t width) {
  for (size_t c = 0; c < width; c += LANES) transpose_block((float *)(to + c), LANES, from + c, width, LANES, 0);
}

/// The inverse of `heads_to_lanes`; adds where `add` says so.
INLINE void lanes_to_heads(float *to, const lanes *from, size_t width, int add) {
  for (size_t c = 0; c < width; c += LANES)
    transpose_block(to + c, width, (const float *)(from + c), LANES, LANES, add);
}

/// s[j][r] = <q[r], k[j]> for the keys j < count, and for one more where that is odd.
INLINE void many_products(lanes *s, const lanes *q, const lanes *k, size_t count, size_t width) {
  for (size_t j = 0; j < count; j += 2) {
    lanes sums[2][QUERIES] = {{0}};
    const lanes *k0 = k + j * width, *k1 = k0 + width;
    for (size_t c = 0; c < width; c++)
      for (size_t r = 0; r < QUERIES; r++) {
        sums[0][r] += q[r * width + c] * k0[c];
        sums[1][r] += q[r * width + c] * k1[c];
      }
    for (size_t r = 0; r < QUERIES; r++) {
      s[j * QUERIES + r] = sums[0][r];
      s[(j + 1) * QUERIES + r] = sums[1][r];
    }
  }
}

/// out[r][c] = sum over the keys j < count of p[j][r] * v[j][c].
INLINE void many_combine(lanes *out, const lanes *p, const lanes *v, size_t count, size_t width) {
  for (size_t c = 0; c < width; c += 4) {
    lanes sums[QUERIES][4] = {{0}};
    for (size_t j = 0; j < count; j++)
      for (size_t r = 0; r < QUERIES; r++)
        for (size_t l = 0; l < 4; l++) sums[r][l] += p[j * QUERIES + r] * v[j * width + c + l];
    for (size_t r = 0; r < QUERIES; r++)
      for (size_t l = 0; l < 4; l++) out[r * width + c + l] = sums[r][l];
  }
}

/// out[j][c] += sum over the queries r of p[j][r] * q[r][c], for the keys j < count.
INLINE void many_combine_transposed(lanes *out, const lanes *p, const lanes *q, size_t count, size_t width) {
  for (size_t c = 0; c < width; c += 4) {
    lanes x[QUERIES][4];
    for (size_t r = 0; r < QUERIES; r++) {
      const lanes *row = q + r * width + c;
      x[r][0] = row[0], x[r][1] = row[1], x[r][2] = row[2], x[r][3] = row[3];
    }
    for (size_t j = 0; j < count; j++)
      for (size_t l = 0; l < 4; l++) {
        lanes sum = out[j * width + c + l];
        for (size_t r = 0; r < QUERIES; r++) sum += p[j * QUERIES + r] * x[r][l];
        out[j * width + c + l] = sum;
      }
  }
}

/// Softmax of scale * s over the first `limit` keys of a query, zeros up to `count`.
INLINE void many_softmax(lanes *s, size_t limit, size_t count, float scale) {
  lanes peak = s[0], sum = 0, zero = 0;
  for (size_t j = 1; j < limit; j++) peak = s[j * QUERIES] > peak ? s[j * QUERIES] : peak;
  for (size_t j = 0; j < limit; j++) {
    lanes e = (s[j * QUERIES] - peak) * scale;
    exp_lanes(&e);
    sum += e;
    s[j * QUERIES] = e;
  }
  lanes inverse = 1.0f / sum;
  for (size_t j = 0; j < limit; j++) s[j * QUERIES] *= inverse;
  for (size_t j = limit; j < count; j++) s[j * QUERIES] = zero;
}

/// Gradient of the scores from that of the probabilities p, in place.
INLINE void many_softmax_backward(const lanes *p, lanes *d, size_t limit, size_t count, float scale) {
  lanes sum = 0, zero = 0;
  for (size_t j = 0; j < limit; j++) sum += p[j * QUERIES] * d[j * QUERIES];
  for (size_t j = 0; j < limit; j++) d[j * QUERIES] = p[j * QUERIES] * (d[j * QUERIES] - sum) * scale;
  for (size_t j = limit; j < count; j++) d[j * QUERIES] = zero;
}

/// The same mask as `drop`, for one query.
INLINE void many_drop(lanes *p, size_t query, size_t limit, head_rows at, const h2rec_attention_shape *shape) {
  if (!(shape->dropout.rate > 0)) return;
  lanes zero = 0;
  words threshold = dropout_threshold(shape->dropout.rate);
  float keep = 1.0f / (1.0f - shape->dropout.rate);
  words keys = (words)lane_numbers + ((uint32_t)(at.first + query) * (uint32_t)shape->heads + (uint32_t)at.head);
  keys ^= shape->dropout.key;
  mix_lanes(&keys);
  for (size_t j = 0; j < limit; j++) {
    words bits = keys + (uint32_t)j * 0x9E3779B9u;
    mix_lanes(&bits);
    p[j * QUERIES] = bits >= threshold ? p[j * QUERIES] * keep : zero;
  }
}

/// Where a group of queries stands.
typedef struct {
  size_t first, live, count;  ///< the first query, how many there are, how many keys one of them sees
} query_group;

INLINE query_group group_at(size_t first, head_rows at) {
  size_t live = at.queries - first < QUERIES ? at.queries - first : QUERIES;
  return (query_group){first, live, key_limit(at, first + live - 1)};
}

/// The rows of a group, zeros for those beyond the sequence.
INLINE void group_to_lanes(lanes *to, h2rec_rows from, query_group group, size_t width) {
  for (size_t r = 0; r < group.live; r++)
    heads_to_lanes(to + r * width, from.values + (group.first + r) * from.stride, width);
  for (size_t i = group.live * width; i < QUERIES * width; i++) to[i] = 0;
}

/// How many keys query r of a group sees; none if it is beyond the sequence.
INLINE size_t query_limit(query_group group, size_t r, head_rows at) {
  return r < group.live ? key_limit(at, group.first + r) : 0;
}

/// The distance of the first key from a query of a group.
INLINE ptrdiff_t first_distance(query_group group, size_t r, head_rows at) {
  return -(at.position + (ptrdiff_t)(group.first + r));
}

/// Adds the bias by distance to the scores of a query with the first `limit` keys, the first at `distance`.
INLINE void many_add_bias(lanes *s, size_t limit, ptrdiff_t distance, head_rows at, const h2rec_attention_shape *shape) {
  if (shape->bias == NULL) return;
  for (size_t j = 0; j < limit; j++, distance++)
    s[j * QUERIES] += load(shape->bias + bias_row(shape, distance) * shape->heads + at.head) / at.scale;
}

/// Adds the gradients of the scores to that of the bias.
INLINE void many_add_bias_gradient(float *dbias, const lanes *d, size_t limit, ptrdiff_t distance, head_rows at,
                                   const h2rec_attention_shape *shape) {
  if (shape->bias == NULL) return;
  for (size_t j = 0; j < limit; j++, distance++) {
    float *place = dbias + bias_row(shape, distance) * shape->heads + at.head;
    store(place, load(place) + d[j * QUERIES] / at.scale);
  }
}

INLINE void many_heads(const h2rec_attention_shape *shape, head_rows at, h2rec_rows q, h2rec_rows k,
                       h2rec_rows v, h2rec_mutable_rows out, float *scratch) {
  size_t n = at.keys, width = shape->head_width, keys = n + n % 2;
  lanes *ks = (lanes *)scratch, *vs = ks + keys * width, *qs = vs + keys * width, *os = qs + QUERIES * width;
  lanes *p = os + QUERIES * width;
  for (size_t j = 0; j < n; j++) {
    heads_to_lanes(ks + j * width, k.values + j * k.stride, width);
    heads_to_lanes(vs + j * width, v.values + j * v.stride, width);
  }
  for (size_t i = 0; i < at.queries; i += QUERIES) {
    query_group group = group_at(i, at);
    group_to_lanes(qs, q, group, width);
    many_products(p, qs, ks, group.count, width);
    for (size_t r = 0; r < QUERIES; r++) {
      size_t limit = query_limit(group, r, at);
      many_add_bias(p + r, limit, first_distance(group, r, at), at, shape);
      many_softmax(p + r, limit, group.count, at.scale);
      many_drop(p + r, i + r, limit, at, shape);
    }
    many_combine(os, p, vs, group.count, width);
    for (size_t r = 0; r < group.live; r++)
      lanes_to_heads(out.values + (i + r) * out.stride, os + r * width, width, 0);
  }
}

INLINE void many_heads_backward(const h2rec_attention_shape *shape, head_rows at, h2rec_rows q, h2rec_rows k,
                                h2rec_rows v, h2rec_rows dout, h2rec_mutable_rows dq, h2rec_mutable_rows dk,
                                h2rec_mutable_rows dv, float *dbias, float *scratch) {
  size_t n = at.keys, width = shape->head_width, keys = n + n % 2;
  lanes *ks = (lanes *)scratch, *vs = ks + keys * width, *dks = vs + keys * width, *dvs = dks + keys * width;
  lanes *qs = dvs + keys * width, *gs = qs + QUERIES * width, *os = gs + QUERIES * width;
  lanes *p = os + QUERIES * width, *d = p + QUERIES * keys;
  for (size_t j = 0; j < n; j++) {
    heads_to_lanes(ks + j * width, k.values + j * k.stride, width);
    heads_to_lanes(vs + j * width, v.values + j * v.stride, width);
  }
  for (size_t j = 0; j < 2 * keys * width; j++) dks[j] = 0;
  for (size_t i = 0; i < at.queries; i += QUERIES) {
    query_group group = group_at(i, at);
    group_to_lanes(qs, q, group, width);
    group_to_lanes(gs, dout, group, width);
    many_products(p, qs, ks, group.count, width);
    many_products(d, gs, vs, group.count, width);
    for (size_t r = 0; r < QUERIES; r++) {
      size_t limit = query_limit(group, r, at);
      many_add_bias(p + r, limit, first_distance(group, r, at), at, shape);
      many_softmax(p + r, limit, group.count, at.scale);
      many_drop(d + r, i + r, limit, at, shape);
      many_softmax_backward(p + r, d + r, limit, group.count, at.scale);
      many_add_bias_gradient(dbias, d + r, limit, first_distance(group, r, at), at, shape);
      many_drop(p + r, i + r, limit, at, shape);
    }
    many_combine(os, d, ks, group.count, width);
    for (size_t r = 0; r < group.live; r++)
      lanes_to_heads(dq.values + (i + r) * dq.stride, os + r * width, width, 1);
    many_combine_transposed(dks, d, qs, group.count, width);
    many_combine_transposed(dvs, p, gs, group.count, width);
  }
  for (size_t j = 0; j < n; j++) {
    lanes_to_heads(dk.values + j * dk.stride, dks + j * width, width, 1);
    lanes_to_heads(dv.values + j * dv.stride, dvs + j * width, width, 1);
  }
}
