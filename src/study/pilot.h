/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_STUDY_PILOT_H
#define PGB_STUDY_PILOT_H

#include "comm/comm.h"
#include "oracle/oracle.h"
#include "study/study.h"

/* What baselines must know beforehand, per cell: from the oracle where it knows, else fitted once on the
 * pilot sample (study->pilot episodes, random numbers of their own) and then held fixed, so that estimates
 * stay unbiased. */
typedef struct pgb_fits {
  const pgb_value *const *value; /* [n_estimators][n_baselines] of PGB_BASELINE_VALUE, NULL where not known */
  const double *const *constant; /* [n_estimators] b* in all of [n_theta], NULL where not needed */
  const double *const *component; /* [n_estimators] b_k* [n_theta], NULL where not needed   */
} pgb_fits;

/* What an oracle says of the state value that a baseline takes (not PGB_FROM_PILOT); false where it does not
 * know. */
bool pgb_pilot_oracle_value(const pgb_oracle *oracle, const pgb_estimator_class *estimator,
                            const pgb_baseline_class *baseline, pgb_value *out);

/* A cell's fits on their way. open takes its memory, but for what other ranks' chunks come into; sums and
 * fits live in the arena. */
typedef struct pgb_pilot pgb_pilot;
pgb_status pgb_pilot_open(const pgb_study *study, size_t cell, pgb_oracle *oracle, pgb_isa isa,
                          pgb_arena *arena, pgb_pilot **out) PGB_MUST_CHECK;
void pgb_pilot_close(pgb_pilot *pilot); /* accepts NULL */

/* Who may end a sample on its way: asked, on each rank for itself and often, whether to give up (not 0); then
 * pause, collective, between what is added up, must fail on all ranks. */
typedef struct pgb_pilot_watch {
  void *self;
  int (*asked)(void *self);
  pgb_status (*pause)(void *self);
} pgb_pilot_watch;

/* Collective, or with comm NULL each for itself, to the same bits. Completes the sample: ranks take chunks of
 * it, and what all of them add up to is on every rank. watch: or NULL. */
pgb_status pgb_pilot_run(pgb_pilot *pilot, pgb_comm *comm, const pgb_pilot_watch *watch) PGB_MUST_CHECK;

/* All that the chunks so far have left, [n], the number of episodes first: another pilot of the same cell
 * that is given it goes on from there, to the same bits. */
double *pgb_pilot_sums(const pgb_pilot *pilot, size_t *n);

/* Of a complete sample. */
pgb_status pgb_pilot_fits(const pgb_pilot *pilot, pgb_arena *arena, pgb_fits *out) PGB_MUST_CHECK;

#endif
