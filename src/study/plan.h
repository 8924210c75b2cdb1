/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STUDY_PLAN_H
#define PGB_STUDY_PLAN_H

#include "comm/comm.h"
#include "oracle/oracle.h"
#include "study/study.h"

/* How a cell's (estimator, baseline) pairs are computed from common rollouts: each from one to three sums
 * over the batch, of contracted weight rows or of such rows times a factor of each episode, and both are
 * shared. A pure function of study, cell and seed; every rank makes its own copy, identical on all. */

typedef enum pgb_row_kind {
  PGB_ROW_PLAIN, /* weights without a baseline: A; factor R                */
  PGB_ROW_ONES,  /* what a constant multiplies: S                          */
  PGB_ROW_VALUE, /* with a state value known beforehand; factor R - V(s_0)  */
  PGB_ROW_STEP,  /* with the time-mean of the batch's other episodes; factor R less that of step 0 */
} pgb_row_kind;

typedef struct pgb_row {
  pgb_row_kind kind;
  size_t estimator;       /* index into the study's estimators; PGB_ROW_ONES: any that has these ones */
  const pgb_value *value; /* PGB_ROW_VALUE                     */
} pgb_row;

/* A row of ones times a factor of each episode: what estimators that are `whole` need instead of a row of
 * their own, and R S for leave-one-out. */
typedef struct pgb_product {
  pgb_row_kind factor;
  size_t row;
  const pgb_value *value; /* PGB_ROW_VALUE */
} pgb_product;

typedef struct pgb_plan_pair {
  bool defined;
  bool biased;            /* expectation of the batch estimate is not grad J                 */
  const char *reason;     /* why not defined, or where only: "batch 1: ..."; "" otherwise     */
  size_t a, s, rs;        /* sums of A, S and R S: a row, or n_summed and a product; == a where unused */
  const double *constant; /* [n_theta] PGB_BASELINE_CONSTANT                             */
  const pgb_value *value; /* PGB_BASELINE_VALUE                                          */
} pgb_plan_pair;

typedef struct pgb_plan {
  size_t n_rows, n_pairs; /* n_pairs = n_estimators * n_baselines, baseline fastest */
  const pgb_row *rows;
  size_t n_summed; /* rows whose own sum is asked for, the first ones: the others are there for products */
  size_t n_products;
  const pgb_product *products;
  const pgb_plan_pair *pairs;
  bool has_step_row;
  pgb_oracle *oracle; /* or NULL */
  pgb_problem problem;
} pgb_plan;

/* The stream number of a cell and batch size (core/rng.h). */
uint32_t pgb_stream(size_t cell, size_t batch_index);

struct pgb_pilot;
/* Opens the oracle and the pilot sample; between the two, pgb_pilot_run; then fits and assigns rows. After
 * begin, oracle, problem and n_pairs are there. All in the arena, but for the pilot, which is the caller's to
 * close. */
pgb_status pgb_plan_begin(const pgb_study *study, size_t cell, pgb_isa isa, pgb_arena *arena, pgb_plan *out,
                          struct pgb_pilot **pilot) PGB_MUST_CHECK;
pgb_status pgb_plan_end(const pgb_study *study, size_t cell, const struct pgb_pilot *pilot, pgb_arena *arena,
                        pgb_plan *out) PGB_MUST_CHECK;

/* All of it in one go. Collective, or with comm NULL each for itself. */
pgb_status pgb_plan_create(const pgb_study *study, size_t cell, pgb_isa isa, pgb_comm *comm, pgb_arena *arena,
                           pgb_plan *out) PGB_MUST_CHECK;

/* A fingerprint of all that was decided and fitted: equal on all ranks unless an oracle ran short of memory
 * on one. */
uint64_t pgb_plan_hash(const pgb_plan *plan);

/* For pgb_study_keep: NULL for each estimator [n_estimators] and baseline [n_baselines] that some cell and
 * batch size can use, else why none can (a static text). */
pgb_status pgb_plan_usable(const pgb_study *study, const char **estimator,
                           const char **baseline) PGB_MUST_CHECK;

#endif
