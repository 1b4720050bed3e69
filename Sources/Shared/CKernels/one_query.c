#include "one_query.h"
#include "head_rows.h"

#pragma clang fp reassociate(on) contract(fast)

// One query of a sequence, at its last position: it sees every key, whatever the mask.

/// p = softmax of the scores of the query with n keys.
INLINE void query_probabilities(float *p, const float *q, h2rec_rows k, size_t n, size_t width) {
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

/// The same with a bias by distance.
INLINE void biased_probabilities(float *p, const float *q, h2rec_rows k, head_rows at, size_t width,
                                 distance_line line) {
  float peak = -INFINITY, sum = 0;
  for (size_t j = 0; j < at.keys; j++) {
    const float *key = k.values + j * k.stride;
    float product = line.values[line.last - j];
    for (size_t c = 0; c < width; c++) product += q[c] * key[c];
    p[j] = product * at.scale;
    peak = p[j] > peak ? p[j] : peak;
  }
  for (size_t j = 0; j < at.keys; j++) {
    p[j] = fast_exp(p[j] - peak);
    sum += p[j];
  }
  for (size_t j = 0; j < at.keys; j++) p[j] /= sum;
}

/// Multiplies the probabilities of one query by their dropout mask; element (query, head, key position).
INLINE void drop_query(float *p, size_t n, size_t query, size_t head, const h2rec_attention_shape *shape) {
  if (!(shape->dropout.rate > 0)) return;
  uint32_t threshold = dropout_threshold(shape->dropout.rate);
  float keep = 1.0f / (1.0f - shape->dropout.rate);
  uint32_t place = (uint32_t)query * (uint32_t)shape->heads + (uint32_t)head;
  uint32_t key = mix_bits(place ^ shape->dropout.key);
  for (uint32_t j = 0; j < n; j++) p[j] *= mask_value(j, key, threshold, keep);
}

CLONES void h2rec_one_query(h2rec_attention_shape shape, h2rec_rows q, h2rec_rows k, h2rec_rows v,
                            h2rec_mutable_rows out, float *scratch) {
  size_t width = shape.head_width;
  for (size_t s = 0; s < shape.sequences; s++) {
    size_t first = shape.keys[s], row = shape.queries[s];
    for (size_t head = 0; head < shape.heads; head++) {
      size_t column = head * width;
      head_rows at = rows_at(&shape, s, head);
      float *p = scratch;
      distance_line line = line_of(&shape, at, &p);
      h2rec_rows keys = {k.values + first * k.stride + column, k.stride};
      float *y = out.values + row * out.stride + column;
      const float *query = q.values + row * q.stride + column;
      if (line.values == NULL) {
        query_probabilities(p, query, keys, at.keys, width);
      } else {
        biased_probabilities(p, query, keys, at, width, line);
      }
      drop_query(p, at.keys, row, head, &shape);
      for (size_t c = 0; c < width; c++) y[c] = 0;
      for (size_t j = 0; j < at.keys; j++) {
        const float *value = v.values + (first + j) * v.stride + column;
        for (size_t c = 0; c < width; c++) y[c] += p[j] * value[c];
      }
    }
  }
}

CLONES void h2rec_one_query_backward(h2rec_attention_shape shape, h2rec_rows q, h2rec_rows k, h2rec_rows v,
                                     h2rec_rows dout, h2rec_mutable_rows dq, h2rec_mutable_rows dk,
                                     h2rec_mutable_rows dv, float *dbias, float *scratch) {
  size_t width = shape.head_width;
  float scale = 1.0f / sqrtf((float)width);
  for (size_t s = 0; s < shape.sequences; s++) {
    size_t first = shape.keys[s], row = shape.queries[s];
    for (size_t head = 0; head < shape.heads; head++) {
      size_t column = head * width;
      head_rows at = rows_at(&shape, s, head);
      size_t n = at.keys;
      float *p = scratch;
      distance_line line = line_of(&shape, at, &p);
      float *d = p + n;
      h2rec_rows keys = {k.values + first * k.stride + column, k.stride};
      const float *query = q.values + row * q.stride + column, *dy = dout.values + row * dout.stride + column;
      float *query_gradient = dq.values + row * dq.stride + column, sum = 0;
      if (line.values == NULL) {
        query_probabilities(p, query, keys, n, width);
      } else {
        biased_probabilities(p, query, keys, at, width, line);
      }
      for (size_t j = 0; j < n; j++) {
        const float *value = v.values + (first + j) * v.stride + column;
        float product = 0;
        for (size_t c = 0; c < width; c++) product += dy[c] * value[c];
        d[j] = product;
      }
      drop_query(d, n, row, head, &shape);
      for (size_t j = 0; j < n; j++) sum += p[j] * d[j];
      for (size_t j = 0; j < n; j++) d[j] = p[j] * (d[j] - sum) * scale;
      drop_query(p, n, row, head, &shape);
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
      for (size_t j = 0; line.values != NULL && j < n; j++) line.gradient[line.last - j] += d[j];
      add_line_gradient(dbias, &shape, at, line);
    }
  }
}
