#include "inline.h"

#pragma clang fp reassociate(on) contract(fast)

CLONES void h2rec_bias_relu_dropout(float *restrict x, const float *restrict bias, size_t rows,
                                    size_t columns, h2rec_dropout dropout) {
  uint32_t threshold = dropout_threshold(dropout.rate);
  float keep = 1.0f / (1.0f - dropout.rate);
  for (size_t row = 0; row < rows; row++) {
    float *y = x + row * columns;
    uint32_t first = (uint32_t)row * (uint32_t)columns;
    if (dropout.rate > 0) {
      for (uint32_t i = 0; i < columns; i++) {
        float value = y[i] + bias[i];
        value = value > 0 ? value : 0;
        y[i] = value * mask_value(first + i, dropout.key, threshold, keep);
      }
    } else {
      for (size_t i = 0; i < columns; i++) {
        float value = y[i] + bias[i];
        y[i] = value > 0 ? value : 0;
      }
    }
  }
}

CLONES void h2rec_relu_dropout_backward(const float *restrict y, const float *restrict dy,
                                        float *restrict dx, size_t count, float rate) {
  float keep = 1.0f / (1.0f - rate);
  for (size_t i = 0; i < count; i++) dx[i] = y[i] > 0 ? dy[i] * keep : 0;
}

CLONES void h2rec_bias_dropout_add(const float *restrict x, const float *restrict bias,
                                   const float *restrict residual, float *restrict out, size_t rows,
                                   size_t columns, h2rec_dropout dropout) {
  uint32_t threshold = dropout_threshold(dropout.rate);
  float keep = 1.0f / (1.0f - dropout.rate);
  for (size_t row = 0; row < rows; row++) {
    const float *a = x + row * columns, *r = residual + row * columns;
    float *y = out + row * columns;
    uint32_t first = (uint32_t)row * (uint32_t)columns;
    if (dropout.rate > 0) {
      for (uint32_t i = 0; i < columns; i++)
        y[i] = r[i] + (a[i] + bias[i]) * mask_value(first + i, dropout.key, threshold, keep);
    } else {
      for (size_t i = 0; i < columns; i++) y[i] = r[i] + a[i] + bias[i];
    }
  }
}

CLONES void h2rec_softmax(float *restrict x, const float *restrict shift, size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; row++) {
    float *y = x + row * columns;
    if (shift)
      for (size_t i = 0; i < columns; i++) y[i] += shift[i];
    float peak = y[0], sum = 0;
    for (size_t i = 1; i < columns; i++) peak = y[i] > peak ? y[i] : peak;
    for (size_t i = 0; i < columns; i++) {
      y[i] = fast_exp(y[i] - peak);
      sum += y[i];
    }
    float inverse = 1.0f / sum;
    for (size_t i = 0; i < columns; i++) y[i] *= inverse;
  }
}

CLONES void h2rec_softmax_backward(const float *restrict y, const float *restrict dy, float *restrict dx,
                                   size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; row++) {
    const float *p = y + row * columns, *g = dy + row * columns;
    float product = 0;
    for (size_t i = 0; i < columns; i++) product += p[i] * g[i];
    for (size_t i = 0; i < columns; i++) dx[row * columns + i] += p[i] * (g[i] - product);
  }
}

CLONES float h2rec_cross_entropy_row(float *restrict logits, size_t count, size_t target, float weight) {
  float peak = logits[0], sum = 0, wanted = logits[target];
  for (size_t i = 1; i < count; i++) peak = logits[i] > peak ? logits[i] : peak;
  for (size_t i = 0; i < count; i++) {
    logits[i] = fast_exp(logits[i] - peak);
    sum += logits[i];
  }
  float factor = weight / sum;
  for (size_t i = 0; i < count; i++) logits[i] *= factor;
  logits[target] -= weight;
  return logf(sum) + peak - wanted;
}
