/* SPDX-License-Identifier: MIT */
/* The pieces of the CartPole pipeline, one rollout each: items are environment steps, so times add up. */
#include "bodies.h"
#include "case.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct room {
  bench_case *c;
  const pgb_actor *actor;
  pgb_runner *runner;
  pgb_rollout *rollout;
  float *weight, *scratch, *out;
  double steps;
} room;

static void roll(room *r) {
  const pgb_address address = {.seed = 1, .stream = pgb_stream(0, 0)};
  pgb_rollout_run(r->c->isa)(r->actor, r->runner, address, CASE_BATCH, 0, r->rollout->max_episodes,
                             r->rollout);
}

static room room_open(pgb_isa isa) {
  room r = {.c = bench_case_open(isa, "gpomdp", "none")};
  void *piece = NULL;
  r.actor = &r.c->study->cells[0].actor;
  bench_require(pgb_runner_create(r.actor, &r.runner));
  bench_require(pgb_rollout_create(r.actor, pgb_rollout_capacity(&r.actor->space), &r.rollout));
  bench_require(pgb_alloc(r.rollout->capacity * PGB_LANES, sizeof(float), &piece));
  r.weight = piece;
  bench_require(pgb_alloc((r.actor->shape.n_theta + 2) * PGB_LANES, sizeof(float), &piece));
  r.scratch = piece;
  bench_require(pgb_alloc(r.rollout->max_episodes * r.actor->shape.n_theta, sizeof(float), &piece));
  r.out = piece;
  roll(&r);
  for (size_t e = 0; e < r.rollout->n_episodes; e++)
    r.steps += r.rollout->length[e];
  return r;
}

static void room_close(room *r) {
  pgb_runner_destroy(r->runner);
  pgb_rollout_destroy(r->rollout);
  bench_case_close(r->c);
  free(r->weight);
  free(r->scratch);
  free(r->out);
}

static void weigh(room *r) {
  const pgb_study_estimator *e = &r->c->study->estimators[0];
  e->class_->weights(e->params, r->actor->gamma, r->rollout, NULL, r->weight);
}

static void contract(room *r) {
  const float *const weight[] = {r->weight};
  r->actor->policy->contract(r->actor->policy_params, r->rollout, 1, weight, r->scratch, r->out);
}

typedef struct piece {
  const char *name;
  void (*work)(room *r);
  pgb_isa isa;
} piece;

static void body(bench_state *state, void *argument) {
  const piece *p = argument;
  room r = room_open(p->isa);
  weigh(&r);
  double steps = 0;
  while (bench_next(state)) {
    p->work(&r);
    bench_use(r.out);
    steps += r.steps;
  }
  bench_items(state, steps);
  /* Share of the lanes' time in which an episode ran. */
  bench_rate(state, "lane_steps", steps / r.steps * (double)(r.rollout->rows * PGB_LANES));
  room_close(&r);
}

void pieces_add(pgb_isa best) {
  static piece pieces[] = {{"rollout", roll, PGB_ISA_NONE},
                           {"gpomdp_weights", weigh, PGB_ISA_NONE},
                           {"contract", contract, PGB_ISA_NONE}};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    char name[96];
    pieces[i].isa = best;
    (void)snprintf(name, sizeof name, "piece/%s/%s", pieces[i].name, pgb_isa_name(best));
    bench_add(name, body, &pieces[i]);
  }
}
