#pragma once

#include <stddef.h>
#include <stdint.h>

// Ranking. A score that is not a number (NaN) marks an item that takes no part.

/// Adds to `above` how many of the `count` scores are greater than `target` and to `equal` how many equal it.
void h2rec_count_above(
    const float *scores, size_t count, float target, uint32_t *above, uint32_t *equal);

/// Offers `count` scores of the items `first_item`, `first_item` + 1, … to a list of the `capacity` best, which
/// holds `filled` entries in no order to rely on. Higher scores come first, equal ones by smaller item.
/// Returns the new number of entries.
size_t h2rec_top_push(
    const float *scores, size_t count, uint32_t first_item, size_t capacity, float *best,
    uint32_t *best_items, size_t filled);

/// Sorts the entries of such a list, best first.
void h2rec_top_sort(float *best, uint32_t *best_items, size_t filled);
