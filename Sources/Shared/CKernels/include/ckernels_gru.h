#pragma once

#include <stddef.h>
#include <stdint.h>

/// One step of a gated recurrent unit for n sequences, d wide: reset gate r, update gate z, candidate c.
///
/// `tokens[i]` is the token of sequence i at this step. `input` holds for every token what the input adds to r, z and c,
/// `[T, 3 d]`; `recurrent` what the state before adds, `[n, 3 d]`; `state` the states before, `[n, d]`. Written: the new states to
/// `output`, `[T, d]`, and r, z, c and the recurrent part of c to `gates`, `[T, 4 d]`, at the rows of the tokens.
void h2rec_gru_step(size_t n, size_t d, const uint32_t *tokens, const float *input, const float *recurrent,
                    const float *state, float *output, float *gates);

/// The gradients of h2rec_gru_step.
///
/// `output_gradient`, `[T, d]`, is read at the tokens. Added to: `input_gradient`, `[T, 3 d]`, at the tokens. Written: the gradients of
/// the recurrent parts, `[n, 3 d]`, and what reaches the states before through the update gate, `[n, d]`.
void h2rec_gru_step_backward(size_t n, size_t d, const uint32_t *tokens, const float *gates, const float *state,
                             const float *output_gradient, float *input_gradient, float *recurrent_gradient,
                             float *state_gradient);
