#pragma once

#include "head_rows.h"

#pragma clang fp reassociate(on) contract(fast)

// One head of a sequence, up to LANES queries at a time: their scores with one key are one vector, p[key][query], so
// that softmax and sums over keys need no shuffles. Queries, keys and values are read where they lie. Head widths are
// multiples of LANES here; others take the general path.

/// Up to LANES queries of a head: the first, its position among the keys (where only earlier ones are seen), how many
/// there are, how many keys one of them sees, whether only earlier ones.
typedef struct {
  size_t first, position, live, count;
  int causal;
} query_block;

INLINE query_block block_at(size_t first, head_rows at) {
  size_t live = at.queries - first < LANES ? at.queries - first : LANES;
  size_t position = at.causal ? first + (size_t)at.position : 0;
  return (query_block){first, position, live, at.causal ? position + live : at.keys, at.causal};
}

/// -1 in the lanes of the queries that see a key, else 0.
#define seen_by(key, block)                    \
  ((lane_numbers < (int32_t)(block).live) &    \
   (lane_numbers >= ((block).causal ? (int32_t)(key) - (int32_t)(block).position : 0)))

/// So many queries at most are not worth a transposition.
#define FEW 10

/// Floats of a block's scores with n keys, rounded up to a multiple of 4 keys.
INLINE size_t score_count(size_t n) { return (n + 3) / 4 * 4 * LANES; }

INLINE size_t one_head_scratch(size_t longest, size_t width) { return LANES * width + 2 * score_count(longest); }

#define pair_sums(a, b) (low_pairs(a, b) + high_pairs(a, b))
#define half_sums(a, b) (low_halves(a, b) + high_halves(a, b))

/// The sums of the lanes of four vectors.
INLINE void store_sums(float *to, const lanes *x) {
  lanes quarters = half_sums(pair_sums(x[0], x[1]), pair_sums(x[2], x[3]));
  half_lanes halves = quarters.lo + quarters.hi;
  *(quarter_lanes *)to = halves.lo + halves.hi;
}

/// p[j][i] = <a[i], b[j]> for the queries i that see the key j, of two keys and four queries at a time: the last four,
/// those before them, and the first four, some of them perhaps once more. Other lanes have no meaning.
INLINE void products_of_few(float *p, h2rec_rows a, h2rec_rows b, query_block block, size_t width) {
  size_t last = block.live - 1, step1 = last > 0 ? a.stride : 0;
  size_t step2 = last > 1 ? 2 * a.stride : step1, step3 = last > 2 ? 3 * a.stride : step2;
  for (size_t j = 0; j < block.count; j += 2) {
    const float *y0 = b.values + j * b.stride, *y1 = y0 + (j + 1 < block.count ? b.stride : 0);
    size_t low = block.causal && j > block.position ? j - block.position : 0;
    for (size_t end = block.live; end > low; end = end > 4 ? end - 4 : 0) {
      size_t i = end > 4 ? end - 4 : 0;
      const float *x = a.values + i * a.stride;
      lanes s[4] = {0, 0, 0, 0}, t[4] = {0, 0, 0, 0};
      for (size_t c = 0; c < width; c += LANES) {
        lanes queries[4] = {load(x + c), load(x + step1 + c), load(x + step2 + c), load(x + step3 + c)};
        for (size_t r = 0; r < 4; r++) {
          s[r] += queries[r] * load(y0 + c);
          t[r] += queries[r] * load(y1 + c);
        }
      }
      store_sums(p + j * LANES + i, s);
      store_sums(p + (j + 1) * LANES + i, t);
    }
  }
}

/// The same from transposed queries: columns[c][i].
INLINE void products_of_many(float *p, const lanes *columns, h2rec_rows b, query_block block, size_t width) {
  for (size_t j = 0; j < block.count; j += 4) {
    size_t last = block.count - 1 - j;
    const float *y = b.values + j * b.stride;
    const float *y1 = y + (last > 0 ? b.stride : 0), *y2 = y + (last > 1 ? 2 * b.stride : 0);
    const float *y3 = y + (last > 2 ? 3 * b.stride : 0);
    lanes s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (size_t c = 0; c < width; c++) {
      lanes x = columns[c];
      s0 += x * y[c];
      s1 += x * y1[c];
      s2 += x * y2[c];
      s3 += x * y3[c];
    }
    store(p + j * LANES, s0);
    store(p + (j + 1) * LANES, s1);
    store(p + (j + 2) * LANES, s2);
    store(p + (j + 3) * LANES, s3);
  }
}

