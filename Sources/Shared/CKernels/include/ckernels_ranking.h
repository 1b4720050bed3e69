#pragma once

#include <stddef.h>
#include <stdint.h>

// Ranking by exact scores of which few are computed. The exact score of a user and an item is h2rec_dot of their vectors; a fast product gives
// approximate scores, at most `factor` of the user x `bounds` of the item away from the exact ones. What a margin of this size leaves open is decided by the
// exact score. An approximate score that is not a number (NaN) marks an item that takes no part.

/// The items of a catalogue.
typedef struct {
  const float *vectors;  ///< [items, width]
  const float *bounds;   ///< [items], then NaN up to a multiple of 16; infinite for an item of which approximate scores say nothing
  size_t width;
} h2rec_catalogue;

/// A user.
typedef struct {
  const float *vector;  ///< [width]
  float factor;         ///< positive; infinite where approximate scores say nothing
} h2rec_user;

/// What is known of the rank of one item.
typedef struct {
  float target;           ///< its exact score
  uint32_t above, equal;  ///< how many exact scores are greater, how many equal
  size_t checked;         ///< how many exact scores were computed
} h2rec_rank;

/// Counts the items `first`, `first` + 1, … on their approximate scores `[count]`, which can be read up to a multiple of 16.
void h2rec_rank_tile(h2rec_catalogue catalogue, size_t first, size_t count, const float *scores,
                     h2rec_user user, h2rec_rank *rank);

/// The items that may be among the `wanted` best, by increasing item.
typedef struct {
  float *lower, *upper;  ///< [capacity]: between which the exact scores lie
  uint32_t *items;       ///< [capacity]
  size_t wanted;         ///< at least 1
  size_t capacity;       ///< a multiple of 16, at least `wanted` + 32
  size_t filled;
  float least;     ///< what `wanted` of the exact scores reach; -infinity at the start
  size_t checked;  ///< how many exact scores were computed
} h2rec_candidates;

/// Offers the items `first`, `first` + 1, …, greater than all before, by their approximate scores `[count]`, which can be read up to a
/// multiple of 16.
void h2rec_candidates_tile(h2rec_catalogue catalogue, size_t first, size_t count,
                           const float *scores, h2rec_user user, h2rec_candidates *candidates);

/// Writes the `wanted` best items and their exact scores, higher scores first, equal ones by smaller item. Scores that are not
/// numbers are never among them. Returns how many there are.
size_t h2rec_candidates_finish(h2rec_catalogue catalogue, h2rec_user user,
                               h2rec_candidates *candidates, float *scores, uint32_t *items);

/// The sum of the squares of what rounding to bfloat16 took from `count` floats.
double h2rec_bf16_squared_error(const float *x, const uint16_t *rounded, size_t count);
