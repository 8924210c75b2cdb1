/* SPDX-License-Identifier: MIT */
#include "rollout/rollout.h"

#include "core/dispatch.h"
#include "rollout/runner.h"

#include <assert.h>
#include <stdlib.h>

PGB_DECLARE_KERNEL(pgb_rollout_run_fn, pgb_rollout_run, );

pgb_rollout_run_fn *pgb_rollout_run(pgb_isa isa) {
  static pgb_rollout_run_fn *const copies[PGB_ISA_COUNT] = PGB_DISPATCH(pgb_rollout_run);
  assert(isa < PGB_ISA_COUNT);
  return copies[isa];
}

/* A lane takes a new episode only while a whole horizon is left, so every episode ends in the rollout it
 * began in. Up to where the memory grows large four horizons keep lanes busy 4/5 of the time or more however
 * long the episodes are; a rollout of short ones stops earlier by itself (loop.c). */
size_t pgb_rollout_capacity(const pgb_space *space) {
  enum { WISH = 256, LONG = 1024 };
  const size_t rows = (space->horizon <= LONG ? 4 : 2) * space->horizon;
  return rows >= WISH ? rows : (WISH + space->horizon - 1) / space->horizon * space->horizon;
}

static pgb_status rows(size_t count, size_t size, void *out) {
  return pgb_alloc(count, size * PGB_LANES, out);
}

size_t pgb_rollout_kept_room(size_t n_kept, size_t horizon, size_t capacity, size_t bytes) {
  enum { BLOCK = 4 }; /* rows after which it is looked again */
  const size_t wish = n_kept == 0 ? 0 : bytes / (n_kept * sizeof(float));
  const size_t most = capacity * PGB_LANES;
  const size_t room = wish + (horizon + BLOCK) * PGB_LANES;
  return room < most ? room : most;
}

pgb_status pgb_rollout_keep(pgb_rollout *r, size_t bytes) {
  if (r->n_kept == 0)
    return pgb_ok();
  free(r->kept);
  r->kept_wish = bytes / (r->n_kept * sizeof(float));
  r->kept_room = pgb_rollout_kept_room(r->n_kept, r->horizon, r->capacity, bytes);
  return pgb_alloc(r->kept_room * r->n_kept, sizeof(float), (void *)&r->kept);
}

static pgb_status allocate(const pgb_actor *actor, pgb_rollout *r) {
  const size_t n = r->capacity;
  PGB_TRY(rows((n + 1) * r->n_obs, sizeof(float), &r->obs));
  PGB_TRY(rows(n * r->n_act, sizeof(float), &r->act));
  PGB_TRY(rows(n * r->n_delta, sizeof(float), &r->delta));
  PGB_TRY(rows(n, sizeof(float), &r->reward));
  PGB_TRY(rows(n + 1, sizeof(int32_t), &r->step));
  PGB_TRY(rows(n, sizeof(uint8_t), &r->end));
  PGB_TRY(rows(n, sizeof(double), &r->togo));
  PGB_TRY(pgb_alloc(n + 1, sizeof(uint64_t), (void *)&r->starts));
  PGB_TRY(pgb_alloc(r->max_episodes, sizeof(pgb_ending), (void *)&r->ending));
  if (r->n_kept > 0) {
    PGB_TRY(pgb_alloc(n, sizeof(uint64_t), (void *)&r->busy));
    PGB_TRY(pgb_alloc(n, sizeof(size_t), (void *)&r->kept_row));
    PGB_TRY(pgb_rollout_keep(r, PGB_KEPT_BYTES));
  }
  PGB_TRY(pgb_alloc(r->max_episodes, sizeof(double), (void *)&r->ret));
  PGB_TRY(pgb_alloc(r->max_episodes, sizeof(int32_t), (void *)&r->length));
  PGB_TRY(pgb_alloc(r->max_episodes, sizeof(int32_t), (void *)&r->origin));
  PGB_TRY(pgb_alloc(r->horizon, sizeof(double), (void *)&r->discount));
  double power = 1;
  for (size_t t = 0; t < r->horizon; t++, power *= actor->gamma)
    r->discount[t] = power;
  return pgb_ok();
}

pgb_status pgb_rollout_create(const pgb_actor *actor, size_t capacity, pgb_rollout **out) {
  assert(capacity >= actor->space.horizon);
  void *piece = NULL;
  *out = NULL;
  PGB_TRY(pgb_alloc(1, sizeof(pgb_rollout), &piece));
  pgb_rollout *r = piece;
  r->capacity = capacity;
  r->horizon = actor->space.horizon;
  r->max_episodes = (capacity - r->horizon + 1) * PGB_LANES;
  r->n_obs = actor->space.n_obs;
  r->n_act = actor->space.n_act;
  r->n_delta = actor->shape.n_delta;
  r->n_kept = actor->shape.n_kept;
  pgb_status s = allocate(actor, r);
  if (s.code != PGB_OK)
    pgb_rollout_destroy(r);
  else
    *out = r;
  return s;
}

void pgb_rollout_destroy(pgb_rollout *r) {
  if (r == NULL)
    return;
  void *const pieces[] = {r->obs,    r->act,  r->delta,    r->reward, r->step,   r->ending,
                          r->end,    r->togo, r->ret,      r->length, r->origin, r->discount,
                          r->starts, r->busy, r->kept_row, r->kept,   r};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
    free(pieces[i]);
}

pgb_status pgb_runner_create(const pgb_actor *actor, pgb_runner **out) {
  void *piece = NULL;
  *out = NULL;
  PGB_TRY(pgb_alloc(1, sizeof(pgb_runner), &piece));
  pgb_runner *run = piece;
  const size_t step_rows = pgb_word_rows(actor->space.step_words);
  const size_t act_rows = pgb_word_rows(actor->shape.words);
  pgb_status s = pgb_batch_create(&actor->space, &run->batch);
  if (s.code == PGB_OK)
    s = pgb_batch_create(&actor->space, &run->fresh);
  if (s.code == PGB_OK)
    s = rows(2 * (step_rows + act_rows) + 1, sizeof(uint32_t), &run->act_words);
  if (s.code == PGB_OK)
    s = rows(pgb_word_rows(actor->space.reset_words) + 1, sizeof(uint32_t), &run->reset_words);
  if (s.code != PGB_OK) {
    pgb_runner_destroy(run);
    return s;
  }
  run->step_words = run->act_words + 2 * act_rows * PGB_LANES;
  *out = run;
  return s;
}

void pgb_runner_destroy(pgb_runner *run) {
  if (run == NULL)
    return;
  pgb_batch_destroy(run->batch);
  pgb_batch_destroy(run->fresh);
  free(run->act_words);
  free(run->reset_words);
  free(run);
}
