/* SPDX-License-Identifier: MIT */
#ifndef PGB_BENCH_CASE_H
#define PGB_BENCH_CASE_H

#include "study/measure.h"

/* CartPole with the linear softmax policy, ready to measure: the product's own unit of work. */
typedef struct bench_case {
  pgb_isa isa;
  pgb_study *study;
  pgb_arena *arena;
  pgb_plan plan;
  pgb_measure *measure;
  double *slots; /* [stride] */
  size_t stride;
} bench_case;

enum { CASE_BATCH = 64, CASE_REPLICATES = 128 }; /* episodes in an estimate, estimates in a block */

/* NULL for estimators or baselines: all. Exits with a message where it cannot be made. */
bench_case *bench_case_open(pgb_isa isa, const char *estimators, const char *baselines);
void bench_case_close(bench_case *c);

/* Measures one block into c->slots; steps taken. */
double bench_case_run(bench_case *c);

/* Ends the program with the message of a failed status. */
void bench_require(pgb_status status);

#endif
