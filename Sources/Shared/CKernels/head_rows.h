#pragma once

#include "lanes.h"

#pragma clang fp reassociate(on) contract(fast)

/// The scores of one head in one sequence: the last of its positions ask, all of them are keys.
typedef struct {
  size_t queries, keys;
  size_t rows;         ///< keys, rounded up to a multiple of LANES
  ptrdiff_t position;  ///< of the first query among the keys
  size_t first, head;  ///< the row of the first query, the first head
  float scale;
  int causal;
} head_rows;

INLINE head_rows rows_at(const h2rec_attention_shape *shape, size_t sequence, size_t head) {
  size_t first = shape->queries[sequence], queries = shape->queries[sequence + 1] - first;
  size_t keys = shape->keys[sequence + 1] - shape->keys[sequence];
  return (head_rows){
      .queries = queries,
      .keys = keys,
      .rows = padded(keys),
      .position = (ptrdiff_t)keys - (ptrdiff_t)queries,
      .first = first,
      .head = head,
      .scale = 1.0f / sqrtf((float)shape->head_width),
      .causal = shape->mask == h2rec_earlier_keys,
  };
}

/// How many keys a query sees.
INLINE size_t key_limit(head_rows at, size_t query) {
  return at.causal ? query + (size_t)at.position + 1 : at.keys;
}

// MARK: - Bias by distance

// Scores are multiplied by the scale as late as possible, so a bias is divided by it before it is added, and the gradient
// of a score before the scale is multiplied by its inverse.

/// The row of the bias for a key that is `distance` after its query.
INLINE size_t bias_row(const h2rec_attention_shape *shape, ptrdiff_t distance) {
  ptrdiff_t reach = (ptrdiff_t)shape->reach;
  distance = distance < -reach ? -reach : distance;
  return (size_t)((distance > reach ? reach : distance) + reach);
}

/// The bias of one head for all distances of a sequence: that of query i and key j is values[last + i - j], so that the
/// queries of a block have neighbours.
typedef struct {
  float *values, *gradient;
  size_t last;
} distance_line;

/// Floats of a line, and of its gradient.
INLINE size_t line_count(size_t queries, size_t keys) { return padded(queries + keys + LANES); }

/// Fills a line and clears its gradient, where there is a bias; takes the memory from the front of `scratch`.
INLINE distance_line line_of(const h2rec_attention_shape *shape, head_rows at, float **scratch) {
  if (shape->bias == NULL) return (distance_line){NULL, NULL, 0};
  size_t count = line_count(at.queries, at.keys);
  distance_line line = {*scratch, *scratch + count, at.keys - 1};
  *scratch += 2 * count;
  for (size_t t = 0; t < count; t++) {
    ptrdiff_t distance = (ptrdiff_t)at.queries - 1 - (ptrdiff_t)t;
    line.values[t] = shape->bias[bias_row(shape, distance) * shape->heads + at.head] / at.scale;
    line.gradient[t] = 0;
  }
  return line;
}

/// Adds the gradient of a line to that of the bias.
INLINE void add_line_gradient(float *dbias, const h2rec_attention_shape *shape, head_rows at, distance_line line) {
  if (line.values == NULL) return;
  for (size_t t = 0; t + 1 < at.queries + at.keys; t++) {
    ptrdiff_t distance = (ptrdiff_t)at.queries - 1 - (ptrdiff_t)t;
    dbias[bias_row(shape, distance) * shape->heads + at.head] += line.gradient[t] / at.scale;
  }
}
