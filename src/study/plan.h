/* SPDX-License-Identifier: MIT */
#ifndef PGB_STUDY_PLAN_H
#define PGB_STUDY_PLAN_H

#include "oracle/oracle.h"
#include "study/study.h"

/* How a cell's (estimator, baseline) pairs are computed from common rollouts: each needs one or two weight
 * rows, and rows are shared. A pure function of study, cell and seed; every rank makes its own copy,
 * identical on all. */

typedef enum pgb_row_kind {
  PGB_ROW_PLAIN, /* weights without a baseline: A                          */
  PGB_ROW_ONES,  /* what a constant multiplies: S                          */
  PGB_ROW_VALUE, /* weights with a state value known beforehand            */
  PGB_ROW_STEP,  /* weights with the time-mean of the batch's other episodes */
} pgb_row_kind;

typedef struct pgb_row {
  pgb_row_kind kind;
  size_t estimator;       /* index into the study's estimators */
  const pgb_value *value; /* PGB_ROW_VALUE                     */
} pgb_row;

typedef struct pgb_plan_pair {
  bool defined;
  bool biased;            /* expectation of the batch estimate is not grad J                 */
  const char *reason;     /* why not defined, or where only: "batch 1: ..."; "" otherwise     */
  size_t row, ones;       /* rows of A (or the value row) and of S; ones == row where unused   */
  const double *constant; /* [n_theta] PGB_BASELINE_CONSTANT                             */
  const pgb_value *value; /* PGB_BASELINE_VALUE                                          */
} pgb_plan_pair;

typedef struct pgb_plan {
  size_t n_rows, n_pairs; /* n_pairs = n_estimators * n_baselines, baseline fastest */
  const pgb_row *rows;
  const pgb_plan_pair *pairs;
  bool has_step_row;
  pgb_oracle *oracle; /* or NULL */
  pgb_problem problem;
} pgb_plan;

/* The stream number of a cell and batch size (core/rng.h). */
uint32_t pgb_stream(size_t cell, size_t batch_index);

/* Opens the oracle, runs the pilot sample where something must be fitted, assigns rows. All in the arena. */
pgb_status pgb_plan_create(const pgb_study *study, size_t cell, pgb_isa isa, pgb_arena *arena,
                           pgb_plan *out) PGB_MUST_CHECK;

/* A fingerprint of all that was decided and fitted: equal on all ranks unless an oracle ran short of memory
 * on one. */
uint64_t pgb_plan_hash(const pgb_plan *plan);

/* For pgb_study_keep: NULL for each estimator [n_estimators] and baseline [n_baselines] that some cell and
 * batch size can use, else why none can (a static text). */
pgb_status pgb_plan_usable(const pgb_study *study, const char **estimator,
                           const char **baseline) PGB_MUST_CHECK;

#endif
