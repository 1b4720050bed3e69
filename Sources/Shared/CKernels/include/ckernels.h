#pragma once

// Hot loops in C, one file per operation. Every function is single-threaded, allocates nothing and reads
// or writes only what its comment says. Matrices are row-major; `rows` x `columns` floats.

#include <stddef.h>
#include <stdint.h>

/// Inner product of two vectors of `count` floats.
float h2rec_dot(const float *x, const float *y, size_t count);

#include "ckernels_autoencoder.h"
#include "ckernels_average.h"
#include "ckernels_bfloat16.h"
#include "ckernels_engine.h"
#include "ckernels_filter.h"
#include "ckernels_gates.h"
#include "ckernels_gru.h"
#include "ckernels_items.h"
#include "ckernels_kmeans.h"
#include "ckernels_losses.h"
#include "ckernels_memory.h"
#include "ckernels_pointwise.h"
#include "ckernels_ranking.h"
#include "ckernels_records.h"
#include "ckernels_rows.h"
