#pragma once

#include <stddef.h>

/// Runs `count` rounds of independent multiply-adds in registers, on the widest vectors of the processor; returns how many
/// floating-point operations those were.
double h2rec_multiply_adds(size_t count);
