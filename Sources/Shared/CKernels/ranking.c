#include "ckernels_ranking.h"
#include "clones.h"

CLONES void h2rec_count_above(
    const float *scores, size_t count, float target, uint32_t *above, uint32_t *equal) {
  uint32_t greater = 0, same = 0;
  for (size_t i = 0; i < count; i++) {
    greater += scores[i] > target;
    same += scores[i] == target;
  }
  *above += greater;
  *equal += same;
}

// Whether (score, item) ranks behind (otherScore, otherItem): lower score, or the same and a larger item.
static inline int is_behind(float score, uint32_t item, float other_score, uint32_t other_item) {
  return score < other_score || (score == other_score && item > other_item);
}

// Restores the heap below `root`; the root of the heap is the entry that ranks last.
static void sift_down(float *scores, uint32_t *items, size_t count, size_t root) {
  float score = scores[root];
  uint32_t item = items[root];
  for (;;) {
    size_t child = 2 * root + 1;
    if (child >= count) break;
    if (child + 1 < count
        && is_behind(scores[child + 1], items[child + 1], scores[child], items[child])) child++;
    if (is_behind(score, item, scores[child], items[child])) break;
    scores[root] = scores[child];
    items[root] = items[child];
    root = child;
  }
  scores[root] = score;
  items[root] = item;
}

// Adds one entry to the list, which is filled first and turned into a heap when it is full.
static size_t top_insert(
    float score, uint32_t item, size_t capacity, float *best, uint32_t *best_items, size_t filled) {
  if (filled == capacity) {
    if (is_behind(score, item, best[0], best_items[0])) return filled;
    best[0] = score;
    best_items[0] = item;
    sift_down(best, best_items, capacity, 0);
    return filled;
  }
  best[filled] = score;
  best_items[filled] = item;
  filled++;
  if (filled == capacity)
    for (size_t root = capacity / 2; root-- > 0;) sift_down(best, best_items, capacity, root);
  return filled;
}

typedef float lanes __attribute__((ext_vector_type(16), aligned(4)));
typedef _Bool flags __attribute__((ext_vector_type(16)));

CLONES size_t h2rec_top_push(
    const float *scores, size_t count, uint32_t first_item, size_t capacity, float *best,
    uint32_t *best_items, size_t filled) {
  size_t i = 0;
  if (capacity == 0) return 0;
  for (; i < count && filled < capacity; i++)
    if (scores[i] == scores[i])
      filled = top_insert(scores[i], first_item + (uint32_t)i, capacity, best, best_items, filled);
  for (; i + 16 <= count; i += 16) {
    flags hits = __builtin_convertvector(*(const lanes *)(scores + i) >= best[0], flags);
    uint16_t bits = __builtin_bit_cast(uint16_t, hits);
    for (; bits; bits &= (uint16_t)(bits - 1)) {
      size_t j = i + (size_t)__builtin_ctz(bits);
      top_insert(scores[j], first_item + (uint32_t)j, capacity, best, best_items, filled);
    }
  }
  for (; i < count; i++)
    if (scores[i] >= best[0])
      top_insert(scores[i], first_item + (uint32_t)i, capacity, best, best_items, filled);
  return filled;
}

void h2rec_top_sort(float *best, uint32_t *best_items, size_t filled) {
  for (size_t root = filled / 2; root-- > 0;) sift_down(best, best_items, filled, root);
  for (size_t end = filled; end > 1;) {
    end--;
    float score = best[0];
    uint32_t item = best_items[0];
    best[0] = best[end];
    best_items[0] = best_items[end];
    best[end] = score;
    best_items[end] = item;
    sift_down(best, best_items, end, 0);
  }
}
