/* SPDX-License-Identifier: MIT */
/* The pieces of a pipeline, one rollout each: items are environment steps, so times add up. */
#include "bodies.h"
#include "case.h"
#include "core/rng.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct room {
  bench_case *c;
  const pgb_actor *actor;
  pgb_runner *runner;
  pgb_rollout *rollout;
  float *weight, *scratch, *out;
  float *act, *delta, *kept;
  uint32_t *words; /* [shape.words][lanes] */
  double steps;
} room;

static void roll(room *r) {
  const pgb_address address = {.seed = 1, .stream = pgb_stream(0, 0)};
  pgb_rollout_run(r->c->isa)(r->actor, r->runner, address, CASE_BATCH, 0, r->rollout->max_episodes,
                             r->rollout);
}

static void *take(size_t count, size_t size) {
  void *piece = NULL;
  bench_require(pgb_alloc(count + 1, size, &piece));
  return piece;
}

static room room_open(pgb_isa isa, const bench_setting *setting) {
  room r = {.c = bench_case_open(isa, setting)};
  r.actor = r.c->actor;
  const pgb_policy_shape *shape = &r.actor->shape;
  bench_require(pgb_runner_create(r.actor, &r.runner));
  bench_require(pgb_rollout_create(r.actor, pgb_rollout_capacity(&r.actor->space), &r.rollout));
  r.weight = take(r.rollout->capacity * PGB_LANES, sizeof(float));
  r.scratch = take(pgb_policy_scratch(shape, 1), sizeof(float));
  r.out = take(r.rollout->max_episodes * pgb_policy_sums(shape), sizeof(float));
  r.act = take(r.actor->space.n_act * PGB_LANES, sizeof(float));
  r.delta = take(shape->n_delta * PGB_LANES, sizeof(float));
  r.kept = take(shape->n_kept * PGB_LANES, sizeof(float));
  r.words = take(shape->words * PGB_LANES, sizeof(uint32_t));
  for (uint32_t k = 0; k < shape->words * PGB_LANES; k++) {
    uint32_t w[4];
    pgb_words(1, PGB_USE_ACTION, 0, 0, 0, k, w);
    r.words[k] = w[0];
  }
  roll(&r);
  for (size_t e = 0; e < r.rollout->n_episodes; e++)
    r.steps += r.rollout->length[e];
  return r;
}

static void room_close(room *r) {
  void *const pieces[] = {r->weight, r->scratch, r->out, r->act, r->delta, r->kept, r->words};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
    free(pieces[i]);
  pgb_runner_destroy(r->runner);
  pgb_rollout_destroy(r->rollout);
  bench_case_close(r->c);
}

static uint64_t busy_lanes(const room *r, size_t t) {
  return r->rollout->n_kept > 0 ? r->rollout->busy[t] : ~(uint64_t)0;
}

static void sample(room *r) {
  const size_t row = r->rollout->n_obs * PGB_LANES;
  for (size_t t = 0; t < r->rollout->rows; t++)
    r->actor->policy->sample(r->actor->policy_params, r->actor->theta, r->rollout->obs + t * row, r->words,
                             busy_lanes(r, t), r->act, r->delta, r->kept);
}

static void weigh(room *r) {
  const pgb_study_estimator *e = &r->c->study->estimators[0];
  e->class_->weights(e->params, r->actor->gamma, r->rollout, NULL, r->weight);
}

static void contract(room *r) {
  const float *const weight[] = {r->weight};
  const pgb_policy_class *policy = r->actor->policy;
  (r->actor->shape.n_raw > 0 ? policy->contract_raw
                             : policy->contract)(r->actor->policy_params, r->actor->theta, r->rollout, 0,
                                                 r->rollout->n_episodes, 1, weight, r->scratch, r->out);
}

/* Flops of a step where the policy is a network, which SAMPLES runs forward and CONTRACTS backward. A linear
 * contraction is two flops a parameter, and reads observation, delta and weight. */
enum { ROLLS, SAMPLES, CONTRACTS };

typedef struct piece {
  const char *name;
  void (*work)(room *r);
  int kind;
} piece;

static const piece pieces[] = {
    {"rollout", roll, ROLLS},
    {"sample", sample, SAMPLES},
    {"gpomdp_weights", weigh, ROLLS},
    {"contract", contract, CONTRACTS},
};

typedef struct piece_case {
  bench_setting setting;
  double forward, backward; /* flops of a network, else 0 */
} piece_case;

static const piece_case cases[] = {
    {{"cartpole_linear", "cartpole", "softmax-linear", "gpomdp", "none", 2}, 0, 0},
    {{"pendulum_gaussian", "pendulum", "gaussian-linear", "gpomdp", "none", 2}, 0, 0},
    {{"cartpole_mlp", "cartpole", "softmax-mlp:hidden=64x64", "gpomdp", "none", 2},
     CASE_MLP_FORWARD,
     CASE_MLP_BACKWARD},
};

typedef struct task {
  const piece_case *of;
  const piece *piece;
  const bench_limits *limits;
} task;

static void body(bench_state *state, void *argument) {
  const task *t = argument;
  room r = room_open(t->limits->best, &t->of->setting);
  weigh(&r);
  double steps = 0;
  while (bench_next(state)) {
    t->piece->work(&r);
    bench_use(r.out);
    steps += r.steps;
  }
  bench_items(state, steps);
  const double lane_steps = steps / r.steps * (double)(r.rollout->rows * PGB_LANES);
  bench_rate(state, "lane_steps", lane_steps); /* with those of idle lanes */
  const int kind = t->piece->kind;
  const bool network = t->of->forward > 0;
  const double linear = kind == CONTRACTS ? 2.0 * (double)r.actor->shape.n_theta : 0;
  const double flops = !network ? linear : kind == SAMPLES ? t->of->forward : t->of->backward;
  if (kind != ROLLS && flops > 0) {
    bench_rate(state, "flops", steps * flops);
    bench_share(state, "fma", steps * flops, t->limits->fma);
  }
  if (kind == CONTRACTS && !network) {
    const double bytes = lane_steps * (double)((r.rollout->n_obs + r.rollout->n_delta + 1) * sizeof(float));
    bench_bytes(state, bytes);
    bench_share(state, "l2_read", bytes, t->limits->l2);
  }
  room_close(&r);
}

void pieces_add(const bench_limits *limits) {
  enum { CASES = sizeof cases / sizeof *cases, PIECES = sizeof pieces / sizeof *pieces };
  static task tasks[CASES][PIECES];
  for (size_t s = 0; s < CASES; s++)
    for (size_t i = 0; i < PIECES && bench_case_known(&cases[s].setting); i++) {
      char name[96];
      tasks[s][i] = (task){.of = &cases[s], .piece = &pieces[i], .limits = limits};
      (void)snprintf(name, sizeof name, "piece/%s/%s/%s", pieces[i].name, cases[s].setting.name,
                     pgb_isa_name(limits->best));
      bench_add(name, body, &tasks[s][i]);
    }
}
