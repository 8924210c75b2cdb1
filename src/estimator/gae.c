/* SPDX-License-Identifier: MIT */
#include "estimator/gae.h"

#include "estimator/discount.h"
#include "estimator/estimator.h"

#include <stddef.h>

static const pgb_option options[] = {
    {"lambda", "1", PGB_TYPE_REAL, offsetof(pgb_gae, lambda), 0, 1, "0.95", NULL,
     "0 trusts the value function alone, 1 the rewards alone"},
};

/* gamma^t of rows [from, to), a few at a time because the weights are made backwards. */
enum { CHUNK = 16 };
static void discounts(double gamma, const pgb_rollout *r, size_t from, size_t to, double out[][PGB_LANES]) {
  const double *discount = r->discount;
  const int32_t *step = r->step + from * PGB_LANES;
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++)
    out[0][i] = discount[step[i]];
  for (size_t t = 1; t < to - from; t++)
    advance(gamma, r, from + t, out[t - 1], out[t]);
}

/* One row of weights, A and V going in as those of the next row. value NULL: V = 0. */
static inline void weigh_row(double gamma, double keep, const float *reward, const uint8_t *end,
                             const double *discount, const double *value, double *advantage,
                             double *next_value, float *w) {
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    const double then = end[i] == PGB_LIVE ? advantage[i] : 0.0;
    double sum = (double)reward[i] + keep * then;
    if (value != NULL) {
      const double later = end[i] == PGB_LIVE ? next_value[i] : 0.0;
      sum = sum + gamma * later - value[i];
      next_value[i] = value[i];
    }
    advantage[i] = sum;
    w[i] = end[i] == PGB_IDLE ? 0.0f : (float)(discount[i] * sum);
  }
}

/* Backwards over rows: A_t = r_t + gamma V_{t+1} - V_t + gamma lambda A_{t+1}, V and A being 0 after the last
 * step. */
static void weights(const void *params, double gamma, const pgb_rollout *r, const double *value, float *w) {
  const double keep = gamma * ((const pgb_gae *)params)->lambda;
  double next_value[PGB_LANES] = {0};
  double advantage[PGB_LANES] = {0};
  double discount[CHUNK][PGB_LANES];
  for (size_t to = r->rows, from = 0; to > 0; to = from) {
    from = to > CHUNK ? to - CHUNK : 0;
    discounts(gamma, r, from, to, discount);
    for (size_t t = to; t-- > from;) {
      const size_t at = t * PGB_LANES;
      if (value != NULL)
        weigh_row(gamma, keep, r->reward + at, r->end + at, discount[t - from], value + at, advantage,
                  next_value, w + at);
      else
        weigh_row(gamma, keep, r->reward + at, r->end + at, discount[t - from], NULL, advantage, next_value,
                  w + at);
    }
  }
}

static bool biased(const void *params, double gamma, size_t horizon, bool value_exact) {
  (void)gamma;
  return !value_exact && horizon > 1 && ((const pgb_gae *)params)->lambda < 1;
}

const pgb_estimator_class PGB_KERNEL(pgb_estimator_gae) = {
    .name = "gae",
    .title = "generalised advantage estimation with the baseline as V",
    .formula = "g = sum_t gamma^t psi_t A_t,  A_t = delta_t + gamma lambda A_{t+1},  delta_t = r_t + gamma "
               "V(s_{t+1}) "
               "- V(s_t); V = 0 without a baseline and after the last step",
    .bias = "unbiased if lambda = 1 or V = V^pi; else biased by the error of V",
    .source = "Schulman et al. 2016, arXiv:1506.02438, equation 16",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(pgb_gae),
    .weights = weights,
    .biased = biased,
};
