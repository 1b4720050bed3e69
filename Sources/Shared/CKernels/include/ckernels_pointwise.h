#pragma once

// Attention whose weights are no shares: each pair of a query and a key has SiLU of its score, divided by a constant.

#include "ckernels_engine.h"

/// out = (SiLU(q k^T + bias) / divisor) v within each sequence and head; dropout of the shape is not used.
void h2rec_pointwise_attention(h2rec_attention_shape shape, float divisor, h2rec_rows q, h2rec_rows k,
                               h2rec_rows v, h2rec_mutable_rows out);
/// Adds to dq, dk, dv and, where there is a bias, to dbias; computes the weights again.
void h2rec_pointwise_attention_backward(h2rec_attention_shape shape, float divisor, h2rec_rows q, h2rec_rows k,
                                        h2rec_rows v, h2rec_rows dout, h2rec_mutable_rows dq,
                                        h2rec_mutable_rows dk, h2rec_mutable_rows dv, float *dbias);
