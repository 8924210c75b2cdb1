/* SPDX-License-Identifier: MIT */
/* The rollout loop, compiled once per instruction set. */
#include "env/ends.h"
#include "rollout/words.h"

#include <assert.h>
#include <string.h>

pgb_rollout_run_fn PGB_KERNEL(pgb_rollout_run);

/* What one rollout is made of and goes to. */
typedef struct job {
  const pgb_actor *actor;
  pgb_runner *run;
  pgb_rollout *out;
  pgb_address address;
  uint64_t batch; /* episodes of a replicate */
  unsigned reset_use;
  words_plan act_plan, step_plan;
} job;

/* First states of the next episodes of the stream, for all lanes at once: most are needed soon. */
static void prepare_fresh(const job *j) {
  pgb_runner *run = j->run;
  const pgb_actor *actor = j->actor;
  uint64_t replicate = run->next_episode / j->batch;
  uint64_t number = run->next_episode % j->batch;
  for (size_t i = 0; i < PGB_LANES; i++) {
    run->next.replicate[i] = (uint32_t)replicate;
    run->next.number[i] = (uint32_t)number;
    if (++number == j->batch) {
      number = 0;
      replicate++;
    }
  }
  reset_words(actor->space.reset_words, j->address, j->reset_use, &run->next, run->reset_words);
  run->fresh->words = run->reset_words;
  actor->env->reset(actor->env_params, run->fresh);
  run->used = 0;
}

static inline void copy_lane(const float *from, size_t lane, size_t rows, float *to, size_t i) {
  from += lane;
  to += i;
  for (; rows >= 4; rows -= 4, from += 4 * PGB_LANES, to += 4 * PGB_LANES)
#pragma GCC unroll 4
    for (size_t k = 0; k < 4; k++)
      to[k * PGB_LANES] = from[k * PGB_LANES];
  for (; rows > 0; rows--, from += PGB_LANES, to += PGB_LANES)
    *to = *from;
}

/* Begins the next episode of the stream in lane i at row t, where one is left. */
static void start(const job *j, size_t i, size_t t) {
  pgb_runner *run = j->run;
  pgb_rollout *out = j->out;
  const pgb_space *space = &j->actor->space;
  if (run->left == 0)
    return;
  if (run->used == PGB_LANES)
    prepare_fresh(j);
  const size_t lane = run->used++;
  run->left--;
  run->next_episode++;
  run->running++;
  run->idle[i] = 0;
  run->now.replicate[i] = run->next.replicate[lane];
  run->now.number[i] = run->next.number[lane];
  run->episode[i] = (int32_t)out->n_episodes;
  out->origin[out->n_episodes++] = (int32_t)(t * PGB_LANES + i);
  out->starts[t] |= (uint64_t)1 << i;
  out->step[t * PGB_LANES + i] = 0;
  copy_lane(run->fresh->state, lane, space->n_state, run->batch->state, i);
  copy_lane(run->fresh->obs, lane, space->n_obs, out->obs + t * space->n_obs * PGB_LANES, i);
}

/* Records the episode of lane i, which ended after `ran` of the rows from t to `next`; the others have no
 * reward. */
static void finish(const job *j, size_t i, size_t t, size_t next, size_t ran) {
  pgb_rollout *out = j->out;
  const int32_t e = j->run->episode[i];
  const int32_t length = out->step[t * PGB_LANES + i] + (int32_t)ran;
  const size_t row = t + ran - 1;
  out->length[e] = length;
  out->ending[j->run->ended++] = (pgb_ending){.at = (int32_t)(row * PGB_LANES + i), .episode = e};
  out->rows = row >= out->rows ? row + 1 : out->rows;
  for (size_t after = t + 1; after < next; after++) { /* no loop that ends where none can foresee it */
    float *reward = out->reward + after * PGB_LANES + i;
    *reward = after > row ? 0.0f : *reward;
  }
}