/// The same; `columns` is scratch memory.
INLINE void block_products(float *p, h2rec_rows a, h2rec_rows b, query_block block, size_t width, lanes *columns) {
  if (block.live <= FEW) {
    products_of_few(p, a, b, block, width);
  } else {
    for (size_t c = 0; c < width; c += LANES)
      transpose_block((float *)(columns + c), LANES, a.values + c, a.stride, block.live, 0);
    products_of_many(p, columns, b, block, width);
  }
}

/// Softmax of scale * p over the keys that a query sees; zeros for the others.
INLINE void block_softmax(float *p, query_block block, float scale) {
  lanes zero = 0, peak = seen_by(0, block) ? load(p) : zero, sum = 0;
  for (size_t j = 1; j < block.count; j++) {
    lanes x = load(p + j * LANES);
    peak = (seen_by(j, block) & (x > peak)) ? x : peak;
  }
  for (size_t j = 0; j < block.count; j++) {
    lanes e = ((seen_by(j, block) ? load(p + j * LANES) : peak) - peak) * scale;
    exp_lanes(&e);
    e = seen_by(j, block) ? e : zero;
    sum += e;
    store(p + j * LANES, e);
  }
  lanes inverse = seen_by(0, block) ? 1.0f / sum : zero;
  for (size_t j = 0; j < block.count; j++) store(p + j * LANES, load(p + j * LANES) * inverse);
}

/// Gradient of the scores from that of the probabilities p, in place.
INLINE void block_softmax_backward(const float *p, float *d, query_block block, float scale) {
  lanes zero = 0, sum = 0;
  for (size_t j = 0; j < block.count; j++) {
    lanes x = seen_by(j, block) ? load(d + j * LANES) : zero;
    store(d + j * LANES, x);
    sum += x * load(p + j * LANES);
  }
  for (size_t j = 0; j < block.count; j++)
    store(d + j * LANES, load(p + j * LANES) * (load(d + j * LANES) - sum) * scale);
}

/// The same mask as `drop`.
INLINE void block_drop(float *p, query_block block, head_rows at, const h2rec_attention_shape *shape) {
  if (!(shape->dropout.rate > 0)) return;
  lanes zero = 0;
  words threshold = dropout_threshold(shape->dropout.rate);
  float keep = 1.0f / (1.0f - shape->dropout.rate);
  words keys = ((words)lane_numbers + (uint32_t)(at.first + block.first)) * (uint32_t)shape->heads;
  keys = (keys + (uint32_t)at.head) ^ shape->dropout.key;
  mix_lanes(&keys);
  for (size_t j = 0; j < block.count; j++) {
    words bits = keys + (uint32_t)j * 0x9E3779B9u;
    mix_lanes(&bits);
    store(p + j * LANES, bits >= threshold ? load(p + j * LANES) * keep : zero);
  }
}

/// out[i] (+)= sum over the keys j that i sees of p[j][i] * b[j], for four queries at a time.
INLINE void block_combine(h2rec_mutable_rows out, const float *p, h2rec_rows b, query_block block, size_t width,
                          int add) {
  for (size_t i = 0; i < block.live; i += 4) {
    size_t live = block.live - i < 4 ? block.live - i : 4;
    size_t limit = block.causal ? block.position + i + live : block.count;
    for (size_t c = 0; c < width; c += LANES) {
      lanes sums[4] = {0, 0, 0, 0};
      for (size_t j = 0; j < limit; j++) {
        lanes x = load(b.values + j * b.stride + c);
        for (size_t r = 0; r < 4; r++) sums[r] += p[j * LANES + i + r] * x;
      }
      for (size_t r = 0; r < live; r++) {
        float *y = out.values + (i + r) * out.stride + c;
        store(y, add ? load(y) + sums[r] : sums[r]);
      }
    }
  }
}

