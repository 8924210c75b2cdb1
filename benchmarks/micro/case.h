/* SPDX-License-Identifier: MIT */
#ifndef PGB_BENCH_CASE_H
#define PGB_BENCH_CASE_H

#include "study/measure.h"

/* What is measured: texts as the program's options take them; NULL for estimators or baselines: all. */
typedef struct bench_setting {
  const char *name, *env, *policy, *estimators, *baselines;
  uint64_t replicates; /* estimates of 64 episodes in one block: the unit of work */
} bench_setting;

/* Flops of a step of the perceptron 4-64-64-2 that matrix products need: the forward pass; deltas of two
 * layers and the gradient. */
#define CASE_MLP_FORWARD  (2.0 * (4 * 64 + 64 * 64 + 64 * 2))
#define CASE_MLP_BACKWARD (2.0 * (64 * 64) + CASE_MLP_FORWARD)

enum { CASE_BATCH = 64 }; /* episodes in an estimate */

/* A problem with its policy, ready to measure: the product's own unit of work. */
typedef struct bench_case {
  pgb_isa isa;
  pgb_study *study;
  const pgb_actor *actor;
  pgb_arena *arena;
  pgb_plan plan;
  pgb_measure *measure;
  double *slots; /* [stride] */
  size_t stride;
  uint64_t replicates;
} bench_case;

/* Whether this build has the setting's environment and policy. */
bool bench_case_known(const bench_setting *setting);

/* Exits with a message where it cannot be made. */
bench_case *bench_case_open(pgb_isa isa, const bench_setting *setting);
void bench_case_close(bench_case *c);

/* Measures one block into c->slots; steps taken. */
double bench_case_run(bench_case *c);

/* Ends the program with the message of a failed status. */
void bench_require(pgb_status status);

#endif
