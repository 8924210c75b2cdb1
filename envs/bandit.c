/* SPDX-License-Identifier: MIT */
#include "envs/arms.h"

static const pgb_option options[] = {
    ARMS_OPTIONS("[1, 2, 3, 5]"),
};

static pgb_status prepare(void *params, pgb_arena *arena, pgb_space *space) {
  ((pgb_arms *)params)->horizon = 1;
  return arms_prepare(params, arena, space);
}

static void step(const void *params, pgb_batch *batch) {
  arms_step(params, batch, PGB_TERMINAL);
}

const pgb_env_class PGB_KERNEL(pgb_env_bandit) = {
    .name = "bandit",
    .title = "K-armed bandit: one step, r = mean[a] + noise[a] N(0,1)",
    .source = "Sutton and Barto 2018, Reinforcement Learning, section 2.8 (gradient bandits)",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(pgb_arms),
    .policy_gain = 1,
    .prepare = prepare,
    .reset = arms_reset,
    .step = step,
};
