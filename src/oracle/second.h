/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ORACLE_SECOND_H
#define PGB_ORACLE_SECOND_H

#include "oracle/oracle.h"

/* The second answer to every oracle, by other mathematics and for small problems alone: `pgbench verify` and
 * the tests hold the oracles against it. bandit chain mdp  all paths, and all batches of them; a reward's
 * noise enters as two points, exact because no moment is of higher degree than 3 in it gaussian Gauss-Hermite
 * nodes in place of the draws, exact for the polynomials that occur lqr               every score, reward and
 * value as a quadratic form of all the episode's noise at once; moments of products of forms from joint
 * cumulants Estimators and baselines are evaluated here as their definitions read, in double. "Too large" and
 * "not this way" are answers (NULL, false). */
typedef struct pgb_second pgb_second;

/* *out = NULL where the problem is not of the kinds above, or too large. Lives in the arena; problem must
 * too. */
pgb_status pgb_second_open(const pgb_problem *problem, pgb_arena *arena, pgb_second **out) PGB_MUST_CHECK;
const char *pgb_second_method(const pgb_second *second); /* "enumeration", "quadrature", "quadratic forms" */

/* J, and grad J by differences of J of eighth order: relative error about 1e-12. */
bool pgb_second_gradient(pgb_second *second, double *j, double *gradient);

/* As pgb_oracle_constant. */
bool pgb_second_constant(pgb_second *second, const pgb_estimator_class *estimator, bool component, double *b);

/* As pgb_oracle_moments. False where the batches are too many, or the form of the pair is not known. */
bool pgb_second_moments(pgb_second *second, const pgb_pair *pair, size_t batch, double *mean,
                        double *variance);

#endif
