#pragma once

// What the machine is told about memory; results do not depend on it.

#include <stddef.h>

/// Asks the processor to bring the cache line at `place` closer, without waiting for it.
static inline void h2rec_prefetch(const void *place) { __builtin_prefetch(place); }

/// Asks the system for large pages (2 MiB) under `count` bytes from `start` on that have not been touched yet: faster to
/// fill and to go through in any order. Less than two such pages are left alone.
void h2rec_use_large_pages(void *start, size_t count);
