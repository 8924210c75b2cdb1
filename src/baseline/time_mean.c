/* SPDX-License-Identifier: MIT */
#include "baseline/baseline.h"

const pgb_baseline_class pgb_baseline_time_mean = {
    .name = "time-mean",
    .title = "the mean reward-to-go of the other episodes at the same step",
    .formula = "b_{i,t} = mean of G_{j,t} over the j != i that reached step t, 0 where none did",
    .bias = "unbiased wherever the estimator is, N >= 2; with gae biased for lambda < 1",
    .source = "Peters and Schaal 2008, doi:10.1016/j.neunet.2008.02.003, section 3.2; Kool et al. 2019",
    .kind = PGB_BASELINE_STEP,
    .min_batch = 2,
};

void pgb_time_mean_add(const pgb_rollout *r, size_t from, size_t to, double *sum, double *count) {
  for (size_t e = from; e < to; e++) {
    const double *togo = r->togo + r->origin[e];
    const size_t length = (size_t)r->length[e];
    for (size_t t = 0; t < length; t++)
      sum[t] += togo[t * PGB_LANES];
    count[length - 1] += 1;
  }
}

void pgb_time_mean_close(size_t episodes, double *count) {
  double left = (double)episodes; /* that reach step t */
  for (size_t t = 0; left > 0; t++) {
    const double ended = count[t];
    count[t] = left > 1 ? 1 / (left - 1) : 0.0;
    left -= ended;
  }
}

void pgb_time_mean_eval(const pgb_rollout *r, size_t from, size_t to, const double *sum, const double *share,
                        double *value) {
  for (size_t e = from; e < to; e++) {
    const double *togo = r->togo + r->origin[e];
    double *out = value + r->origin[e];
    const size_t length = (size_t)r->length[e];
    for (size_t t = 0; t < length; t++)
      out[t * PGB_LANES] = (sum[t] - togo[t * PGB_LANES]) * share[t];
  }
}
