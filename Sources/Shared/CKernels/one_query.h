#pragma once

// Attention where each sequence has one query: the attention of last tokens.

#include "ckernels.h"

void h2rec_one_query(h2rec_attention_shape shape, h2rec_rows q, h2rec_rows k, h2rec_rows v, h2rec_mutable_rows out,
                     float *scratch);
void h2rec_one_query_backward(h2rec_attention_shape shape, h2rec_rows q, h2rec_rows k, h2rec_rows v,
                              h2rec_rows dout, h2rec_mutable_rows dq, h2rec_mutable_rows dk,
                              h2rec_mutable_rows dv, float *dbias, float *scratch);
