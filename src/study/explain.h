/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STUDY_EXPLAIN_H
#define PGB_STUDY_EXPLAIN_H

#include "study/plan.h"

/* The log-derivative trick of one problem in numbers. dJ is the derivative of J by one parameter theta_k: the
 * one J gains most from. A term is an action (bandit), a grid point of the action (gaussian: the integral as
 * a sum with step sigma, which the trapezoidal rule's aliasing error exp(-2 pi^2) makes right to six digits)
 * or a path of actions (chain). */
typedef enum pgb_explain_kind {
  PGB_EXPLAIN_BANDIT,
  PGB_EXPLAIN_GAUSSIAN,
  PGB_EXPLAIN_CHAIN,
  PGB_EXPLAIN_KINDS
} pgb_explain_kind;

/* "bandit", "gaussian", "chain". */
const char *pgb_explain_name(pgb_explain_kind kind);

typedef struct pgb_explain_term {
  double x;    /* the action or the number of the path                                     */
  double r;    /* its mean reward; of a path the discounted sum                            */
  double p;    /* its probability (gaussian: density times grid step), product by product   */
  double dp;   /* dp / dtheta_k, by the rules for quotients, chains and products            */
  double dlog; /* d log p / dtheta_k, numerically from the policy's own log pi: not dp / p  */
} pgb_explain_term;

/* Sums over all terms. */
typedef struct pgb_explain_sums {
  double p, dp, dp_r, p_dlog, p_dlog_r;
} pgb_explain_sums;

/* Ways to turn episodes into an estimate; bandit and gaussian have the first and the last. */
typedef enum pgb_explain_way {
  PGB_EXPLAIN_PLAIN,    /* return times sum of d log pi                       */
  PGB_EXPLAIN_TOGO,     /* each d log pi times the rewards that come after it */
  PGB_EXPLAIN_BASELINE, /* the same with a baseline subtracted                */
  PGB_EXPLAIN_WAYS
} pgb_explain_way;

typedef struct pgb_explain_estimate {
  double one;       /* of the first replicate                                        */
  double typical;   /* root mean square error of all replicates                      */
  double predicted; /* exact standard deviation of an estimate of n episodes          */
} pgb_explain_estimate;

typedef struct pgb_explain_batch {
  uint64_t n; /* episodes */
  pgb_explain_estimate way[PGB_EXPLAIN_WAYS];
} pgb_explain_batch;

typedef struct pgb_explanation {
  pgb_explain_kind kind;
  pgb_arena *arena;
  pgb_study *study;
  size_t k; /* theta_k */
  size_t n_choices, horizon;
  double sigma, centre; /* gaussian: of the action        */
  bool noisy;           /* rewards have a spread of their own */
  size_t n_terms;
  const pgb_explain_term *terms;
  pgb_explain_sums sums;
  double j, gradient;            /* of the oracle                                                        */
  double step, up, down;         /* J at theta_k + step and theta_k - step, from the policy's own log pi  */
  const double *pi, *dpi, *dlog; /* [n_choices] of one step, bandit and chain                      */
  const double *pairing;         /* chain: [T][T] at [s][t]: E[gamma^s r_s d log pi(a_t)]                  */
  const char *baseline;          /* name                                                                  */
  const double *b;               /* [horizon] the baseline                                                */
  double best, best_sd;          /* the constant of least spread for theta_k with the last way's estimator */
  double sd[PGB_EXPLAIN_WAYS];   /* exact, of one episode                                            */
  size_t n_batches;
  const pgb_explain_batch *batches;
} pgb_explanation;

/* What the user may change: env and policy of the kind, one baseline known beforehand, batch, replicates,
 * gamma, seed; the rest of the request must be empty. PGB_USAGE where the problem is none that a screen can
 * show. Not collective; the figures depend on the request alone. */
pgb_status pgb_explain_create(pgb_explain_kind kind, const pgb_request *request,
                              pgb_explanation **out) PGB_MUST_CHECK;
void pgb_explain_destroy(pgb_explanation *explanation); /* accepts NULL */

/* explain_terms.c: k, terms and all that is computed from them; needs arena, study, gradient's k. */
pgb_status pgb_explain_terms(pgb_explanation *explanation) PGB_MUST_CHECK;

#endif
