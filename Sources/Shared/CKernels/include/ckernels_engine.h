#pragma once

// The loops of the training engine. Gradients are accumulated: what a backward function computes is added to what
// its output holds. One-letter dimensions: T tokens, D width, H heads, M views (levels).

#include <stddef.h>
#include <stdint.h>

// MARK: - Random numbers

/// Which random bits a dropout uses: element (row, column) of the mask is a hash of the key and of
/// `row * columns + column`, so that the backward pass can compute the mask again instead of storing it.
typedef struct {
  uint32_t key;  ///< from (seed, step, micro-batch, operation)
  float rate;    ///< probability of a zero, in [0, 1); 0 switches dropout off
} h2rec_dropout;

// MARK: - Vectors

/// y += factor * x.
void h2rec_add_scaled(float *y, const float *x, float factor, size_t count);
/// y = factor * x.
void h2rec_scale(float *y, const float *x, float factor, size_t count);
/// sums[columns] += the sum of the rows of x.
void h2rec_column_sums(float *sums, const float *x, size_t rows, size_t columns);
/// Adds bias to every row of x.
void h2rec_add_bias(float *x, const float *bias, size_t rows, size_t columns);
/// The sum of the squares.
double h2rec_sum_of_squares(const float *x, size_t count);

// MARK: - Embedding

/// out[t] = dropout(scale * table[indices[t]] + positions[places[t]]); positions may be null.
void h2rec_embed(float *out, const float *table, const uint32_t *indices, const float *positions,
                 const uint32_t *places, float scale, size_t T, size_t D, h2rec_dropout dropout);
/// out[t] = dropout(scale * mean over m of table[indices[t * M + m]] + positions[places[t]]).
void h2rec_embed_mean(float *out, const float *table, const uint32_t *indices, size_t M,
                      const float *positions, const uint32_t *places, float scale, size_t T, size_t D,
                      h2rec_dropout dropout);
/// x *= the dropout mask, in place (the backward of dropout on a gradient).
void h2rec_apply_dropout(float *x, size_t rows, size_t columns, h2rec_dropout dropout);
/// table[indices[t]] += factor * rows[t], in the order of t.
void h2rec_scatter_add(float *table, const uint32_t *indices, const float *rows, float factor, size_t T,
                       size_t D);

// MARK: - Layer normalisation

/// y = (x - mean) * rstd * gain + bias over rows of D; mean and rstd are kept, [T] each.
void h2rec_layer_norm(const float *x, const float *gain, const float *bias, float *y, float *mean,
                      float *rstd, size_t T, size_t D, float epsilon);
/// Adds to dgain and dbias, and to dx or, without `adds`, overwrites it.
void h2rec_layer_norm_backward(const float *x, const float *gain, const float *mean, const float *rstd,
                               const float *dy, float *dx, float *dgain, float *dbias, size_t T, size_t D,
                               int adds);

// MARK: - Activations

/// x = relu(x + bias) * dropout mask, in place.
void h2rec_bias_relu_dropout(float *x, const float *bias, size_t rows, size_t columns,
                             h2rec_dropout dropout);
/// dx = dy where y > 0, times 1 / (1 - rate), else 0; overwrites dx.
void h2rec_relu_dropout_backward(const float *y, const float *dy, float *dx, size_t count, float rate);
/// out = residual + (x + bias) * dropout mask.
void h2rec_bias_dropout_add(const float *x, const float *bias, const float *residual, float *out,
                            size_t rows, size_t columns, h2rec_dropout dropout);
/// Row-wise softmax of x + shift (shift may be null), in place; columns >= 1.
void h2rec_softmax(float *x, const float *shift, size_t rows, size_t columns);
/// dx += softmax backward from its output y.
void h2rec_softmax_backward(const float *y, const float *dy, float *dx, size_t rows, size_t columns);

// MARK: - Gate and views

/// y[t, m, :] = a[t, m, :] * alpha[t, m].
void h2rec_scale_views(float *y, const float *a, const float *alpha, size_t T, size_t M, size_t D);
/// da += alpha * dy or, without `adds`, da = alpha * dy; dalpha[t, m] += <dy[t, m], a[t, m]>.
void h2rec_scale_views_backward(const float *a, const float *alpha, const float *dy, float *da,
                                float *dalpha, size_t T, size_t M, size_t D, int adds);
