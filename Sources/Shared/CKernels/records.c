#include "ckernels_records.h"

#include <string.h>

#include "clones.h"

typedef uint8_t block64 __attribute__((vector_size(64)));
typedef _Bool flags64 __attribute__((ext_vector_type(64)));

CLONES size_t h2rec_find_marks(
    const uint8_t *bytes, size_t count, uint8_t delimiter, uint8_t quote, uint32_t *marks) {
  size_t found = 0;
  size_t start = 0;
  for (; start + 64 <= count; start += 64) {
    block64 block;
    memcpy(&block, bytes + start, 64);
    flags64 flags = __builtin_convertvector(
        (block == delimiter) | (block == '\n') | (block == quote) | (block >= 0x80), flags64);
    uint64_t bits;
    memcpy(&bits, &flags, 8);
    for (; bits != 0; bits &= bits - 1) marks[found++] = (uint32_t)(start + (size_t)__builtin_ctzll(bits));
  }
  for (; start < count; start++) {
    uint8_t byte = bytes[start];
    if (byte == delimiter || byte == '\n' || byte == quote || byte >= 0x80) marks[found++] = (uint32_t)start;
  }
  return found;
}
