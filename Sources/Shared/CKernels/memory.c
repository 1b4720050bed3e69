#define _DEFAULT_SOURCE

#include "ckernels_memory.h"

#include <stdint.h>
#include <sys/mman.h>

void h2rec_use_large_pages(void *start, size_t count) {
  const uintptr_t page = (uintptr_t)1 << 21;
  if (count < 2 * page) return;
  uintptr_t first = ((uintptr_t)start + page - 1) / page * page;
  uintptr_t length = ((uintptr_t)start + count - first) / page * page;
  madvise((void *)first, length, MADV_HUGEPAGE);
}
