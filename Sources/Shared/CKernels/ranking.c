#include "inline.h"

typedef float lanes __attribute__((ext_vector_type(16), aligned(4)));
typedef uint32_t words __attribute__((ext_vector_type(16), aligned(4)));
typedef _Bool flags __attribute__((ext_vector_type(16)));

#define LANES(pointer) (*(const lanes *)(pointer))
/// One bit for each lane in which the condition holds.
#define BITS(condition) \
  ((uint32_t)__builtin_bit_cast(uint16_t, __builtin_convertvector((condition), flags)))

INLINE float exact_score(h2rec_catalogue catalogue, h2rec_user user, size_t item) {
  return h2rec_dot(user.vector, catalogue.vectors + item * catalogue.width, catalogue.width);
}

// MARK: - The rank of one item

CLONES void h2rec_rank_tile(h2rec_catalogue catalogue, size_t first, size_t count,
                            const float *scores, h2rec_user user, h2rec_rank *rank) {
  float target = rank->target;
  uint32_t above = 0, equal = 0, checked = 0;
  for (size_t i = 0; i < count; i += 16) {
    lanes score = LANES(scores + i), margin = user.factor * LANES(catalogue.bounds + first + i);
    uint32_t over = BITS(score - margin > target);
    uint32_t open = BITS(score + margin >= target) & ~over;
    above += (uint32_t)__builtin_popcount(over);
    checked += (uint32_t)__builtin_popcount(open);
    for (; open; open &= open - 1) {
      float exact = exact_score(catalogue, user, first + i + (size_t)__builtin_ctz(open));
      above += exact > target;
      equal += exact == target;
    }
  }
  rank->above += above;
  rank->equal += equal;
  rank->checked += checked;
}

// MARK: - The best items

// Whole numbers in the order of the floats with these bits.
#define ORDER(bits) ((bits) ^ (-((bits) >> 31) | 0x80000000u))

// The `wanted`-th largest of `count` >= `wanted` floats, none of them NaN, found bit by bit. The memory behind them is
// overwritten up to a multiple of 16.
INLINE float nth_largest(float *x, size_t count, size_t wanted) {
  uint32_t found = 0;
  size_t reached = count;
  for (size_t i = count; i % 16; i++) x[i] = -INFINITY;
  for (uint32_t bit = 1u << 31; bit && reached != wanted; bit >>= 1) {
    size_t reaching = 0;
    for (size_t i = 0; i < count; i += 16) {
      words bits = __builtin_bit_cast(words, LANES(x + i));
      reaching += (size_t)__builtin_popcount(BITS(ORDER(bits) >= (found | bit)));
    }
    if (reaching < wanted) continue;
    found |= bit;
    reached = reaching;
  }
  lanes least = INFINITY;
  for (size_t i = 0; i < count; i += 16) {
    lanes some = LANES(x + i);
    lanes reaching = ORDER(__builtin_bit_cast(words, some)) >= found ? some : INFINITY;
    least = reaching < least ? reaching : least;
  }
  float smallest = least[0];
  for (int lane = 1; lane < 16; lane++) smallest = least[lane] < smallest ? least[lane] : smallest;
  return smallest;
}

// Drops the items that are surely behind `wanted` others.
INLINE void drop_beaten(h2rec_candidates *list) {
  if (list->filled < list->wanted) return;
  float least = nth_largest(list->lower, list->filled, list->wanted);
  size_t kept = 0;
  for (size_t i = 0; i < list->filled; i++) {
    list->lower[kept] = list->lower[i];
    list->upper[kept] = list->upper[i];
    list->items[kept] = list->items[i];
    kept += list->upper[i] >= least;
  }
  list->least = least;
  list->filled = kept;
}

// Asks for a vector that is far from the one before in memory.
INLINE void prefetch_vector(h2rec_catalogue catalogue, size_t item) {
  const float *vector = catalogue.vectors + item * catalogue.width;
  for (size_t i = 0; i < catalogue.width; i += 16) __builtin_prefetch(vector + i);
}

// Computes the exact scores and keeps the `wanted` best.
INLINE void settle(h2rec_catalogue catalogue, h2rec_user user, h2rec_candidates *list) {
  size_t numbers = 0, above = 0, kept = 0;
  list->checked += list->filled;
  for (size_t i = 0; i < list->filled; i++) {
    if (i + 2 < list->filled) prefetch_vector(catalogue, list->items[i + 2]);
    float exact = exact_score(catalogue, user, list->items[i]);
    list->lower[numbers] = exact;
    list->items[numbers] = list->items[i];
    numbers += exact == exact;
  }
  if (numbers >= list->wanted) list->least = nth_largest(list->lower, numbers, list->wanted);
  for (size_t i = 0; i < numbers; i++) above += list->lower[i] > list->least;
  // The items stand in their order, so the first of equal ones stay.
  size_t places = list->wanted - above;
  for (size_t i = 0; i < numbers; i++) {
    float exact = list->lower[i];
    int is_last = exact == list->least;
    if (exact < list->least || (is_last && places == 0)) continue;
    places -= (size_t)is_last;
    list->lower[kept] = list->upper[kept] = exact;
    list->items[kept++] = list->items[i];
  }
  list->filled = kept;
}

CLONES void h2rec_candidates_tile(h2rec_catalogue catalogue, size_t first, size_t count,
                                  const float *scores, h2rec_user user, h2rec_candidates *list) {
  const float *bounds = catalogue.bounds + first;
  for (size_t i = 0; i < count; i += 16) {
    lanes upper = LANES(scores + i) + user.factor * LANES(bounds + i);
    uint32_t open = BITS(upper >= list->least);
    if (open && list->filled + 16 > list->capacity) {
      drop_beaten(list);
      if (list->filled > (list->wanted + list->capacity) / 2) settle(catalogue, user, list);
      open = BITS(upper >= list->least);
    }
    for (; open; open &= open - 1, list->filled++) {
      size_t lane = i + (size_t)__builtin_ctz(open);
      float margin = user.factor * bounds[lane];
      list->lower[list->filled] = scores[lane] - margin;
      list->upper[list->filled] = scores[lane] + margin;
      list->items[list->filled] = (uint32_t)(first + lane);
    }
  }
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

// Sorts entries, best first.
static void sort_best_first(float *best, uint32_t *best_items, size_t filled) {
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

CLONES size_t h2rec_candidates_finish(h2rec_catalogue catalogue, h2rec_user user, h2rec_candidates *list,
                               float *scores, uint32_t *items) {
  drop_beaten(list);
  settle(catalogue, user, list);
  for (size_t i = 0; i < list->filled; i++) {
    scores[i] = list->lower[i];
    items[i] = list->items[i];
  }
  sort_best_first(scores, items, list->filled);
  return list->filled;
}

// MARK: - Margins

#pragma clang fp reassociate(on) contract(fast)

CLONES double h2rec_bf16_squared_error(const float *x, const uint16_t *rounded, size_t count) {
  double total = 0;
  for (size_t i = 0; i < count; i++) {
    double lost = (double)x[i] - __builtin_bit_cast(float, (uint32_t)rounded[i] << 16);
    total += lost * lost;
  }
  return total;
}
