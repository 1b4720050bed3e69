#include "inline.h"

#pragma clang fp contract(fast)

CLONES void h2rec_adam(float *restrict values, float *restrict gradient, float *restrict first,
                       float *restrict second, size_t count, float rate, float beta1, float beta2,
                       float epsilon, float c1, float c2, float factor, float shrink) {
  for (size_t i = 0; i < count; i++) {
    float g = factor * gradient[i];
    float m = beta1 * first[i] + (1 - beta1) * g, v = beta2 * second[i] + (1 - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    values[i] = shrink * values[i] - rate * (m * c1) / (__builtin_elementwise_sqrt(v * c2) + epsilon);
    gradient[i] = 0;
  }
}
