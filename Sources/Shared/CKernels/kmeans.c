#include "ckernels_kmeans.h"

#include "inline.h"

typedef float lanes __attribute__((ext_vector_type(16), aligned(4)));
typedef float half_lanes __attribute__((ext_vector_type(8)));
typedef float quarter_lanes __attribute__((ext_vector_type(4)));
typedef int32_t marks __attribute__((ext_vector_type(16), aligned(4)));
typedef uint32_t words __attribute__((ext_vector_type(16)));
typedef uint16_t halves __attribute__((ext_vector_type(16), aligned(2)));

#define ramp ((marks){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})

// By address: an argument of the width of AVX-512 has no fixed place without it.
INLINE float sum_of(const lanes *x) {
  half_lanes half = x->lo + x->hi;
  quarter_lanes quarter = half.lo + half.hi;
  return (quarter.x + quarter.z) + (quarter.y + quarter.w);
}

INLINE float largest_of(const lanes *x) {
  half_lanes half = x->lo > x->hi ? x->lo : x->hi;
  quarter_lanes quarter = half.lo > half.hi ? half.lo : half.hi;
  float even = quarter.x > quarter.z ? quarter.x : quarter.z;
  float odd = quarter.y > quarter.w ? quarter.y : quarter.w;
  return even > odd ? even : odd;
}

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

CLONES void h2rec_rounding_errors(
    const float *x, const uint16_t *rounded, size_t rows, size_t columns, float *y) {
  for (size_t i = 0; i < rows; i++) {
    const float *row = x + i * columns;
    const uint16_t *near = rounded + i * columns;
    lanes sum = 0;
    size_t j = 0;
    for (; j + 16 <= columns; j += 16) {
      union { words bits; lanes values; } wide = {
          .bits = __builtin_convertvector(*(const halves *)(near + j), words) << 16};
      lanes error = *(const lanes *)(row + j) - wide.values;
      sum += error * error;
    }
    float total = sum_of(&sum);
    for (; j < columns; j++) {
      union { uint32_t bits; float value; } wide = {.bits = (uint32_t)near[j] << 16};
      total += (row[j] - wide.value) * (row[j] - wide.value);
    }
    y[i] = total;
  }
}

/// x . c + bias, always in the same order.
INLINE float exact_score(const float *x, const float *c, float bias, size_t width) {
  lanes a = 0, b = 0, d = 0, e = 0;
  size_t j = 0;
  for (; j + 64 <= width; j += 64) {
    a += *(const lanes *)(x + j) * *(const lanes *)(c + j);
    b += *(const lanes *)(x + j + 16) * *(const lanes *)(c + j + 16);
    d += *(const lanes *)(x + j + 32) * *(const lanes *)(c + j + 32);
    e += *(const lanes *)(x + j + 48) * *(const lanes *)(c + j + 48);
  }
  for (; j + 16 <= width; j += 16) a += *(const lanes *)(x + j) * *(const lanes *)(c + j);
  a = (a + b) + (d + e);
  float total = sum_of(&a);
  for (; j < width; j++) total += x[j] * c[j];
  return total + bias;
}

/// The best centroid of a point so far, and a score that no other one exceeds.
typedef struct {
  float best, rival;
  uint32_t index;
} nearest;

INLINE void consider(nearest *point, float score, uint32_t index) {
  if (index == point->index) return;
  if (score > point->best) {
    point->rival = point->best > point->rival ? point->best : point->rival;
    point->best = score;
    point->index = index;
  } else if (score > point->rival) {
    point->rival = score;
  }
}

/// The largest screened score of a row, its column, and the largest of all other columns.
typedef struct {
  float top, second;
  uint32_t column;
} peak;

INLINE peak peak_of(const float *scores, const float *bias, size_t columns) {
  lanes top = -INFINITY, second = -INFINITY;
  marks place = 0;
  for (size_t j = 0; j < columns; j += 16) {
    lanes value = *(const lanes *)(scores + j) + *(const lanes *)(bias + j);
    marks larger = value > top;
    lanes smaller = larger ? top : value;
    second = smaller > second ? smaller : second;
    top = larger ? value : top;
    place = larger ? ramp + (int32_t)j : place;
  }
  peak found = {.top = largest_of(&top)};
  for (int lane = 15; lane >= 0; lane--)
    if (top[lane] == found.top) found.column = (uint32_t)place[lane];
  lanes others = place == (int32_t)found.column ? second : top;
  found.second = largest_of(&others);
  return found;
}

CLONES void h2rec_keep_nearest(
    const float *x, size_t rows, size_t width, const float *centroids, const float *bias,
    size_t columns, const float *scores, const float *margins, const uint32_t *names,
    float *best, float *rival, uint32_t *index) {
  for (size_t i = 0; i < rows; i++) {
    const float *point = x + i * width, *row = scores + i * columns;
    nearest found = {best[i], rival[i], index[i]};
    float margin = margins[i], limit = -INFINITY, unseen = -INFINITY;
    peak screened = {0};
    if (margin < INFINITY) {
      screened = peak_of(row, bias, columns);
      limit = screened.top - 2 * margin;
      limit = found.best - margin > limit ? found.best - margin : limit;
      unseen = limit + margin;
    }
    if (margin < INFINITY && screened.second < limit) {
      unseen = screened.second + margin;
      if (screened.top >= limit) {
        uint32_t j = screened.column;
        consider(&found, exact_score(point, centroids + j * width, bias[j], width), names[j]);
      } else {
        unseen = screened.top + margin;
      }
    } else {
      for (size_t chunk = 0; chunk < columns; chunk += 16) {
        if (margin < INFINITY) {
          lanes value = *(const lanes *)(row + chunk) + *(const lanes *)(bias + chunk);
          if (!(largest_of(&value) >= limit)) continue;
        }
        for (size_t j = chunk; j < chunk + 16; j++) {
          if (bias[j] == -INFINITY || (margin < INFINITY && !(row[j] + bias[j] >= limit))) continue;
          consider(&found, exact_score(point, centroids + j * width, bias[j], width), names[j]);
        }
      }
    }
    best[i] = found.best;
    rival[i] = unseen > found.rival ? unseen : found.rival;
    index[i] = found.index;
  }
}

CLONES void h2rec_renew_scores(
    const float *x, size_t rows, size_t width, const float *centroids, const float *bias,
    const float *moves, const uint32_t *index, float *scores) {
  for (size_t i = 0; i < rows; i++) {
    uint32_t j = index[i];
    if (moves[j] > 0) scores[i] = exact_score(x + i * width, centroids + j * width, bias[j], width);
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
      // Into the second-level cache: four rows at a time are more than the first level can wait for.
      for (size_t j = 0; j < columns; j += 16) __builtin_prefetch(ahead + j, 0, 2);
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
