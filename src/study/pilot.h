/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_STUDY_PILOT_H
#define PGB_STUDY_PILOT_H

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

pgb_status pgb_pilot_fit(const pgb_study *study, size_t cell, pgb_oracle *oracle, pgb_isa isa,
                         pgb_arena *arena, pgb_fits *out) PGB_MUST_CHECK;

#endif
