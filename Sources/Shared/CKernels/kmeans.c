#include "ckernels_kmeans.h"

#include "clones.h"

typedef float lanes __attribute__((ext_vector_type(16), aligned(4)));
typedef int32_t marks __attribute__((ext_vector_type(16), aligned(4)));

CLONES void h2rec_squared_lengths(const float *x, size_t rows, size_t columns, float *y) {
  for (size_t i = 0; i < rows; i++) {
    const float *row = x + i * columns;
    lanes sum = 0;
    size_t j = 0;
    for (; j + 16 <= columns; j += 16) sum += *(const lanes *)(row + j) * *(const lanes *)(row + j);
    float total = 0;
    for (int lane = 0; lane < 16; lane++) total += sum[lane];
    for (; j < columns; j++) total += row[j] * row[j];
    y[i] = total;
  }
}

CLONES void h2rec_keep_largest(
    const float *scores, const float *bias, size_t rows, size_t columns, uint32_t first,
    float *best, uint32_t *index) {
  const marks ramp = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  for (size_t i = 0; i < rows; i++) {
    const float *row = scores + i * columns;
    lanes top = best[i];
    marks place = -1;
    size_t j = 0;
    for (; j + 16 <= columns; j += 16) {
      lanes value = *(const lanes *)(row + j) + *(const lanes *)(bias + j);
      marks larger = value > top;
      top = larger ? value : top;
      place = larger ? ramp + (int32_t)j : place;
    }
    float winner = best[i];
    int32_t winning = -1;
    for (int lane = 0; lane < 16; lane++) {
      if (place[lane] < 0) continue;
      if (top[lane] > winner || (top[lane] == winner && place[lane] < winning)) {
        winner = top[lane];
        winning = place[lane];
      }
    }
    for (; j < columns; j++) {
      float value = row[j] + bias[j];
      if (value > winner) {
        winner = value;
        winning = (int32_t)j;
      }
    }
    if (winning >= 0) {
      best[i] = winner;
      index[i] = first + (uint32_t)winning;
    }
  }
}

CLONES void h2rec_keep_smallest_distance(
    const float *x, const float *c, size_t rows, size_t columns, float *best) {
  for (size_t i = 0; i < rows; i++) {
    const float *row = x + i * columns;
    lanes sum = 0;
    size_t j = 0;
    for (; j + 16 <= columns; j += 16) {
      lanes difference = *(const lanes *)(row + j) - *(const lanes *)(c + j);
      sum += difference * difference;
    }
    float total = 0;
    for (int lane = 0; lane < 16; lane++) total += sum[lane];
    for (; j < columns; j++) total += (row[j] - c[j]) * (row[j] - c[j]);
    if (total < best[i]) best[i] = total;
  }
}

CLONES void h2rec_add_member_rows(
    const float *x, const uint32_t *members, size_t count, size_t columns, double *sum) {
  for (size_t i = 0; i < count; i++) {
    const float *row = x + (size_t)members[i] * columns;
    if (i + 4 < count) {
      const float *ahead = x + (size_t)members[i + 4] * columns;
      for (size_t j = 0; j < columns; j += 16) __builtin_prefetch(ahead + j);
    }
    for (size_t j = 0; j < columns; j++) sum[j] += (double)row[j];
  }
}

CLONES void h2rec_subtract_indexed_rows(
    float *x, const float *table, const uint32_t *index, size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i++) {
    float *row = x + i * columns;
    const float *taken = table + (size_t)index[i] * columns;
    for (size_t j = 0; j < columns; j++) row[j] -= taken[j];
  }
}
