#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

// One head of one sequence at a time, in scratch memory that stays in the first-level caches: q, k, v are
// copied to rows padded to a multiple of LANES, scores never leave the scratch. Four queries share each load.

#define LANES 16
typedef float lanes __attribute__((ext_vector_type(LANES), aligned(4)));

INLINE size_t padded(size_t n) { return (n + LANES - 1) / LANES * LANES; }

// Macros, because a function that takes or returns `lanes` would have another ABI in each clone.
#define load(p) (*(const lanes *)(p))
#define store(p, x) (*(lanes *)(p) = (x))

size_t h2rec_attention_scratch(size_t longest, size_t head_width) {
  size_t n = padded(longest), width = padded(head_width);
  return 8 * n * width + 2 * n * n;
}

/// Copies n rows of `width` floats to rows of `wide` floats, the rest zero; n is filled up to `rows` with zeros.
INLINE void copy_in(float *to, const float *from, size_t stride, size_t n, size_t rows, size_t width,
                    size_t wide) {
  for (size_t i = 0; i < n; i++) {
    for (size_t c = 0; c < width; c++) to[i * wide + c] = from[i * stride + c];
    for (size_t c = width; c < wide; c++) to[i * wide + c] = 0;
  }
  for (size_t i = n * wide; i < rows * wide; i++) to[i] = 0;
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

/// Row-wise softmax of scale * s with zeros beyond each row's limit and in the rows beyond n.
INLINE void probabilities(float *s, size_t n, size_t rows, float scale, int causal) {
  for (size_t i = 0; i < n; i++) {
    float *row = s + i * rows;
    size_t limit = causal ? i + 1 : n;
    float peak = row[0], sum = 0;
    for (size_t j = 1; j < limit; j++) peak = row[j] > peak ? row[j] : peak;
    for (size_t j = 0; j < limit; j++) {
      float e = fast_exp((row[j] - peak) * scale);
      row[j] = e;
      sum += e;
    }
    float inverse = 1.0f / sum;
    for (size_t j = 0; j < limit; j++) row[j] *= inverse;
    for (size_t j = limit; j < rows; j++) row[j] = 0;
  }
  for (size_t i = n * rows; i < rows * rows; i++) s[i] = 0;
}

/// Multiplies the probabilities of one head by their dropout mask; element (token, head, key position).
INLINE void drop(float *s, size_t n, size_t rows, size_t first, size_t head, size_t heads, int causal,
                 h2rec_dropout dropout) {
  uint32_t threshold = dropout_threshold(dropout.rate);
  float keep = 1.0f / (1.0f - dropout.rate);
  for (size_t i = 0; i < n; i++) {
    uint32_t place = (uint32_t)(first + i) * (uint32_t)heads + (uint32_t)head;
    uint32_t key = mix_bits(place ^ dropout.key);
    uint32_t limit = (uint32_t)(causal ? i + 1 : n);
    for (uint32_t j = 0; j < limit; j++) s[i * rows + j] *= mask_value(j, key, threshold, keep);
  }
}

CLONES void h2rec_attention(h2rec_attention_shape shape, h2rec_rows q, h2rec_rows k, h2rec_rows v,
                            h2rec_mutable_rows out, float *scratch) {
  size_t width = shape.head_width, wide = padded(width);
  float scale = 1.0f / sqrtf((float)width);
  for (size_t s = 0; s < shape.sequences; s++) {
    size_t first = shape.offsets[s], n = shape.offsets[s + 1] - first, rows = padded(n);
    float *qs = scratch, *ks = qs + rows * wide, *vs = ks + rows * wide, *kt = vs + rows * wide;
    float *p = kt + rows * wide;
    for (size_t head = 0; head < shape.heads && n > 0; head++) {
      size_t start = head * width;
      copy_in(qs, q.values + first * q.stride + start, q.stride, n, rows, width, wide);
      copy_in(ks, k.values + first * k.stride + start, k.stride, n, rows, width, wide);
      copy_in(vs, v.values + first * v.stride + start, v.stride, n, rows, width, wide);
      transpose(kt, ks, n, width, wide, rows);
      products(p, qs, kt, n, rows, width, wide, shape.causal);
      probabilities(p, n, rows, scale, shape.causal);
      if (shape.dropout.rate > 0)
        drop(p, n, rows, first, head, shape.heads, shape.causal, shape.dropout);
      combine(out.values + first * out.stride + start, out.stride, width, p, rows, 1, vs, wide, n,
              shape.causal, 0, 0);
    }
  }
}

CLONES void h2rec_attention_backward(h2rec_attention_shape shape, h2rec_rows q, h2rec_rows k, h2rec_rows v,
                                     h2rec_rows dout, h2rec_mutable_rows dq, h2rec_mutable_rows dk,
                                     h2rec_mutable_rows dv, float *scratch) {
  size_t width = shape.head_width, wide = padded(width);
  float scale = 1.0f / sqrtf((float)width);
  for (size_t s = 0; s < shape.sequences; s++) {
    size_t first = shape.offsets[s], n = shape.offsets[s + 1] - first, rows = padded(n);
    float *qs = scratch, *ks = qs + rows * wide, *vs = ks + rows * wide, *gs = vs + rows * wide;
    float *kt = gs + rows * wide, *p = kt + rows * wide, *d = p + rows * rows;
    for (size_t head = 0; head < shape.heads && n > 0; head++) {
      size_t start = head * width;
      copy_in(qs, q.values + first * q.stride + start, q.stride, n, rows, width, wide);
      copy_in(ks, k.values + first * k.stride + start, k.stride, n, rows, width, wide);
      copy_in(vs, v.values + first * v.stride + start, v.stride, n, rows, width, wide);
      copy_in(gs, dout.values + first * dout.stride + start, dout.stride, n, rows, width, wide);
      transpose(kt, ks, n, width, wide, rows);
      products(p, qs, kt, n, rows, width, wide, shape.causal);
      probabilities(p, n, rows, scale, shape.causal);
      // d = gradient of the dropped probabilities; then of the scores.
      transpose(kt, vs, n, width, wide, rows);
      products(d, gs, kt, n, rows, width, wide, shape.causal);
      if (shape.dropout.rate > 0)
        drop(d, n, rows, first, head, shape.heads, shape.causal, shape.dropout);
      for (size_t i = 0; i < rows; i++) {
        size_t limit = i < n ? (shape.causal ? i + 1 : n) : 0;
        float *pi = p + i * rows, *di = d + i * rows, product = 0;
        for (size_t j = 0; j < limit; j++) product += pi[j] * di[j];
        for (size_t j = 0; j < limit; j++) di[j] = pi[j] * (di[j] - product) * scale;
        for (size_t j = limit; j < rows; j++) di[j] = 0;
      }
      combine(dq.values + first * dq.stride + start, dq.stride, width, d, rows, 1, ks, wide, n,
              shape.causal, 0, 1);
      combine(dk.values + first * dk.stride + start, dk.stride, width, d, 1, rows, qs, wide, n,
              shape.causal, 1, 1);
      if (shape.dropout.rate > 0)
        drop(p, n, rows, first, head, shape.heads, shape.causal, shape.dropout);
      combine(dv.values + first * dv.stride + start, dv.stride, width, p, 1, rows, gs, wide, n,
              shape.causal, 1, 1);
    }
  }
}
