#pragma once

#include "head_rows.h"

#pragma clang fp reassociate(on) contract(fast)

// One head of any width: queries, keys and values are copied to scratch memory, rows padded to a multiple of LANES, and four
// queries share each load.

/// Copies n rows of `width` floats to rows of `wide` floats, the rest zero; zero rows fill n up to a multiple of 4.
INLINE void copy_in(float *to, h2rec_rows from, size_t n, size_t width, size_t wide) {
  for (size_t i = 0; i < n; i++) {
    for (size_t c = 0; c < width; c++) to[i * wide + c] = from.values[i * from.stride + c];
    for (size_t c = width; c < wide; c++) to[i * wide + c] = 0;
  }
  for (size_t i = n * wide; i < (n + 3) / 4 * 4 * wide; i++) to[i] = 0;
}

INLINE void transpose(float *to, const float *from, size_t n, size_t width, size_t wide, size_t rows) {
  for (size_t c = 0; c < width; c++)
    for (size_t j = 0; j < rows; j++) to[c * rows + j] = j < n ? from[j * wide + c] : 0;
}

/// s[i][j] = <a[i], b[j]> with bt = b transposed, [width][rows]; only columns below the limit are computed.
INLINE void products(float *s, const float *a, const float *bt, head_rows at, size_t width, size_t wide) {
  size_t rows = at.rows;
  for (size_t i = 0; i < at.queries; i += 4) {
    size_t limit = key_limit(at, i + 4 < at.queries ? i + 3 : at.queries - 1);
    const float *a0 = a + i * wide, *a1 = a0 + wide, *a2 = a1 + wide, *a3 = a2 + wide;
    for (size_t j = 0; j < limit; j += LANES) {
      lanes s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (size_t c = 0; c < width; c++) {
        lanes b = load(bt + c * rows + j);
        s0 += a0[c] * b;
        s1 += a1[c] * b;
        s2 += a2[c] * b;
        s3 += a3[c] * b;
      }
      store(s + i * rows + j, s0);
      store(s + (i + 1) * rows + j, s1);
      store(s + (i + 2) * rows + j, s2);
      store(s + (i + 3) * rows + j, s3);
    }
  }
}

/// out[i] (+)= sum over j of p(i, j) * b[j] for the queries i and the keys j or, where `transposed`, the keys i and the queries
/// j that see one of them; four rows at a time.
INLINE void combine(float *out, size_t out_stride, size_t width, const float *p, const float *b, size_t wide,
                    head_rows at, int transposed, int add) {
  size_t n = transposed ? at.keys : at.queries;
  size_t row_step = transposed ? 1 : at.rows, column_step = transposed ? at.rows : 1;
  for (size_t i = 0; i < n; i += 4) {
    size_t live = n - i < 4 ? n - i : 4;
    size_t low = at.causal && transposed && (ptrdiff_t)i > at.position ? i - (size_t)at.position : 0;
    size_t high = transposed ? at.queries : key_limit(at, i + live - 1);
    for (size_t c = 0; c < width; c += LANES) {
      lanes acc[4] = {0, 0, 0, 0};
      const float *q = p + i * row_step;
      for (size_t j = low; j < high; j++) {
        lanes x = load(b + j * wide + c);
        acc[0] += q[j * column_step] * x;
        acc[1] += q[row_step + j * column_step] * x;
        acc[2] += q[2 * row_step + j * column_step] * x;
        acc[3] += q[3 * row_step + j * column_step] * x;
      }
      size_t count = width - c < LANES ? width - c : LANES;
      for (size_t r = 0; r < live; r++) {
        float *y = out + (i + r) * out_stride + c;
        if (count == LANES) {
          store(y, add ? load(y) + acc[r] : acc[r]);
        } else {
          for (size_t lane = 0; lane < count; lane++) y[lane] = (add ? y[lane] : 0) + acc[r][lane];
        }
      }
    }
  }
}

/// Softmax of scale * s over the first `limit` elements of a row; zeros up to `full`, a multiple of LANES.
INLINE void softmax_row(float *row, uint32_t limit, uint32_t full, float scale) {
  float peaks[LANES], sums[LANES], peak = row[0], sum = 0;
  for (uint32_t l = 0; l < LANES; l++) peaks[l] = peak, sums[l] = 0;
  for (uint32_t j = 0; j < full; j += LANES)
    for (uint32_t l = 0; l < LANES; l++) {
      float x = j + l < limit ? row[j + l] : peak;
      peaks[l] = x > peaks[l] ? x : peaks[l];
    }
  for (uint32_t l = 0; l < LANES; l++) peak = peaks[l] > peak ? peaks[l] : peak;
  for (uint32_t j = 0; j < full; j += LANES)
    for (uint32_t l = 0; l < LANES; l++) {
      float e = fast_exp(((j + l < limit ? row[j + l] : peak) - peak) * scale);
      row[j + l] = j + l < limit ? e : 0;
      sums[l] += row[j + l];
    }
  for (uint32_t l = 0; l < LANES; l++) sum += sums[l];
  float inverse = 1.0f / sum;
  for (uint32_t j = 0; j < full; j += LANES)
    for (uint32_t l = 0; l < LANES; l++) row[j + l] *= inverse;
}

