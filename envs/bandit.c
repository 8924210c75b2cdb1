/* SPDX-License-Identifier: MIT */
#include "envs/bandit.h"

#include "envs/arms.h"

#include <stddef.h>
#include <string.h>

static const pgb_option options[] = {
    {"mean", "reward", PGB_TYPE_ARRAY, offsetof(pgb_bandit, mean), -1e6, 1e6, "[1, 2, 3, 5]", NULL,
     "mean reward of each arm"},
    {"noise", "reward", PGB_TYPE_ARRAY, offsetof(pgb_bandit, noise), 0, 1e6, "0", NULL,
     "standard deviation of the reward, one number or one for each arm"},
};

static pgb_status prepare(void *params, pgb_arena *arena, pgb_space *space) {
  pgb_bandit *p = params;
  PGB_TRY(arms_prepare(&p->mean, &p->noise, arena, &p->mean_lane, &p->noise_lane, &p->noise_sd, space));
  p->arms = space->n_choices;
  p->noisy = space->step_words > 0;
  return pgb_ok();
}

static void reset(const void *params, pgb_batch *batch, size_t lane, const uint32_t *words) {
  (void)params;
  (void)words;
  arms_reset(batch, lane);
}

static void step(const void *params, pgb_batch *batch) {
  const pgb_bandit *p = params;
  arms_reward(p->mean_lane, p->noise_lane, p->noisy, batch);
  memset(batch->end, PGB_TERMINAL, PGB_LANES);
}

const pgb_env_class PGB_KERNEL(pgb_env_bandit) = {
    .name = "bandit",
    .title = "K-armed bandit: one step, r = mean[a] + noise[a] N(0,1)",
    .source = "Sutton and Barto 2018, Reinforcement Learning, section 2.8 (gradient bandits)",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(pgb_bandit),
    .policy_gain = 1,
    .prepare = prepare,
    .reset = reset,
    .step = step,
};
