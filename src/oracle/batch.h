/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ORACLE_BATCH_H
#define PGB_ORACLE_BATCH_H

#include "oracle/oracle.h"

/* What the oracles share: which pair is meant, and the law of a batch of N independent episodes from the
 * moments of one episode. */
typedef enum pgb_estimator_kind {
  PGB_ESTIMATOR_REINFORCE,    /* S (R - b)                           */
  PGB_ESTIMATOR_GPOMDP,       /* sum_t gamma^t psi_t (G_t - b)       */
  PGB_ESTIMATOR_UNDISCOUNTED, /* sum_t psi_t (G_t - b)               */
  PGB_ESTIMATOR_GAE,          /* sum_t gamma^t psi_t A_t             */
  PGB_ESTIMATOR_OTHER,
} pgb_estimator_kind;

typedef enum pgb_pair_kind {
  PGB_PAIR_NONE,
  PGB_PAIR_MEAN,       /* the batch's mean return          */
  PGB_PAIR_LOO,        /* the mean return of the others    */
  PGB_PAIR_NORMALISED, /* mean, then divided by sd(R)      */
  PGB_PAIR_CONSTANT,   /* pair->constant                   */
  PGB_PAIR_VALUE,      /* pair->value                      */
  PGB_PAIR_STEP,       /* the mean reward-to-go of the others at each step */
  PGB_PAIR_OTHER,      /* unknown, or without meaning: gae takes no constant */
} pgb_pair_kind;

pgb_estimator_kind pgb_estimator_what(const pgb_estimator_class *estimator);
pgb_pair_kind pgb_pair_what(const pgb_pair *pair);

/* Moments of one component of one episode, A the estimate without baseline, S what a constant multiplies, R
 * the return, mu = E[R]. E[S] = 0, as for every sum of scores with fixed weights. */
typedef struct pgb_episode {
  double a;      /* E[A]                                      */
  double var_a;  /* Var(A - mu S)                             */
  double ss;     /* E[S^2]                                    */
  double sr;     /* E[S R]                                    */
  double cov;    /* Cov(A - mu S, S (R - mu)); PGB_PAIR_MEAN only */
  double var_sr; /* Var(S (R - mu)); PGB_PAIR_MEAN only       */
} pgb_episode;

/* Moments where A = S R (reinforce, or one step): the last three follow from the others. */
pgb_episode pgb_episode_simple(double a, double var_a, double ss);

/* Batch estimate with the leave-one-out mean (Kool et al. 2019), n >= 2: unbiased for E[A], and
 * Var = [Var(A - mu S) + (E[S^2] Var R + E[S R]^2) / (n-1)] / n. */
void pgb_batch_loo(const pgb_episode *e, double var_r, size_t n, double *mean, double *variance);

/* Batch estimate with the batch's own mean: E = E[A] - E[S R]/n, and
 * Var = Var(A - mu S - S (R - mu)/n) / n + (n-1)/n^3 (E[S^2] Var R + E[S R]^2). */
void pgb_batch_mean(const pgb_episode *e, double var_r, size_t n, double *mean, double *variance);

/* second - mean^2, and 0 where the difference is rounding: an estimator may have no variance at all. */
double pgb_variance(double second, double mean);

/* p[i] = exp(theta[i]) / sum_j exp(theta[j]), i < n. */
void pgb_softmax(const double *theta, size_t n, double *p);

/* V of every step and context, table[horizon][contexts], for a problem with discrete observations. False
 * where the value is of another problem or memory is short. */
bool pgb_value_tabulate(pgb_arena *arena, const pgb_value *value, size_t horizon, size_t contexts,
                        double *table);

#endif
