#include "ckernels.h"
#include "clones.h"

typedef float lanes __attribute__((ext_vector_type(16), aligned(4)));

CLONES float h2rec_dot(const float *x, const float *y, size_t count) {
  lanes sum = 0;
  size_t i = 0;
  for (; i + 16 <= count; i += 16) sum += *(const lanes *)(x + i) * *(const lanes *)(y + i);
  float total = 0;
  for (int lane = 0; lane < 16; lane++) total += sum[lane];
  for (; i < count; i++) total += x[i] * y[i];
  return total;
}
