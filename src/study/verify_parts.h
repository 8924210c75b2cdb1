/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_STUDY_VERIFY_PARTS_H
#define PGB_STUDY_VERIFY_PARTS_H

#include "study/result.h"
#include "study/run.h"
#include "study/study.h"
#include "study/verify.h"

/* Inside of pgb_verify, for the verify*.c files alone. */

/* verify_problem.c: instance i of the seed as study text, NULL past the last. */
typedef struct pgb_verify_instance {
  const char *problem, *title;
  char *text; /* YAML without replicates */
} pgb_verify_instance;
size_t pgb_verify_count(void);
pgb_status pgb_verify_instance_at(uint64_t seed, size_t i, pgb_arena *arena,
                                  pgb_verify_instance *out) PGB_MUST_CHECK;

/* verify_exact.c: the oracle of the study's only cell against the second method. Not collective: one rank
 * does it, and the slots, zero elsewhere, are combined. */
typedef enum pgb_verify_what {
  PGB_VERIFY_NOTHING,
  PGB_VERIFY_RETURN,
  PGB_VERIFY_GRADIENT,
  PGB_VERIFY_CONSTANT,
  PGB_VERIFY_COMPONENT,
  PGB_VERIFY_MEAN,
  PGB_VERIFY_VARIANCE,
  PGB_VERIFY_UNBIASED, /* the second method's mean of an unbiased pair against its gradient */
} pgb_verify_what;
enum { /* what one instance yields */
       PGB_VERIFY_KNOWN,
       PGB_VERIFY_COMPARED,
       PGB_VERIFY_DIFFERENCE,
       PGB_VERIFY_METHOD,    /* 1 enumeration, 2 quadrature, 3 quadratic forms, 0 none */
       PGB_VERIFY_FAILED,    /* a pgb_verify_what                                      */
       PGB_VERIFY_FAIL_PAIR, /* and where, and both figures                             */
       PGB_VERIFY_FAIL_BATCH,
       PGB_VERIFY_FAIL_COMPONENT,
       PGB_VERIFY_FAIL_ORACLE,
       PGB_VERIFY_FAIL_SECOND,
       PGB_VERIFY_SLOTS
};
pgb_status pgb_verify_exact(const pgb_study *study, pgb_isa isa, double *slots) PGB_MUST_CHECK;
void pgb_verify_exact_row(const pgb_study *study, const double *slots, pgb_verify_row *row);

/* verify_sample.c. z-scores that one instance can yield at the most. */
size_t pgb_verify_tests(const pgb_study *study);
/* Collective: runs the study and judges it with the bound. Adds to the row, on rank 0. */
pgb_status pgb_verify_sample(const pgb_study *study, pgb_isa isa, double bound, pgb_comm *comm,
                             pgb_verify_row *row) PGB_MUST_CHECK;

#endif
