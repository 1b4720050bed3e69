#include "inline.h"

#pragma clang fp contract(fast)

CLONES void h2rec_blend(float *restrict average, const float *restrict values, float share, size_t count) {
  for (size_t i = 0; i < count; i++) average[i] = values[i] + share * (average[i] - values[i]);
}

CLONES void h2rec_exchange(float *restrict x, float *restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float value = x[i];
    x[i] = y[i];
    y[i] = value;
  }
}