/// Gradient of the scores from that of the probabilities p, in place; zeros from `limit` up to `full`.
INLINE void softmax_row_backward(const float *p, float *d, uint32_t limit, uint32_t full, float scale) {
  float products[LANES] = {0}, product = 0;
  for (uint32_t j = 0; j < full; j += LANES)
    for (uint32_t l = 0; l < LANES; l++) {
      d[j + l] = j + l < limit ? d[j + l] : 0;
      products[l] += p[j + l] * d[j + l];
    }
  for (uint32_t l = 0; l < LANES; l++) product += products[l];
  for (uint32_t j = 0; j < full; j += LANES)
    for (uint32_t l = 0; l < LANES; l++) d[j + l] = p[j + l] * (d[j + l] - product) * scale;
}

/// Row-wise softmax of scale * s with zeros beyond each row's limit.
INLINE void probabilities(float *s, head_rows at) {
  for (size_t i = 0; i < at.queries; i++)
    softmax_row(s + i * at.rows, (uint32_t)key_limit(at, i), (uint32_t)at.rows, at.scale);
}

INLINE void probabilities_backward(const float *p, float *d, head_rows at) {
  for (size_t i = 0; i < at.queries; i++)
    softmax_row_backward(p + i * at.rows, d + i * at.rows, (uint32_t)key_limit(at, i), (uint32_t)at.rows,
                         at.scale);
}

/// Adds the bias by distance to the scores.
INLINE void add_bias(float *s, head_rows at, distance_line line) {
  if (line.values == NULL) return;
  for (size_t i = 0; i < at.queries; i++)
    for (size_t j = 0; j < key_limit(at, i); j++) s[i * at.rows + j] += line.values[line.last + i - j];
}

/// Adds the gradients of the scores to that of the bias.
INLINE void add_bias_gradient(const float *d, head_rows at, distance_line line) {
  if (line.values == NULL) return;
  for (size_t i = 0; i < at.queries; i++)
    for (size_t j = 0; j < key_limit(at, i); j++) line.gradient[line.last + i - j] += d[i * at.rows + j];
}

/// Multiplies the probabilities of one head by their dropout mask; element (token, head, key position).
INLINE void drop(float *s, head_rows at, const h2rec_attention_shape *shape) {
  if (!(shape->dropout.rate > 0)) return;
  uint32_t threshold = dropout_threshold(shape->dropout.rate);
  float keep = 1.0f / (1.0f - shape->dropout.rate);
  for (size_t i = 0; i < at.queries; i++) {
    uint32_t place = (uint32_t)(at.first + i) * (uint32_t)shape->heads + (uint32_t)at.head;
    uint32_t key = mix_bits(place ^ shape->dropout.key);
    float *row = s + i * at.rows;
    uint32_t full = (uint32_t)padded((uint32_t)key_limit(at, i));
    for (uint32_t j = 0; j < full; j += LANES)
      for (uint32_t l = 0; l < LANES; l++)
        row[j + l] = mix_bits((j + l) * 0x9E3779B9u + key) >= threshold ? row[j + l] * keep : 0;
  }
}

INLINE size_t any_head_scratch(size_t queries, size_t keys, size_t width) {
  size_t asking = padded(queries), seen = padded(keys), wide = padded(width);
  return 2 * asking * wide + 3 * seen * wide + 2 * asking * seen;
}

INLINE void any_head(const h2rec_attention_shape *shape, head_rows at, h2rec_rows q, h2rec_rows k, h2rec_rows v,
                     h2rec_mutable_rows out, float *scratch) {
  size_t width = shape->head_width, wide = padded(width);
  distance_line line = line_of(shape, at, &scratch);
  float *qs = scratch, *ks = qs + padded(at.queries) * wide, *vs = ks + at.rows * wide, *kt = vs + at.rows * wide;
  float *p = kt + at.rows * wide;
  copy_in(qs, q, at.queries, width, wide);
  copy_in(ks, k, at.keys, width, wide);
  copy_in(vs, v, at.keys, width, wide);
  transpose(kt, ks, at.keys, width, wide, at.rows);
  products(p, qs, kt, at, width, wide);
  add_bias(p, at, line);
  probabilities(p, at);
  drop(p, at, shape);
  combine(out.values, out.stride, width, p, vs, wide, at, 0, 0);
}

INLINE void any_head_backward(const h2rec_attention_shape *shape, head_rows at, h2rec_rows q, h2rec_rows k,
                              h2rec_rows v, h2rec_rows dout, h2rec_mutable_rows dq, h2rec_mutable_rows dk,
                              h2rec_mutable_rows dv, float *dbias, float *scratch) {
  size_t width = shape->head_width, wide = padded(width), asking = padded(at.queries);
  distance_line line = line_of(shape, at, &scratch);
  float *qs = scratch, *gs = qs + asking * wide, *ks = gs + asking * wide, *vs = ks + at.rows * wide;
  float *kt = vs + at.rows * wide, *p = kt + at.rows * wide, *d = p + asking * at.rows;
  copy_in(qs, q, at.queries, width, wide);
  copy_in(ks, k, at.keys, width, wide);
  copy_in(vs, v, at.keys, width, wide);
  copy_in(gs, dout, at.queries, width, wide);
  transpose(kt, ks, at.keys, width, wide, at.rows);
  products(p, qs, kt, at, width, wide);
  add_bias(p, at, line);
  probabilities(p, at);
  transpose(kt, vs, at.keys, width, wide, at.rows);
  products(d, gs, kt, at, width, wide);
  drop(d, at, shape);
  probabilities_backward(p, d, at);
  add_bias_gradient(d, at, line);
  combine(dq.values, dq.stride, width, d, ks, wide, at, 0, 1);
  combine(dk.values, dk.stride, width, d, qs, wide, at, 1, 1);
  drop(p, at, shape);
  combine(dv.values, dv.stride, width, p, gs, wide, at, 1, 1);
  add_line_gradient(dbias, shape, at, line);
}
