#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

// One query of a sequence, after its last token: it sees every key, so causal or not is the same.

size_t h2rec_last_attention_scratch(size_t longest) { return 2 * longest; }

/// p = softmax of the scores of one query with n keys.
INLINE void last_probabilities(float *p, const float *q, h2rec_rows k, size_t n, size_t width) {
  float scale = 1.0f / sqrtf((float)width), peak = -INFINITY, sum = 0;
  for (size_t j = 0; j < n; j++) {
    const float *key = k.values + j * k.stride;
    float product = 0;
    for (size_t c = 0; c < width; c++) product += q[c] * key[c];
    p[j] = product * scale;
    peak = p[j] > peak ? p[j] : peak;
  }
  for (size_t j = 0; j < n; j++) {
    p[j] = fast_exp(p[j] - peak);
    sum += p[j];
  }
  for (size_t j = 0; j < n; j++) p[j] /= sum;
}

/// Multiplies the probabilities of one query by their dropout mask; element (query, head, key position).
INLINE void drop_last(float *p, size_t n, size_t query, size_t head, const h2rec_attention_shape *shape) {
  if (!(shape->dropout.rate > 0)) return;
  uint32_t threshold = dropout_threshold(shape->dropout.rate);
  float keep = 1.0f / (1.0f - shape->dropout.rate);
  uint32_t place = (uint32_t)query * (uint32_t)shape->heads + (uint32_t)head;
  uint32_t key = mix_bits(place ^ shape->dropout.key);
  for (uint32_t j = 0; j < n; j++) p[j] *= mask_value(j, key, threshold, keep);
}

CLONES void h2rec_last_attention(h2rec_attention_shape shape, h2rec_rows q, h2rec_rows k, h2rec_rows v,
                                 h2rec_mutable_rows out, float *scratch) {
  size_t width = shape.head_width;
  for (size_t s = 0; s < shape.sequences; s++) {
    size_t first = shape.offsets[s], n = shape.offsets[s + 1] - first;
    for (size_t head = 0; head < shape.heads; head++) {
      size_t column = head * width;
      h2rec_rows keys = {k.values + first * k.stride + column, k.stride};
      float *y = out.values + s * out.stride + column;
      last_probabilities(scratch, q.values + s * q.stride + column, keys, n, width);
      drop_last(scratch, n, s, head, &shape);
      for (size_t c = 0; c < width; c++) y[c] = 0;
      for (size_t j = 0; j < n; j++) {
        const float *value = v.values + (first + j) * v.stride + column;
        for (size_t c = 0; c < width; c++) y[c] += scratch[j] * value[c];
      }
    }
  }
}

CLONES void h2rec_last_attention_backward(h2rec_attention_shape shape, h2rec_rows q, h2rec_rows k,
                                          h2rec_rows v, h2rec_rows dout, h2rec_mutable_rows dq,
                                          h2rec_mutable_rows dk, h2rec_mutable_rows dv, float *scratch) {
  size_t width = shape.head_width;
  float scale = 1.0f / sqrtf((float)width);
  for (size_t s = 0; s < shape.sequences; s++) {
    size_t first = shape.offsets[s], n = shape.offsets[s + 1] - first;
    float *p = scratch, *d = scratch + n;
    for (size_t head = 0; head < shape.heads; head++) {
      size_t column = head * width;
      h2rec_rows keys = {k.values + first * k.stride + column, k.stride};
      const float *query = q.values + s * q.stride + column, *dy = dout.values + s * dout.stride + column;
      float *query_gradient = dq.values + s * dq.stride + column, sum = 0;
      last_probabilities(p, query, keys, n, width);
      for (size_t j = 0; j < n; j++) {
        const float *value = v.values + (first + j) * v.stride + column;
        float product = 0;
        for (size_t c = 0; c < width; c++) product += dy[c] * value[c];
        d[j] = product;
      }
      drop_last(d, n, s, head, &shape);
      for (size_t j = 0; j < n; j++) sum += p[j] * d[j];
      for (size_t j = 0; j < n; j++) d[j] = p[j] * (d[j] - sum) * scale;
      drop_last(p, n, s, head, &shape);
      for (size_t j = 0; j < n; j++) {
        const float *key = keys.values + j * k.stride;
        float *restrict key_gradient = dk.values + (first + j) * dk.stride + column;
        for (size_t c = 0; c < width; c++) key_gradient[c] += d[j] * query[c];
        for (size_t c = 0; c < width; c++) query_gradient[c] += d[j] * key[c];
      }
      for (size_t j = 0; j < n; j++) {
        float *restrict value_gradient = dv.values + (first + j) * dv.stride + column;
        for (size_t c = 0; c < width; c++) value_gradient[c] += p[j] * dy[c];
      }
    }
  }
}