/// out[j] += sum over the queries i that see j of p[j][i] * b[i], for four keys at a time.
INLINE void block_combine_transposed(h2rec_mutable_rows out, const float *p, h2rec_rows b, query_block block,
                                     size_t width) {
  for (size_t j = 0; j < block.count; j += 4) {
    size_t live = block.count - j < 4 ? block.count - j : 4;
    size_t low = block.causal && j > block.position ? j - block.position : 0;
    for (size_t c = 0; c < width; c += LANES) {
      lanes sums[4] = {0, 0, 0, 0};
      for (size_t i = low; i < block.live; i++) {
        lanes x = load(b.values + i * b.stride + c);
        for (size_t r = 0; r < 4; r++) sums[r] += p[(j + r) * LANES + i] * x;
      }
      for (size_t r = 0; r < live; r++) {
        float *y = out.values + (j + r) * out.stride + c;
        store(y, load(y) + sums[r]);
      }
    }
  }
}

/// Adds the bias by distance to the scores of a block.
INLINE void block_add_bias(float *p, query_block block, distance_line line) {
  if (line.values == NULL) return;
  const float *first = line.values + line.last + block.first;
  for (size_t j = 0; j < block.count; j++) store(p + j * LANES, load(p + j * LANES) + load(first - j));
}

/// Adds the gradients of a block's scores to that of the bias.
INLINE void block_add_bias_gradient(const float *d, query_block block, distance_line line) {
  if (line.values == NULL) return;
  float *first = line.gradient + line.last + block.first;
  for (size_t j = 0; j < block.count; j++) store(first - j, load(first - j) + load(d + j * LANES));
}

INLINE h2rec_rows rows_from(h2rec_rows x, size_t first) {
  return (h2rec_rows){.values = x.values + first * x.stride, .stride = x.stride};
}

INLINE h2rec_mutable_rows mutable_rows_from(h2rec_mutable_rows x, size_t first) {
  return (h2rec_mutable_rows){.values = x.values + first * x.stride, .stride = x.stride};
}

INLINE void one_head(const h2rec_attention_shape *shape, head_rows at, h2rec_rows q, h2rec_rows k, h2rec_rows v,
                     h2rec_mutable_rows out, float *scratch) {
  size_t width = shape->head_width;
  distance_line line = line_of(shape, at, &scratch);
  lanes *columns = (lanes *)scratch;
  float *p = scratch + LANES * width;
  for (size_t i = 0; i < at.queries; i += LANES) {
    query_block block = block_at(i, at);
    block_products(p, rows_from(q, i), k, block, width, columns);
    block_add_bias(p, block, line);
    block_softmax(p, block, at.scale);
    block_drop(p, block, at, shape);
    block_combine(mutable_rows_from(out, i), p, v, block, width, 0);
  }
}

INLINE void one_head_backward(const h2rec_attention_shape *shape, head_rows at, h2rec_rows q, h2rec_rows k,
                              h2rec_rows v, h2rec_rows dout, h2rec_mutable_rows dq, h2rec_mutable_rows dk,
                              h2rec_mutable_rows dv, float *dbias, float *scratch) {
  size_t width = shape->head_width;
  distance_line line = line_of(shape, at, &scratch);
  lanes *columns = (lanes *)scratch;
  float *p = scratch + LANES * width, *d = p + score_count(at.keys);
  for (size_t i = 0; i < at.queries; i += LANES) {
    query_block block = block_at(i, at);
    h2rec_rows queries = rows_from(q, i), gradients = rows_from(dout, i);
    block_products(p, queries, k, block, width, columns);
    block_add_bias(p, block, line);
    block_softmax(p, block, at.scale);
    block_products(d, gradients, v, block, width, columns);
    block_drop(d, block, at, shape);
    block_softmax_backward(p, d, block, at.scale);
    block_add_bias_gradient(d, block, line);
    block_drop(p, block, at, shape);
    block_combine(mutable_rows_from(dq, i), d, k, block, width, 1);
    block_combine_transposed(dk, d, queries, block, width);
    block_combine_transposed(dv, p, gradients, block, width);
  }
  add_line_gradient(dbias, shape, at, line);
}
