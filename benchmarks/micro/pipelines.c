/* SPDX-License-Identifier: MIT */
/* Whole pipelines: rollout, sampling, reward-to-go, the gradient of every episode, moments. Items are
 * environment steps. */
#include "bodies.h"
#include "case.h"
#include "twin.h"

#include <math.h>
#include <stdio.h>

typedef struct pipeline {
  const char *name, *estimators, *baselines; /* NULL: all */
  bool every_isa;
} pipeline;

static const pipeline pipelines[] = {
    {"gpomdp_none", "gpomdp", "none", true},
    {"gpomdp_all_baselines", "gpomdp", NULL, false},
    {"all_estimators_none", NULL, "none", false},
    {"all_pairs", NULL, NULL, false},
};

/* One of the table above in one instruction set, or the twin. */
typedef struct task {
  const pipeline *what;
  pgb_isa isa;
} task;

static twin_problem problem_of(const bench_case *c) {
  const pgb_actor *actor = &c->study->cells[0].actor;
  return (twin_problem){.theta = actor->theta,
                        .gamma = (float)actor->gamma,
                        .horizon = (int)actor->space.horizon,
                        .seed = c->study->seed,
                        .stream = pgb_stream(0, 0),
                        .batch = CASE_BATCH};
}

/* The twin runs the product's episodes, so their mean gradients differ by rounding and by the few draws that
 * rounding tips; tr Var likewise. */
static bool same_statistic(const bench_case *c, const twin_moments *twin) {
  const double *mean = c->slots + 3; /* stats/stats.h: count, zeros, peak, mean, m2, unit */
  const double *m2 = mean + TWIN_THETA;
  double off = 0;
  double error = 0;
  double trace[2] = {0, 0};
  for (int k = 0; k < TWIN_THETA; k++) {
    off += pow(mean[k] - twin->mean[k], 2);
    error += twin->m2[k] / twin->replicates / twin->replicates;
    trace[0] += m2[k];
    trace[1] += twin->m2[k];
  }
  return c->slots[0] == twin->replicates && sqrt(off) < 0.01 * sqrt(error) &&
         fabs(trace[0] - trace[1]) < 0.01 * trace[1];
}

static void twin_body(bench_state *state, void *argument) {
  const task *t = argument;
  bench_case *c = bench_case_open(t->isa, "gpomdp", "none");
  const twin_problem problem = problem_of(c);
  double steps = 0;
  twin_moments moments = {.replicates = 0};
  while (bench_next(state)) {
    moments = (twin_moments){.replicates = 0};
    twin_measure(&problem, 0, CASE_REPLICATES, &moments);
    steps += moments.steps;
  }
  bench_items(state, steps);
  (void)bench_case_run(c);
  if (!same_statistic(c, &moments))
    bench_fail(
        state,
        "twin and product disagree: one of them has changed; make twin.c compute what the product does");
  bench_case_close(c);
}

static void block_body(bench_state *state, void *argument) {
  const task *t = argument;
  bench_case *c = bench_case_open(t->isa, t->what->estimators, t->what->baselines);
  double steps = 0;
  while (bench_next(state))
    steps += bench_case_run(c);
  bench_items(state, steps);
  bench_case_close(c);
}

void pipelines_add(pgb_isa best) {
  enum { N = sizeof pipelines / sizeof *pipelines };
  static task tasks[N][PGB_ISA_COUNT];
  static task twin;
  char name[96];
  twin = (task){.isa = best};
  bench_add("cartpole/gpomdp_none/plain_c_twin", twin_body, &twin);
  for (size_t p = 0; p < N; p++)
    for (int isa = 0; isa <= (int)best; isa++) {
      if (!pgb_isa_supported((pgb_isa)isa) || (isa != (int)best && !pipelines[p].every_isa))
        continue;
      tasks[p][isa] = (task){.what = &pipelines[p], .isa = (pgb_isa)isa};
      (void)snprintf(name, sizeof name, "cartpole/%s/%s", pipelines[p].name, pgb_isa_name((pgb_isa)isa));
      bench_add(name, block_body, &tasks[p][isa]);
    }
}
