#include "multiply_add_rate.h"

#pragma clang fp contract(fast)

// As many sums as hide the latency of the instruction, and as fit into 16 registers.
#define SUMS 12

#if defined(__aarch64__)
#define IN_REGISTER "+w"
#elif defined(__x86_64__)
#define IN_REGISTER "+v"
#else
#define IN_REGISTER "+m"
#endif

/// A function that runs `count` rounds with vectors of `lanes` floats.
#define DEFINE_ROUNDS(name, lanes)                                   \
  static double name(size_t count) {                                 \
    typedef float vector __attribute__((ext_vector_type(lanes)));    \
    vector sums[SUMS];                                               \
    for (int i = 0; i < SUMS; i++) sums[i] = (vector)(float)i;       \
    vector x = (vector)1.0000001f, y = (vector)0.9999f;              \
    for (size_t round = 0; round < count; round++) {                 \
      _Pragma("clang loop unroll(full)")                             \
      for (int i = 0; i < SUMS; i++) {                               \
        sums[i] = sums[i] * x + y;                                   \
        __asm__ volatile("" : IN_REGISTER(sums[i]));                 \
      }                                                              \
    }                                                                \
    return 2.0 * SUMS * lanes * (double)count;                       \
  }

#if defined(__x86_64__)
__attribute__((target("arch=x86-64-v4"))) DEFINE_ROUNDS(rounds_of_sixteen, 16)
__attribute__((target("arch=x86-64-v3"))) DEFINE_ROUNDS(rounds_of_eight, 8)
#endif
DEFINE_ROUNDS(rounds_of_four, 4)

double h2rec_multiply_adds(size_t count) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) return rounds_of_sixteen(count);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return rounds_of_eight(count);
#endif
  return rounds_of_four(count);
}
