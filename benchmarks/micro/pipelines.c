/* SPDX-License-Identifier: MIT */
/* Whole pipelines: rollout, sampling, reward-to-go, the gradient of every episode, moments. Items are
 * environment steps. */
#include "bodies.h"
#include "case.h"
#include "twin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LINEAR "cartpole", "softmax-linear"

typedef struct pipeline {
  bench_setting setting;
  bool every_isa;
  twin_episode *twin; /* or NULL */
  double flops;       /* useful ones of a step, where the work is matrix products: forward, delta, gradient */
  double near; /* product and twin agree within this many standard errors: rounding tips a few draws, and a
                  tipped draw, or chaos, changes the rest of an episode */
} pipeline;

static const pipeline pipelines[] = {
    {{"cartpole_linear", LINEAR, "gpomdp", "none", 128}, true, twin_cartpole_linear, 0, 0.01},
    {{"cartpole_linear_all_baselines", LINEAR, "gpomdp", NULL, 128}, false, NULL, 0, 0},
    {{"cartpole_linear_all_estimators", LINEAR, NULL, "none", 128}, false, NULL, 0, 0},
    {{"cartpole_linear_all_pairs", LINEAR, NULL, NULL, 128}, false, NULL, 0, 0},
    {{"pendulum_gaussian", "pendulum", "gaussian-linear", "gpomdp", "none", 32},
     true,
     twin_pendulum_gaussian,
     0,
     0.02},
    {{"pendulum_gaussian_sigma", "pendulum", "gaussian-linear:learn_sigma=true", "gpomdp", "none", 32},
     false,
     twin_pendulum_gaussian,
     0,
     0.02},
    {{"cartpole_mlp", "cartpole", "softmax-mlp:hidden=64x64", "gpomdp", "none", 16},
     true,
     twin_cartpole_mlp,
     CASE_MLP_FORWARD + CASE_MLP_BACKWARD,
     0.02},
    {{"cartpole_mlp_two_rows", "cartpole", "softmax-mlp:hidden=64x64", "reinforce,gpomdp", "none", 16},
     false,
     NULL,
     0,
     0},
};
enum { PIPELINES = sizeof pipelines / sizeof *pipelines };

/* One of the table in one instruction set, or its twin. */
typedef struct task {
  const pipeline *what;
  const bench_limits *limits;
  pgb_isa isa;
} task;

static twin_problem problem_of(const bench_case *c) {
  return (twin_problem){.theta = c->actor->theta,
                        .n_theta = c->actor->shape.n_theta,
                        .gamma = (float)c->actor->gamma,
                        .horizon = (int)c->actor->space.horizon,
                        .seed = c->study->seed,
                        .stream = pgb_stream(0, 0),
                        .batch = CASE_BATCH};
}

static bool same_statistic(const bench_case *c, const twin_moments *twin, double near) {
  const size_t d = c->actor->shape.n_theta;
  const double *mean = c->slots + 3; /* stats/stats.h: count, zeros, peak, mean, m2, unit */
  const double *m2 = mean + d;
  double off = 0;
  double error = 0;
  double trace[2] = {0, 0};
  for (size_t k = 0; k < d; k++) {
    off += pow(mean[k] - twin->mean[k], 2);
    error += twin->m2[k] / twin->replicates / twin->replicates;
    trace[0] += m2[k];
    trace[1] += twin->m2[k];
  }
  return c->slots[0] == twin->replicates && sqrt(off) < near * sqrt(error) &&
         fabs(trace[0] - trace[1]) < near * trace[1];
}

static void count(bench_state *state, const task *t, double steps) {
  bench_items(state, steps);
  if (t->what->flops == 0)
    return;
  bench_rate(state, "flops", steps * t->what->flops);
  bench_share(state, "fma", steps * t->what->flops, t->limits->fma);
}

static void twin_body(bench_state *state, void *argument) {
  const task *t = argument;
  bench_case *c = bench_case_open(t->isa, &t->what->setting);
  const twin_problem problem = problem_of(c);
  void *room = NULL;
  double steps = 0;
  bench_require(pgb_alloc(1, sizeof(twin_moments), &room));
  twin_moments *moments = room;
  if (problem.n_theta > TWIN_MAX)
    bench_fail(state, "more parameters than the twin holds; raise TWIN_MAX");
  while (bench_next(state)) {
    *moments = (twin_moments){.replicates = 0};
    twin_measure(&problem, t->what->twin, 0, c->replicates, moments);
    steps += moments->steps;
  }
  count(state, t, steps);
  (void)bench_case_run(c);
  if (!same_statistic(c, moments, t->what->near))
    bench_fail(state, "twin and product disagree: one of them has changed; make the twin compute what the "
                      "product does");
  free(moments);
  bench_case_close(c);
}

static void block_body(bench_state *state, void *argument) {
  const task *t = argument;
  bench_case *c = bench_case_open(t->isa, &t->what->setting);
  double steps = 0;
  while (bench_next(state))
    steps += bench_case_run(c);
  count(state, t, steps);
  bench_case_close(c);
}

static void random_body(bench_state *state, void *argument) {
  const uint64_t steps = 100000;
  uint64_t taken = 0;
  (void)argument;
  while (bench_next(state)) {
    const uint64_t lengths = twin_cartpole_random(steps, taken);
    if (lengths != steps)
      bench_fail(state, "the episodes' lengths do not add up to the steps; mend twin_cartpole_random");
    taken += steps;
  }
  bench_items(state, (double)taken);
}

void pipelines_add(const bench_limits *limits) {
  static task tasks[PIPELINES][PGB_ISA_COUNT];
  static task twins[PIPELINES];
  char name[96];
  bench_add("pipeline/cartpole_random/plain_c_peer", random_body, NULL);
  for (size_t p = 0; p < PIPELINES; p++) {
    const bench_setting *setting = &pipelines[p].setting;
    if (!bench_case_known(setting))
      continue;
    if (pipelines[p].twin != NULL) {
      twins[p] = (task){.what = &pipelines[p], .limits = limits, .isa = limits->best};
      (void)snprintf(name, sizeof name, "pipeline/%s/plain_c_twin", setting->name);
      bench_add(name, twin_body, &twins[p]);
    }
    for (int isa = 0; isa <= (int)limits->best; isa++) {
      if (!pgb_isa_supported((pgb_isa)isa) || (isa != (int)limits->best && !pipelines[p].every_isa))
        continue;
      tasks[p][isa] = (task){.what = &pipelines[p], .limits = limits, .isa = (pgb_isa)isa};
      (void)snprintf(name, sizeof name, "pipeline/%s/%s", setting->name, pgb_isa_name((pgb_isa)isa));
      bench_add(name, block_body, &tasks[p][isa]);
    }
  }
}
