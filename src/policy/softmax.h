/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_POLICY_SOFTMAX_H
#define PGB_POLICY_SOFTMAX_H

#include "core/vmath.h"
#include "policy/policy.h"

/* Sampling that the softmax policies share. delta enters as logits [n_choices][lanes] and leaves as
 * d log pi / d logits = 1{a} - pi. The action is the number of cumulative weights that u has passed. 1 - pi
 * of the likeliest action is the sum of the others: subtracting would lose all digits of a nearly
 * deterministic policy. */
static inline void softmax_sample(size_t n_choices, const uint32_t *words, float *act, float *delta) {
  float top[PGB_LANES];
  float sum[PGB_LANES] = {0};
  float others[PGB_LANES] = {0};
  float level[PGB_LANES] = {0};
  int32_t likeliest[PGB_LANES] = {0};
  int32_t choice[PGB_LANES] = {0};
  memcpy(top, delta, sizeof top);
  for (size_t a = 1; a < n_choices; a++) {
    const float *row = delta + a * PGB_LANES;
    const int32_t this_one = (int32_t)a;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++) {
      likeliest[i] = row[i] > top[i] ? this_one : likeliest[i];
      top[i] = row[i] > top[i] ? row[i] : top[i];
    }
  }
  for (size_t a = 0; a < n_choices; a++) {
    float *row = delta + a * PGB_LANES;
    const int32_t this_one = (int32_t)a;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++) {
      row[i] = pgb_exp(row[i] - top[i]);
      sum[i] += row[i];
      others[i] += likeliest[i] == this_one ? 0.0f : row[i];
    }
  }
  for (size_t a = 0; a + 1 < n_choices; a++) {
    const float *row = delta + a * PGB_LANES;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++) {
      level[i] += row[i];
      choice[i] += pgb_uniform(words[i]) * sum[i] >= level[i] ? 1 : 0;
    }
  }
  for (size_t a = 0; a < n_choices; a++) {
    float *row = delta + a * PGB_LANES;
    const int32_t this_one = (int32_t)a;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++) {
      const float p = row[i] / sum[i];
      const float rest = likeliest[i] == this_one ? others[i] / sum[i] : 1.0f - p;
      row[i] = choice[i] == this_one ? rest : -p;
    }
  }
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++)
    act[i] = (float)choice[i];
}

/* The same for two choices and one lane, from the odds of choice 0 against choice 1: one exponential and one
 * reciprocal, and both probabilities keep their digits. Returns the choice; delta is d log pi / d logit 0,
 * and its negative that of logit 1. */
static inline float softmax_pair(float odds, uint32_t word, float *delta) {
  const float sum = 1.0f + odds;
  const float pi1 = 1.0f / sum;
  const float pi0 = odds * pi1;
  const bool first = pgb_uniform(word) * sum < odds;
  *delta = first ? pi1 : -pi0;
  return first ? 0.0f : 1.0f;
}

/* Reference: log softmax(logits)[a] in double. */
static inline double softmax_logp(const double *logits, size_t n_choices, size_t a) {
  double top = logits[0];
  for (size_t k = 1; k < n_choices; k++)
    top = fmax(top, logits[k]);
  double sum = exp(logits[0] - top);
  for (size_t k = 1; k < n_choices; k++)
    sum += exp(logits[k] - top);
  return logits[a] - top - log(sum);
}

#endif
