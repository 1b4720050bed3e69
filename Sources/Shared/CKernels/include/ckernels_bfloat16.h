#pragma once

#include <stddef.h>
#include <stdint.h>

// Products of bfloat16 matrices with float sums. Only where h2rec_bf16_product_available() is not 0 may the others be called.

/// Whether the processor has the instructions.
int h2rec_bf16_product_available(void);
/// Rounds [rows, columns] to bfloat16, to the nearest, ties to even; strides are elements from row to row. NaN stays NaN, numbers
/// below 2^-126 become zeros.
void h2rec_round_bf16(uint16_t *out, size_t out_stride, const float *x, size_t x_stride, size_t rows,
                      size_t columns);
/// Pairs of numbers, 4 bytes each, that the panels of a [k, n] matrix take; also those that the pairs of a [k, m] one take.
size_t h2rec_bf16_panel_pairs(size_t k, size_t n);
/// Packs op(B), [k, n]: b holds it, or its transpose [n, k], with `stride` numbers from row to row.
void h2rec_bf16_panels(uint32_t *panels, const uint16_t *b, size_t stride, int transposed, size_t k, size_t n);
/// Packs the transpose of a left factor, [k, m], with `stride` numbers from row to row.
void h2rec_bf16_pairs(uint32_t *pairs, const uint16_t *a, size_t stride, size_t k, size_t m);
/// C = A op(B), or C += A op(B); A [m, k], C [m, n]. Sums go along k in order: an element depends on its row and column alone.
void h2rec_bf16_product(size_t m, size_t n, size_t k, const uint16_t *a, size_t a_stride,
                        const uint32_t *panels, int adds, float *c, size_t c_stride);
/// The same with the transpose of A packed to pairs.
void h2rec_bf16_product_of_pairs(size_t m, size_t n, size_t k, const uint32_t *pairs,
                                 const uint32_t *panels, int adds, float *c, size_t c_stride);
