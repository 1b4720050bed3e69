#pragma once

#include <stddef.h>
#include <stdint.h>

/// Writes the places of all bytes that are `delimiter`, a line feed, `quote` or not ASCII, in ascending order, to
/// `marks`, which has room for `count` places, and returns how many there are. A `quote` of '\n' stands for none.
size_t h2rec_find_marks(
    const uint8_t *bytes, size_t count, uint8_t delimiter, uint8_t quote, uint32_t *marks);
