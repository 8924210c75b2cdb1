/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_ESTIMATOR_ESTIMATOR_H
#define PGB_ESTIMATOR_ESTIMATOR_H

#include "core/option.h"
#include "rollout/rollout.h"

/* An estimator of the policy gradient is a weighting of scores: one episode gives g = sum_t w_t psi_t with
 * psi_t = grad log pi(a_t | s_t). With a state value V, V takes the baseline's place in the weights; with a
 * constant b, g = A - b S with A = sum_t w_t psi_t (no baseline) and S = sum_t ones_t psi_t. */
typedef void pgb_ones_fn(double gamma, const pgb_rollout *rollout, float *w); /* w as of weights below */

typedef struct pgb_estimator_class {
  const char *name, *title, *formula, *bias, *source;
  const char *aliases; /* names that people know it by, "a|b", or NULL */
  const pgb_option *options;
  size_t n_options, params_size;

  /* w[rows][lanes] from togo, reward, step and end of the rollout; value [rows][lanes] or NULL for none. Idle
   * lanes get 0. */
  void (*weights)(const void *params, double gamma, const pgb_rollout *rollout, const double *value,
                  float *w);
  /* What a constant baseline multiplies: one of the functions below, so that estimators with the same one
   * share S; NULL where a constant has no meaning (gae). */
  pgb_ones_fn *ones;
  bool flat;  /* ones are 1 at every step of any rollout, so they need be written only once */
  bool whole; /* w_t = (G_0 - V(s_0)) ones_t: an episode's sum is a multiple of S, no sum of its own is needed
               */
  /* Whether the expectation differs from grad J although the baseline is harmless; NULL: never. value_exact:
   * V is V^pi itself. */
  bool (*biased)(const void *params, double gamma, size_t horizon, bool value_exact);
} pgb_estimator_class;

const pgb_estimator_class *const *
pgb_estimator_table(pgb_isa isa); /* NULL-terminated, order of estimators.def */
/* By name or alias, or NULL. */
const pgb_estimator_class *pgb_estimator_find(pgb_isa isa, const char *name);

/* 1, and gamma^t, of every step (kernels, for the classes of the same instruction set). */
pgb_ones_fn PGB_KERNEL(pgb_ones_flat), PGB_KERNEL(pgb_ones_discounted);

/* Sums over n consecutive episodes, in their order, in double: sum[k] += factor[e] * x[e*stride + k], k <
 * size; factor NULL: 1; fused: rounded once in avx2 and avx512 builds, which is faster, else twice
 * everywhere. Columns go PGB_SUM_COLUMNS at a time: whatever stands behind the last one is read and summed
 * too, so x and sum have room for pgb_sum_room(size) there. */
enum { PGB_SUM_COLUMNS = 8 };
static inline size_t pgb_sum_room(size_t size) {
  return (size + PGB_SUM_COLUMNS - 1) / PGB_SUM_COLUMNS * PGB_SUM_COLUMNS;
}
typedef void pgb_episode_sum_fn(const float *x, size_t stride, size_t size, const double *factor, bool fused,
                                size_t n, double *sum);
pgb_episode_sum_fn *pgb_episode_sum(pgb_isa isa);

#endif
