/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ORACLE_SECOND_KIND_H
#define PGB_ORACLE_SECOND_KIND_H

#include "oracle/second.h"

/* What the files of the second answer share; not for others. */

/* A method: open finds NULL where the problem is not its own or too large; `problem` may be moved along theta
 * later, hence j takes it. */
typedef struct pgb_second_kind {
  const char *method;
  pgb_status (*open)(const pgb_problem *problem, pgb_arena *arena, void **state);
  bool (*j)(void *state, const pgb_problem *problem, double *j);
  bool (*constant)(void *state, const pgb_estimator_class *estimator, bool component, double *b);
  bool (*moments)(void *state, const pgb_pair *pair, size_t batch, double *mean, double *variance);
} pgb_second_kind;

extern const pgb_second_kind pgb_second_paths, pgb_second_draws, pgb_second_forms;

/* Episodes as points with probabilities: p sums to 1. [n] points, T steps, d parameters. */
typedef struct pgb_atoms {
  size_t n, steps, d;
  double gamma;
  bool noisy;     /* a point stands for a continuous law: moments of rewards hold to degree 3 only */
  double *p;      /* [n]       */
  double *reward; /* [n][T]    */
  double *obs;    /* [n][T] the state's number, or the context */
  double *psi;    /* [n][T][d] grad log pi */
} pgb_atoms;

pgb_status pgb_atoms_create(size_t n, size_t steps, size_t d, pgb_arena *arena,
                            pgb_atoms *out) PGB_MUST_CHECK;
double pgb_atoms_return(const pgb_atoms *atoms);
bool pgb_atoms_constant(const pgb_atoms *atoms, const pgb_estimator_class *estimator, bool component,
                        double *b);
bool pgb_atoms_moments(const pgb_atoms *atoms, const pgb_pair *pair, size_t batch, double *mean,
                       double *variance);

#endif
