#include "many_heads.h"

#pragma clang fp reassociate(on) contract(fast)

// Three ways. LANES heads of a sequence at a time where there are so many (many_heads.h); else one, LANES queries at a
// time, where its width is a multiple of LANES (one_head.h); else as here: q, k, v are copied to scratch memory, rows
// padded to a multiple of LANES, and four queries share each load.

size_t h2rec_attention_scratch(size_t longest, size_t heads, size_t head_width) {
  if (are_many(heads, head_width)) return many_heads_scratch(longest, head_width);
  if (is_whole(head_width)) return one_head_scratch(longest, head_width);
  size_t n = padded(longest), width = padded(head_width);
  return 8 * n * width + 2 * n * n;
}

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
INLINE void products(float *s, const float *a, const float *bt, size_t n, size_t rows, size_t width,
                     size_t wide, int causal) {
  for (size_t i = 0; i < n; i += 4) {
    size_t limit = causal ? (i + 4 < n ? i + 4 : n) : n;
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

/// out[i] (+)= sum over j in [low, high) of p(i, j) * b[j], p read with the given strides, four rows at a time.
INLINE void combine(float *out, size_t out_stride, size_t width, const float *p, size_t row_step,
                    size_t column_step, const float *b, size_t wide, size_t n, int causal, int transposed,
                    int add) {
  for (size_t i = 0; i < n; i += 4) {
    size_t low = causal && transposed ? i : 0;
    size_t high = causal && !transposed ? (i + 4 < n ? i + 4 : n) : n;
    size_t live = n - i < 4 ? n - i : 4;
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

INLINE uint32_t row_limit(size_t i, size_t n, int causal) { return (uint32_t)(causal ? i + 1 : n); }

/// Row-wise softmax of scale * s with zeros beyond each row's limit.
INLINE void probabilities(float *s, head_rows at, int causal) {
  for (size_t i = 0; i < at.n; i++) {
    softmax_row(s + i * at.rows, row_limit(i, at.n, causal), (uint32_t)at.rows, at.scale);
  }
}

INLINE void probabilities_backward(const float *p, float *d, head_rows at, int causal) {
  for (size_t i = 0; i < at.n; i++) {
    softmax_row_backward(p + i * at.rows, d + i * at.rows, row_limit(i, at.n, causal),
                         (uint32_t)at.rows, at.scale);
  }
}

/// Multiplies the probabilities of one head by their dropout mask; element (token, head, key position).
INLINE void drop(float *s, head_rows at, const h2rec_attention_shape *shape) {
  if (!(shape->dropout.rate > 0)) return;
  uint32_t threshold = dropout_threshold(shape->dropout.rate);
  float keep = 1.0f / (1.0f - shape->dropout.rate);
  for (size_t i = 0; i < at.n; i++) {
    uint32_t place = (uint32_t)(at.first + i) * (uint32_t)shape->heads + (uint32_t)at.head;
    uint32_t key = mix_bits(place ^ shape->dropout.key);
    float *row = s + i * at.rows;
    uint32_t full = (uint32_t)padded(row_limit(i, at.n, shape->causal));
    for (uint32_t j = 0; j < full; j += LANES)
      for (uint32_t l = 0; l < LANES; l++)
        row[j + l] = mix_bits((j + l) * 0x9E3779B9u + key) >= threshold ? row[j + l] * keep : 0;
  }
}

INLINE h2rec_rows head_of(h2rec_rows x, size_t first, size_t column) {
  return (h2rec_rows){.values = x.values + first * x.stride + column, .stride = x.stride};
}

INLINE h2rec_mutable_rows mutable_head_of(h2rec_mutable_rows x, size_t first, size_t column) {
  return (h2rec_mutable_rows){.values = x.values + first * x.stride + column, .stride = x.stride};
}

INLINE void any_attention(const h2rec_attention_shape *shape, head_rows at, h2rec_rows q, h2rec_rows k,
                          h2rec_rows v, h2rec_mutable_rows out, float *scratch) {
  size_t n = at.n, rows = at.rows, width = shape->head_width, wide = padded(width);
  float *qs = scratch, *ks = qs + rows * wide, *vs = ks + rows * wide, *kt = vs + rows * wide;
  float *p = kt + rows * wide;
  copy_in(qs, q, n, width, wide);
  copy_in(ks, k, n, width, wide);
  copy_in(vs, v, n, width, wide);
  transpose(kt, ks, n, width, wide, rows);
  products(p, qs, kt, n, rows, width, wide, shape->causal);
  probabilities(p, at, shape->causal);
  drop(p, at, shape);
  combine(out.values, out.stride, width, p, rows, 1, vs, wide, n, shape->causal, 0, 0);
}

INLINE void any_attention_backward(const h2rec_attention_shape *shape, head_rows at, h2rec_rows q,
                                   h2rec_rows k, h2rec_rows v, h2rec_rows dout, h2rec_mutable_rows dq,
                                   h2rec_mutable_rows dk, h2rec_mutable_rows dv, float *scratch) {
  size_t n = at.n, rows = at.rows, width = shape->head_width, wide = padded(width);
  float *qs = scratch, *ks = qs + rows * wide, *vs = ks + rows * wide, *gs = vs + rows * wide;
  float *kt = gs + rows * wide, *p = kt + rows * wide, *d = p + rows * rows;
  copy_in(qs, q, n, width, wide);
  copy_in(ks, k, n, width, wide);
  copy_in(vs, v, n, width, wide);
  copy_in(gs, dout, n, width, wide);
  transpose(kt, ks, n, width, wide, rows);
  products(p, qs, kt, n, rows, width, wide, shape->causal);
  probabilities(p, at, shape->causal);
  transpose(kt, vs, n, width, wide, rows);
  products(d, gs, kt, n, rows, width, wide, shape->causal);
  drop(d, at, shape);
  probabilities_backward(p, d, at, shape->causal);
  combine(dq.values, dq.stride, width, d, rows, 1, ks, wide, n, shape->causal, 0, 1);
  combine(dk.values, dk.stride, width, d, 1, rows, qs, wide, n, shape->causal, 1, 1);
  drop(p, at, shape);
  combine(dv.values, dv.stride, width, p, 1, rows, gs, wide, n, shape->causal, 1, 1);
}

CLONES void h2rec_attention(h2rec_attention_shape shape, h2rec_rows q, h2rec_rows k, h2rec_rows v,
                            h2rec_mutable_rows out, float *scratch) {
  size_t width = shape.head_width;
  int many = are_many(shape.heads, width);
  size_t step = many ? LANES : 1;
  for (size_t s = 0; s < shape.sequences; s++) {
    size_t first = shape.offsets[s], n = shape.offsets[s + 1] - first;
    for (size_t head = 0; head < shape.heads && n > 0; head += step) {
      head_rows at = {n, padded(n), first, head, 1.0f / sqrtf((float)width)};
      h2rec_rows a = head_of(q, first, head * width), b = head_of(k, first, head * width),
                 c = head_of(v, first, head * width);
      h2rec_mutable_rows y = mutable_head_of(out, first, head * width);
      if (many) {
        many_heads(&shape, at, a, b, c, y, scratch);
      } else if (is_whole(width)) {
        one_head(&shape, at, a, b, c, y, scratch);
      } else {
        any_attention(&shape, at, a, b, c, y, scratch);
      }
    }
  }
}

CLONES void h2rec_attention_backward(h2rec_attention_shape shape, h2rec_rows q, h2rec_rows k, h2rec_rows v,
                                     h2rec_rows dout, h2rec_mutable_rows dq, h2rec_mutable_rows dk,
                                     h2rec_mutable_rows dv, float *scratch) {
  size_t width = shape.head_width;
  int many = are_many(shape.heads, width);
  size_t step = many ? LANES : 1;
  for (size_t s = 0; s < shape.sequences; s++) {
    size_t first = shape.offsets[s], n = shape.offsets[s + 1] - first;
    for (size_t head = 0; head < shape.heads && n > 0; head += step) {
      head_rows at = {n, padded(n), first, head, 1.0f / sqrtf((float)width)};
      size_t column = head * width;
      h2rec_rows a = head_of(q, first, column), b = head_of(k, first, column),
                 c = head_of(v, first, column), g = head_of(dout, first, column);
      h2rec_mutable_rows da = mutable_head_of(dq, first, column), db = mutable_head_of(dk, first, column),
                         dc = mutable_head_of(dv, first, column);
      if (many) {
        many_heads_backward(&shape, at, a, b, c, g, da, db, dc, scratch);
      } else if (is_whole(width)) {
        one_head_backward(&shape, at, a, b, c, g, da, db, dc, scratch);
      } else {
        any_attention_backward(&shape, at, a, b, c, g, da, db, dc, scratch);
      }
    }
  }
}
