/* SPDX-License-Identifier: MIT */
/* The rollout loop, compiled once per instruction set. */
#include "env/ends.h"
#include "rollout/words.h"

#include <assert.h>
#include <string.h>

pgb_rollout_run_fn PGB_KERNEL(pgb_rollout_run);

/* Gives lane i the next episode, or none; an idle lane keeps a reset state, so that what it computes stays
 * finite. */
static void refill(const pgb_actor *actor, pgb_runner *run, pgb_address address, uint64_t batch, size_t i,
                   size_t t, pgb_rollout *out) {
  const bool start = t + actor->space.horizon <= out->capacity && run->left > 0;
  run->busy[i] = start;
  run->batch->step[i] = 0;
  if (start) {
    run->replicate[i] = run->next_replicate;
    run->number[i] = (uint32_t)run->next_number;
    out->origin[out->n_episodes] = (int32_t)(t * PGB_LANES + i);
    run->episode[i] = (int32_t)out->n_episodes++;
    run->left--;
    if (++run->next_number == batch) {
      run->next_number = 0;
      run->next_replicate++;
    }
  }
  const unsigned use = PGB_USE_RESET + (address.pilot ? PGB_USE_PILOT : 0u);
  for (uint32_t b = 0; b * 4 < actor->space.reset_words; b++)
    pgb_words(address.seed, use, address.stream, run->replicate[i], run->number[i], b,
              run->reset_words + (size_t)b * 4);
  actor->env->reset(actor->env_params, run->batch, i, run->reset_words);
}

/* Counts the step, cuts at the horizon and records how it ended; the lanes, idle ones too, where something
 * did. */
static uint64_t close_step(const pgb_actor *actor, pgb_runner *run, size_t t, pgb_rollout *out) {
  int32_t *step = run->batch->step;
  uint8_t *end = run->batch->end;
  uint8_t *end_row = out->end + t * PGB_LANES;
  const uint8_t *busy = run->busy;
  const int32_t horizon = (int32_t)actor->space.horizon;
  const uint8_t at_limit = actor->env->limit_truncates ? PGB_TRUNCATED : PGB_TERMINAL;
  memcpy(out->step + t * PGB_LANES, step, PGB_LANES * sizeof(int32_t));
  memcpy(out->episode + t * PGB_LANES, run->episode, PGB_LANES * sizeof(int32_t));
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    step[i]++;
    const uint8_t limit = step[i] >= horizon ? at_limit : PGB_LIVE;
    const uint8_t how = end[i] != PGB_LIVE ? end[i] : limit;
    end_row[i] = busy[i] != 0 ? how : PGB_IDLE;
    end[i] = how;
  }
  return pgb_ended_lanes(end);
}

/* Frees lanes that have ended and waits to refill them; how many of them held an episode. */
static size_t settle(pgb_runner *run, uint64_t ended, pgb_rollout *out) {
  size_t episodes = 0;
  while (ended != 0) {
    const size_t i = pgb_take_lane(&ended);
    if (run->busy[i]) {
      out->length[run->episode[i]] = run->batch->step[i];
      run->busy[i] = 0;
      episodes++;
    }
    run->batch->step[i] = 0; /* until it is refilled the lane's step must stay a valid index */
  }
  return episodes;
}

/* Reward-to-go of every step and the return of every episode, backwards, in double. */
static void returns(double gamma, pgb_rollout *r) {
  double togo[PGB_LANES] = {0};
  for (size_t t = r->rows; t-- > 0;) {
    const uint8_t *end = r->end + t * PGB_LANES;
    const float *reward = r->reward + t * PGB_LANES;
    double *row = r->togo + t * PGB_LANES;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++) {
      const double later = end[i] == PGB_LIVE ? togo[i] : 0.0;
      togo[i] = end[i] == PGB_IDLE ? 0.0 : (double)reward[i] + gamma * later;
      row[i] = togo[i];
    }
  }
  for (size_t e = 0; e < r->n_episodes; e++)
    r->ret[e] = r->togo[r->origin[e]];
}

void PGB_KERNEL(pgb_rollout_run)(const pgb_actor *actor, pgb_runner *run, pgb_address address, uint64_t batch,
                                 uint64_t first, uint64_t count, pgb_rollout *out) {
  assert(batch > 0 && count > 0 && out->capacity >= actor->space.horizon);
  const bool long_episodes = actor->space.horizon >= 16;
  const unsigned pilot = address.pilot ? PGB_USE_PILOT : 0u;
  const words_plan act_plan = plan_words(actor->shape.words, PGB_USE_ACTION + pilot, long_episodes);
  const words_plan step_plan = plan_words(actor->space.step_words, PGB_USE_STEP + pilot, long_episodes);
  /* Rows between refills, a power of two. */
  const size_t quantum = !long_episodes                     ? 1
                         : act_plan.steps > step_plan.steps ? act_plan.steps
                                                            : step_plan.steps;
  pgb_batch *b = run->batch;
  uint64_t waiting =
      ~(uint64_t)0; /* lanes to refill at the next row where every lane is at the start of a block */
  size_t running = 0;
  memset(run->busy, 0, sizeof run->busy);
  memset(run->episode, 0, sizeof run->episode);
  run->next_replicate = (uint32_t)(first / batch);
  run->next_number = first % batch;
  run->left = count;
  out->n_episodes = 0;
  size_t t = 0;
  for (; t < out->capacity; t++) {
    if (waiting != 0 && (t & (quantum - 1)) == 0) {
      while (waiting != 0) {
        const size_t i = pgb_take_lane(&waiting);
        refill(actor, run, address, batch, i, t, out);
        running += run->busy[i];
      }
      if (running == 0)
        break;
    }
    memcpy(out->obs + t * out->n_obs * PGB_LANES, b->obs, out->n_obs * PGB_LANES * sizeof(float));
    const uint32_t *words = step_words(&act_plan, address, run, t, run->act_words);
    float *act = out->act + t * out->n_act * PGB_LANES;
    actor->policy->sample(actor->policy_params, actor->theta, b->obs, words, act,
                          out->delta + t * out->n_delta * PGB_LANES);
    memcpy(b->act, act, out->n_act * PGB_LANES * sizeof(float));
    b->words = step_words(&step_plan, address, run, t, run->step_words);
    actor->env->step(actor->env_params, b);
    memcpy(out->reward + t * PGB_LANES, b->reward, PGB_LANES * sizeof(float));
    const uint64_t ended = close_step(actor, run, t, out) & ~waiting;
    if (ended != 0) {
      running -= settle(run, ended, out);
      waiting |= ended;
      if (running == 0 && (run->left == 0 || t + 1 + actor->space.horizon > out->capacity)) {
        t++;
        break;
      }
    }
  }
  assert(running == 0);
  out->rows = t;
  returns(actor->gamma, out);
}