/* Puts idle lanes back to a first state at row t, so that what they compute stays finite. */
static void rest(const job *j, size_t t) {
  const pgb_space *space = &j->actor->space;
  const uint8_t *idle = j->run->idle;
  int32_t *step = j->out->step + t * PGB_LANES;
  const float *const from[2] = {j->run->fresh->state, j->run->fresh->obs};
  float *const to[2] = {j->run->batch->state, j->out->obs + t * space->n_obs * PGB_LANES};
  const size_t rows[2] = {space->n_state, space->n_obs};
  for (size_t part = 0; part < 2; part++)
    for (size_t k = 0; k < rows[part]; k++) {
      const float *x = from[part] + k * PGB_LANES;
      float *y = to[part] + k * PGB_LANES;
      PGB_LANE_LOOP
      for (size_t i = 0; i < PGB_LANES; i++)
        y[i] = idle[i] != 0 ? x[i] : y[i];
    }
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++)
    step[i] = idle[i] != 0 ? 0 : step[i];
}

/* No reward in rows [t, next) where no episode ran. */
static void rest_rewards(const job *j, size_t t, size_t next) {
  const uint8_t *ran = j->run->ran;
  for (size_t row = t; row < next; row++) {
    float *reward = j->out->reward + row * PGB_LANES;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++)
      reward[i] = ran[i] != 0 ? reward[i] : 0.0f;
  }
}

/* Ends episodes at the time limit; the next row at which one may reach it. */
static size_t cut(const job *j, const int32_t *step, uint8_t *end, size_t t) {
  const int32_t last = (int32_t)j->actor->space.horizon - 1;
  const uint8_t how = j->actor->env->limit_truncates ? PGB_TRUNCATED : PGB_TERMINAL;
  const uint8_t *idle = j->run->idle;
  int32_t soonest = last + 1;
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++)
    end[i] = end[i] == PGB_LIVE && step[i] == last ? how : end[i];
  for (size_t i = 0; i < PGB_LANES; i++)
    if (idle[i] == 0 && step[i] < last && last - step[i] < soonest)
      soonest = last - step[i];
  return t + (size_t)soonest;
}

/* One step of every lane; lanes whose episode ends become idle. */
static void take_row(const job *j, size_t t) {
  const pgb_actor *actor = j->actor;
  pgb_runner *run = j->run;
  pgb_rollout *out = j->out;
  pgb_batch *b = run->batch;
  float *obs = out->obs + t * out->n_obs * PGB_LANES;
  int32_t *step = out->step + t * PGB_LANES, *next_step = step + PGB_LANES;
  uint8_t *end = out->end + t * PGB_LANES;
  uint8_t *idle = run->idle, *ran = run->ran;
  b->step = step;
  b->act = out->act + t * out->n_act * PGB_LANES;
  b->reward = out->reward + t * PGB_LANES;
  b->end = end;
  b->obs = obs + out->n_obs * PGB_LANES;
  const uint32_t *words = step_words(&j->act_plan, j->address, &run->now, step, t, run->act_words);
  float *kept = out->kept;
  uint64_t busy = ~(uint64_t)0;
  if (out->n_kept > 0) {
    busy = ~pgb_odd_lanes(idle);
    kept += out->kept_steps * out->n_kept;
    out->busy[t] = busy;
    out->kept_row[t] = out->kept_steps;
    out->kept_steps += (size_t)__builtin_popcountll(busy);
    assert(out->kept_steps <= out->kept_room);
  }
  actor->policy->sample(actor->policy_params, actor->theta, obs, words, busy, b->act,
                        out->delta + t * out->n_delta * PGB_LANES, kept);
  b->words = step_words(&j->step_plan, j->address, &run->now, step, t, run->step_words);
  actor->env->step(actor->env_params, b);
  if (t >= run->limit_row)
    run->limit_row = cut(j, step, end, t);
  const int32_t last = (int32_t)actor->space.horizon - 1;
  /* An idle lane's stays a valid index. */
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    const int32_t after = step[i] + 1;
    next_step[i] = after < last ? after : last;
  }
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    ran[i] = (uint8_t)(ran[i] + (idle[i] == 0 ? 1 : 0));
    end[i] |= idle[i];
    idle[i] = end[i] != PGB_LIVE ? PGB_IDLE : 0;
  }
  out->starts[t + 1] = 0;
}

/* A rollout takes no more episodes once the rows that run on while its last ones end, about three times their
 * mean length, are a small part of it, or where nothing runs on; and where the policy keeps much of each step
 * once that fills the second-level cache. */
