/* SPDX-License-Identifier: MIT */
#include "envs/chain.h"

#include "envs/arms.h"

#include <stddef.h>
#include <string.h>

static const pgb_option options[] = {
    {"mean", "reward", PGB_TYPE_ARRAY, offsetof(pgb_chain, mean), -1e6, 1e6, "[0, 1]", NULL,
     "mean reward of each arm"},
    {"noise", "reward", PGB_TYPE_ARRAY, offsetof(pgb_chain, noise), 0, 1e6, "0", NULL,
     "standard deviation of the reward, one number or one for each arm"},
    {"horizon", "step", PGB_TYPE_INT, offsetof(pgb_chain, horizon), 1, 100000, "10", NULL,
     "number of bandit steps in an episode"},
};

static pgb_status prepare(void *params, pgb_arena *arena, pgb_space *space) {
  pgb_chain *p = params;
  PGB_TRY(arms_prepare(&p->mean, &p->noise, arena, &p->mean_lane, &p->noise_lane, &p->noise_sd, space));
  p->arms = space->n_choices;
  p->noisy = space->step_words > 0;
  space->horizon = (size_t)p->horizon;
  return pgb_ok();
}

static void reset(const void *params, pgb_batch *batch, size_t lane, const uint32_t *words) {
  (void)params;
  (void)words;
  arms_reset(batch, lane);
}

static void step(const void *params, pgb_batch *batch) {
  const pgb_chain *p = params;
  arms_reward(p->mean_lane, p->noise_lane, p->noisy, batch);
  memset(batch->end, PGB_LIVE, PGB_LANES);
}

const pgb_env_class PGB_KERNEL(pgb_env_chain) = {
    .name = "chain",
    .title = "iid chain: independent bandit steps that share the policy's parameters",
    .source =
        "Weaver and Tao 2001, The optimal reward baseline for gradient-based reinforcement learning (UAI)",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(pgb_chain),
    .policy_gain = 1,
    .prepare = prepare,
    .reset = reset,
    .step = step,
};