/// out[t] = sum over m of alpha[s, m] * (hidden[s, m] ? masks[m] : views[m, t]) for the tokens t of sequence s.
void h2rec_mix_views(float *out, const float *views, const float *alpha, const uint8_t *hidden,
                     const float *masks, const uint32_t *offsets, size_t sequences, size_t T, size_t M,
                     size_t D);
/// Adds to dviews, dalpha, dmasks.
void h2rec_mix_views_backward(const float *dout, const float *views, const float *alpha,
                              const uint8_t *hidden, const float *masks, float *dviews, float *dalpha,
                              float *dmasks, const uint32_t *offsets, size_t sequences, size_t T, size_t M,
                              size_t D);

// MARK: - Attention

/// One matrix of a packed attention: rows are `stride` floats apart, head h starts h * head_width floats in.
typedef struct {
  const float *values;
  size_t stride;
} h2rec_rows;
typedef struct {
  float *values;
  size_t stride;
} h2rec_mutable_rows;

/// Which keys of its sequence a query sees.
typedef enum {
  h2rec_all_keys,
  h2rec_earlier_keys,  ///< those up to its own position
} h2rec_key_mask;

/// A packed multi-head attention. The queries of a sequence stand at the last of its positions, all of which are keys; keys that
/// are all seen may be fewer than the queries.
typedef struct {
  const uint32_t *queries;  ///< [sequences + 1]: which rows of queries belong to each sequence
  const uint32_t *keys;     ///< [sequences + 1]: which rows of keys and values do
  size_t sequences;
  size_t heads;
  size_t head_width;
  h2rec_key_mask mask;
  const float *bias;      ///< [2 * reach + 1, heads] or null: added to a score, by the position of the key less that of the query
  size_t reach;           ///< distances beyond it count as this much
  h2rec_dropout dropout;  ///< on the attention probabilities
} h2rec_attention_shape;

/// Floats of scratch memory that attention and its backward need for sequences of up to so many queries and keys.
size_t h2rec_attention_scratch(size_t queries, size_t keys, size_t heads, size_t head_width);
/// out = softmax(q k^T / sqrt(head_width) + bias) v within each sequence and head; zeros where a sequence has no keys.
void h2rec_attention(h2rec_attention_shape shape, h2rec_rows q, h2rec_rows k, h2rec_rows v,
                     h2rec_mutable_rows out, float *scratch);
/// Adds to dq, dk, dv and, where there is a bias, to dbias; computes the probabilities again.
void h2rec_attention_backward(h2rec_attention_shape shape, h2rec_rows q, h2rec_rows k, h2rec_rows v,
                              h2rec_rows dout, h2rec_mutable_rows dq, h2rec_mutable_rows dk,
                              h2rec_mutable_rows dv, float *dbias, float *scratch);

// MARK: - Losses

/// Turns a row of logits into its cross-entropy gradient, weight * (softmax - onehot), in place; returns
/// -log softmax[target] (nats).
float h2rec_cross_entropy_row(float *logits, size_t count, size_t target, float weight);
/// y = x / |x| per row; norms are kept; a zero row stays zero.
void h2rec_normalize_rows(const float *x, float *y, float *norms, size_t rows, size_t columns);
/// dx += backward of the normalisation.
void h2rec_normalize_rows_backward(const float *y, const float *norms, const float *dy, float *dx,
                                   size_t rows, size_t columns);

// MARK: - Optimiser

/// One step of Adam with bias-correction factors c1 = 1 / (1 - beta1^t), c2 = 1 / (1 - beta2^t); the gradient is
/// multiplied by `factor` first, the values by `shrink` (decoupled weight decay); the gradient is set to zero.
void h2rec_adam(float *values, float *gradient, float *first, float *second, size_t count, float rate,
                float beta1, float beta2, float epsilon, float c1, float c2, float factor, float shrink);

// MARK: - bfloat16

/// As h2rec_cross_entropy_row, the gradient rounded to bfloat16 in another row; the logits are overwritten.
float h2rec_cross_entropy_row_bf16(float *logits, uint16_t *gradient, size_t count, size_t target,
                                   float weight);