static bool is_long_enough(const job *j, size_t t) {
  enum { ROWS = 1024, EPISODES = 6 }; /* of each lane, on the average */
  const size_t running = j->run->running;
  return (j->out->n_kept > 0 && j->out->kept_steps >= j->out->kept_wish) ||
         (t >= ROWS && j->out->n_episodes - running >= (size_t)EPISODES * PGB_LANES) ||
         (t >= ROWS / 2 && running == 0);
}

/* Runs the rows from t to `next` and lets the lanes whose episodes ended begin others there. */
static void take_rows(const job *j, size_t t, size_t next) {
  pgb_runner *run = j->run;
  const uint64_t busy = ~pgb_odd_lanes(run->idle);
  memset(run->ran, 0, sizeof run->ran);
  for (size_t row = t; row < next; row++)
    take_row(j, row);
  const uint64_t ended = busy & pgb_odd_lanes(run->idle);
  run->running -= (size_t)__builtin_popcountll(ended);
  if (busy != ~(uint64_t)0)
    rest_rewards(j, t, next);
  if (next + j->actor->space.horizon > j->out->capacity || is_long_enough(j, next))
    run->left = 0;
  for (uint64_t lanes = ended; lanes != 0;) {
    const size_t i = pgb_take_lane(&lanes);
    finish(j, i, t, next, run->ran[i]);
    start(j, i, next);
  }
  if (run->left == 0)
    rest(j, next);
}

/* Reward-to-go of every step and the return of every episode, backwards, in double. The row after an
 * episode's last one is the first of another or holds no reward (finish, rest), so a row whose next one
 * begins none needs no look at how its lanes stand. */
static void returns(double gamma, pgb_rollout *r) {
  const double none[PGB_LANES] = {0};
  for (size_t t = r->rows; t-- > 0;) {
    const float *reward = r->reward + t * PGB_LANES;
    const double *next = t + 1 < r->rows ? r->togo + (t + 1) * PGB_LANES : none;
    double *row = r->togo + t * PGB_LANES;
    if (r->starts[t + 1] == 0) {
      PGB_LANE_LOOP
      for (size_t i = 0; i < PGB_LANES; i++)
        row[i] = (double)reward[i] + gamma * next[i];
      continue;
    }
    const int32_t *step = r->step + (t + 1) * PGB_LANES;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++)
      row[i] = (double)reward[i] + gamma * (step[i] == 0 ? 0.0 : next[i]);
  }
  for (size_t e = 0; e < r->n_episodes; e++)
    r->ret[e] = r->togo[r->origin[e]];
}

void PGB_KERNEL(pgb_rollout_run)(const pgb_actor *actor, pgb_runner *run, pgb_address address, uint64_t batch,
                                 uint64_t first, uint64_t count, pgb_rollout *out) {
  assert(batch > 0 && count > 0 && out->capacity >= actor->space.horizon);
  const bool long_episodes = actor->space.horizon >= 16;
  const unsigned pilot = address.pilot ? PGB_USE_PILOT : 0u;
  const job j = {.actor = actor,
                 .run = run,
                 .out = out,
                 .address = address,
                 .batch = batch,
                 .reset_use = PGB_USE_RESET + pilot,
                 .act_plan = plan_words(actor->shape.words, PGB_USE_ACTION + pilot, long_episodes),
                 .step_plan = plan_words(actor->space.step_words, PGB_USE_STEP + pilot, long_episodes)};
  /* Lanes begin episodes where every lane is at the start of a block of random words. */
  const size_t quantum = !long_episodes                         ? 1
                         : j.act_plan.steps > j.step_plan.steps ? j.act_plan.steps
                                                                : j.step_plan.steps;
  memset(run->idle, PGB_IDLE, sizeof run->idle);
  run->next_episode = first;
  run->left = count;
  run->running = 0;
  run->ended = 0;
  run->limit_row = actor->space.horizon - 1;
  out->n_episodes = 0;
  out->rows = 0;
  out->kept_steps = 0;
  out->starts[0] = 0;
  prepare_fresh(&j);
  for (size_t i = 0; i < PGB_LANES; i++)
    start(&j, i, 0);
  if (run->left == 0)
    rest(&j, 0);
  for (size_t t = 0; run->running > 0; t += quantum) {
    assert(t < out->capacity);
    take_rows(&j, t, t + quantum < out->capacity ? t + quantum : out->capacity);
  }
  returns(actor->gamma, out);
}
