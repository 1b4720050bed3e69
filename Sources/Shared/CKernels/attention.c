#include "any_head.h"
#include "many_heads.h"
#include "one_query.h"

#pragma clang fp reassociate(on) contract(fast)

// Four ways. One query for each sequence (one_query.c); else LANES heads of a sequence at a time where there are so many
// (many_heads.h); else one, LANES queries at a time, where its width is a multiple of LANES (one_head.h); else any_head.h.

static int asks_once(const h2rec_attention_shape *shape) {
  for (size_t s = 0; s < shape->sequences; s++)
    if (shape->queries[s + 1] - shape->queries[s] != 1) return 0;
  return 1;
}

// One query for each sequence takes two numbers a key; whichever way is taken, there is room.
size_t h2rec_attention_scratch(size_t queries, size_t keys, size_t heads, size_t head_width) {
  size_t lines = 2 * line_count(queries, keys) + 2 * keys;
  if (are_many(heads, head_width)) return lines + many_heads_scratch(keys, head_width);
  if (is_whole(head_width)) return lines + one_head_scratch(keys, head_width);
  return lines + any_head_scratch(queries, keys, head_width);
}

INLINE h2rec_rows head_of(h2rec_rows x, size_t first, size_t column) {
  return (h2rec_rows){.values = x.values + first * x.stride + column, .stride = x.stride};
}

INLINE h2rec_mutable_rows mutable_head_of(h2rec_mutable_rows x, size_t first, size_t column) {
  return (h2rec_mutable_rows){.values = x.values + first * x.stride + column, .stride = x.stride};
}

/// Without keys there is nothing to mix.
INLINE void clear_head(h2rec_mutable_rows out, size_t queries, size_t columns) {
  for (size_t i = 0; i < queries; i++)
    for (size_t c = 0; c < columns; c++) out.values[i * out.stride + c] = 0;
}

CLONES void h2rec_attention(h2rec_attention_shape shape, h2rec_rows q, h2rec_rows k, h2rec_rows v,
                            h2rec_mutable_rows out, float *scratch) {
  if (asks_once(&shape)) {
    h2rec_one_query(shape, q, k, v, out, scratch);
    return;
  }
  size_t width = shape.head_width;
  int many = are_many(shape.heads, width);
  size_t step = many ? LANES : 1;
  for (size_t s = 0; s < shape.sequences; s++) {
    for (size_t head = 0; head < shape.heads; head += step) {
      head_rows at = rows_at(&shape, s, head);
      if (at.queries == 0) break;
      size_t column = head * width;
      h2rec_rows a = head_of(q, at.first, column), b = head_of(k, shape.keys[s], column),
                 c = head_of(v, shape.keys[s], column);
      h2rec_mutable_rows y = mutable_head_of(out, at.first, column);
      if (at.keys == 0) {
        clear_head(y, at.queries, step * width);
      } else if (many) {
        many_heads(&shape, at, a, b, c, y, scratch);
      } else if (is_whole(width)) {
        one_head(&shape, at, a, b, c, y, scratch);
      } else {
        any_head(&shape, at, a, b, c, y, scratch);
      }
    }
  }
}

CLONES void h2rec_attention_backward(h2rec_attention_shape shape, h2rec_rows q, h2rec_rows k, h2rec_rows v,
                                     h2rec_rows dout, h2rec_mutable_rows dq, h2rec_mutable_rows dk,
                                     h2rec_mutable_rows dv, float *dbias, float *scratch) {
  if (asks_once(&shape)) {
    h2rec_one_query_backward(shape, q, k, v, dout, dq, dk, dv, dbias, scratch);
    return;
  }
  size_t width = shape.head_width;
  int many = are_many(shape.heads, width);
  size_t step = many ? LANES : 1;
  for (size_t s = 0; s < shape.sequences; s++) {
    for (size_t head = 0; head < shape.heads; head += step) {
      head_rows at = rows_at(&shape, s, head);
      if (at.queries == 0 || at.keys == 0) break;
      size_t column = head * width, first = shape.keys[s];
      h2rec_rows a = head_of(q, at.first, column), b = head_of(k, first, column), c = head_of(v, first, column),
                 g = head_of(dout, at.first, column);
      h2rec_mutable_rows da = mutable_head_of(dq, at.first, column), db = mutable_head_of(dk, first, column),
                         dc = mutable_head_of(dv, first, column);
      if (many) {
        many_heads_backward(&shape, at, a, b, c, g, da, db, dc, dbias, scratch);
      } else if (is_whole(width)) {
        one_head_backward(&shape, at, a, b, c, g, da, db, dc, dbias, scratch);
      } else {
        any_head_backward(&shape, at, a, b, c, g, da, db, dc, dbias, scratch);
      }
    }
  }
}
