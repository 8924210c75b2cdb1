/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_BASELINE_BASELINE_H
#define PGB_BASELINE_BASELINE_H

#include "rollout/rollout.h"
#include "rollout/value.h"

/* What a baseline is made of decides when it can be known and what it costs. */
typedef enum pgb_baseline_kind {
  PGB_BASELINE_NONE,     /* b = 0                                                           */
  PGB_BASELINE_BATCH,    /* a function of the batch's own sums: mean, loo, normalised               */
  PGB_BASELINE_CONSTANT, /* one b, or one b_k per parameter, known beforehand: optimal, optimal-component */
  PGB_BASELINE_VALUE,    /* a state value known beforehand: value, value-linear                     */
  PGB_BASELINE_STEP,     /* per step from the other episodes of the batch: time-mean                */
} pgb_baseline_kind;

/* Where the state value of a PGB_BASELINE_VALUE comes from; all but the first need an oracle that knows. */
typedef enum pgb_value_from {
  PGB_FROM_PILOT,          /* fitted on the pilot sample                                     */
  PGB_FROM_EXACT,          /* V^pi                                                           */
  PGB_FROM_SCORE_WEIGHTED, /* E[|psi|^2 G_t | s] / E[|psi|^2 | s]                            */
  PGB_FROM_OPTIMAL,        /* the b_t(s) that minimises the trace of the estimator's variance */
} pgb_value_from;

/* Sums over the N episodes of a batch; vectors of n_theta. A and S as in estimator.h, R the episode's return.
 */
typedef struct pgb_batch_sums {
  size_t n, n_theta;
  const double *a, *s,
      *rs;      /* sum A_i, sum S_i (NULL for PGB_BASELINE_NONE), sum R_i S_i (NULL unless scaled) */
  double r, rr; /* sum R_i, sum (R_i - mean R)^2                          */
  const double *constant; /* b in every entry, or b_k; NULL unless PGB_BASELINE_CONSTANT */
} pgb_batch_sums;

typedef struct pgb_baseline_class {
  const char *name, *title, *formula, *bias, *source;
  const char *aliases; /* "rloo|leave-one-out", or NULL                           */
  pgb_baseline_kind kind;
  bool biased;         /* the batch estimate is biased whatever the estimator     */
  bool scaled;         /* combine() reads rs                                      */
  bool per_component;  /* PGB_BASELINE_CONSTANT: b_k instead of b                 */
  pgb_value_from from; /* PGB_BASELINE_VALUE: where the state value comes from     */
  size_t min_batch;    /* smaller batches hold NaN, and the reason says so        */
  /* NONE, BATCH and CONSTANT: the batch estimate [n_theta] from the sums. */
  void (*combine)(const pgb_batch_sums *sums, double *g);
} pgb_baseline_class;

extern const pgb_baseline_class *const pgb_baseline_table[]; /* NULL-terminated, order of baselines.def */
/* By name or alias, or NULL. */
const pgb_baseline_class *pgb_baseline_find(const char *name);

/* The leave-one-out mean reward-to-go: for each step t of episode i, the mean of G_t over the other episodes
 * of its batch that reached step t (0 where there is none). First every episode [from, to) of a batch is
 * added to sum, of G_t, and count, of episodes whose last step is t, [horizon], zeroed by the caller, over
 * several rollouts if need be; then close turns count into the share 1/(n - 1) of each of the n others and
 * itself that reach step t, 0 for n = 1; then value [rows][lanes] is written at the steps of [from, to) only.
 * Sums run in episode order. */
void pgb_time_mean_add(const pgb_rollout *rollout, size_t from, size_t to, double *sum, double *count);
void pgb_time_mean_close(size_t episodes, double *count);
void pgb_time_mean_eval(const pgb_rollout *rollout, size_t from, size_t to, const double *sum,
                        const double *share, double *value);

/* Least squares fit of V on pgb_value_features over pilot rollouts, target G_t. Normal equations in double,
 * ridge 1e-5 as rllab's reg_coeff. What rollouts add up to lies with the caller, so that parts of a sample
 * can be added up apart: sums [pgb_value_fit_sums], zero at first. */
typedef struct pgb_value_fit pgb_value_fit;
size_t pgb_value_fit_sums(const pgb_space *space);
pgb_status pgb_value_fit_create(const pgb_space *space, pgb_value_fit **out) PGB_MUST_CHECK;
void pgb_value_fit_destroy(pgb_value_fit *fit); /* accepts NULL */
void pgb_value_fit_add(pgb_value_fit *fit, const pgb_rollout *rollout, double *sums);
pgb_status pgb_value_fit_solve(const pgb_value_fit *fit, const double *sums, pgb_arena *arena,
                               pgb_value *out) PGB_MUST_CHECK;

#endif
