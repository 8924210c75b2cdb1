/* SPDX-License-Identifier: MIT */
#include "envs/arms.h"

static const pgb_option options[] = {
    ARMS_OPTIONS("[0, 1]"),
    {"horizon", "step", PGB_TYPE_INT, offsetof(pgb_arms, horizon), 1, 100000, "10", NULL,
     "number of bandit steps in an episode"},
};

static pgb_status prepare(void *params, pgb_arena *arena, pgb_space *space) {
  return arms_prepare(params, arena, space);
}

static void step(const void *params, pgb_batch *batch) {
  arms_step(params, batch, PGB_LIVE);
}

const pgb_env_class PGB_KERNEL(pgb_env_chain) = {
    .name = "chain",
    .title = "iid chain: independent bandit steps that share the policy's parameters",
    .source =
        "Weaver and Tao 2001, The optimal reward baseline for gradient-based reinforcement learning (UAI)",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(pgb_arms),
    .policy_gain = 1,
    .prepare = prepare,
    .reset = arms_reset,
    .step = step,
};
