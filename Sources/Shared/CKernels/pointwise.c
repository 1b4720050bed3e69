#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

// d width of a head; a query at `position` of its sequence sees the keys before `end`.

INLINE float product_of(const float *restrict a, const float *restrict b, size_t d) {
  float sum = 0;
  for (size_t c = 0; c < d; c++) sum += a[c] * b[c];
  return sum;
}

INLINE void add_to(float *restrict y, const float *restrict x, float factor, size_t d) {
  for (size_t c = 0; c < d; c++) y[c] += factor * x[c];
}

/// The row of the bias for a key that is `key - position` after the query.
INLINE size_t bias_row(size_t reach, size_t position, size_t key) {
  if (key >= position) return reach + (key - position < reach ? key - position : reach);
  return reach - (position - key < reach ? position - key : reach);
}

INLINE size_t end_of(h2rec_attention_shape shape, size_t position, size_t keys) {
  return shape.mask == h2rec_earlier_keys ? position + 1 : keys;
}

CLONES void h2rec_pointwise_attention(h2rec_attention_shape shape, float divisor, h2rec_rows q, h2rec_rows k,
                                      h2rec_rows v, h2rec_mutable_rows out) {
  size_t d = shape.head_width, heads = shape.heads;
  for (size_t s = 0; s < shape.sequences; s++) {
    size_t first = shape.keys[s], keys = shape.keys[s + 1] - first;
    size_t queries = shape.queries[s + 1] - shape.queries[s];
    for (size_t row = 0; row < queries; row++) {
      size_t position = keys - queries + row, end = end_of(shape, position, keys), query = shape.queries[s] + row;
      for (size_t h = 0; h < heads; h++) {
        const float *a = q.values + query * q.stride + h * d;
        float *y = out.values + query * out.stride + h * d;
        for (size_t c = 0; c < d; c++) y[c] = 0;
        for (size_t key = 0; key < end; key++) {
          float score = product_of(a, k.values + (first + key) * k.stride + h * d, d);
          if (shape.bias) score += shape.bias[bias_row(shape.reach, position, key) * heads + h];
          float weight = score / (1.0f + fast_exp(-score)) / divisor;
          add_to(y, v.values + (first + key) * v.stride + h * d, weight, d);
        }
      }
    }
  }
}

CLONES void h2rec_pointwise_attention_backward(h2rec_attention_shape shape, float divisor, h2rec_rows q,
                                               h2rec_rows k, h2rec_rows v, h2rec_rows dout, h2rec_mutable_rows dq,
                                               h2rec_mutable_rows dk, h2rec_mutable_rows dv, float *dbias) {
  size_t d = shape.head_width, heads = shape.heads;
  for (size_t s = 0; s < shape.sequences; s++) {
    size_t first = shape.keys[s], keys = shape.keys[s + 1] - first;
    size_t queries = shape.queries[s + 1] - shape.queries[s];
    for (size_t row = 0; row < queries; row++) {
      size_t position = keys - queries + row, end = end_of(shape, position, keys), query = shape.queries[s] + row;
      for (size_t h = 0; h < heads; h++) {
        const float *a = q.values + query * q.stride + h * d, *g = dout.values + query * dout.stride + h * d;
        float *da = dq.values + query * dq.stride + h * d;
        for (size_t key = 0; key < end; key++) {
          size_t token = first + key, place = 0;
          const float *b = k.values + token * k.stride + h * d;
          float score = product_of(a, b, d);
          if (shape.bias) {
            place = bias_row(shape.reach, position, key) * heads + h;
            score += shape.bias[place];
          }
          float share = 1.0f / (1.0f + fast_exp(-score));
          add_to(dv.values + token * dv.stride + h * d, g, score * share / divisor, d);
          float slope = product_of(g, v.values + token * v.stride + h * d, d) / divisor * share *
                        (1.0f + score * (1.0f - share));
          add_to(da, b, slope, d);
          add_to(dk.values + token * dk.stride + h * d, a, slope, d);
          if (shape.bias) dbias[place] += slope;
        }
      }
    }
  }
}
