/* SPDX-License-Identifier: MIT */
#include "envs/arms.h"

#include "oracle/mdp.h"
#include "oracle/mdp_model.h"

#include <string.h>

/* T bandit steps that share their parameters: a finite problem of one state. */
static bool fits(const pgb_problem *problem) {
  return strcmp(problem->env, "chain") == 0 && strcmp(problem->policy, "softmax-tabular") == 0;
}

static pgb_status open(const pgb_problem *problem, pgb_arena *arena, void **state) {
  const pgb_arms *env = problem->env_params;
  double *noise2 = NULL, *ones = NULL;
  pgb_tabular *o = NULL;
  PGB_TRY(pgb_doubles(arena, env->arms, &noise2));
  PGB_TRY(pgb_doubles(arena, env->arms, &ones));
  for (size_t a = 0; a < env->arms; a++) {
    noise2[a] = env->noise_sd[a] * env->noise_sd[a];
    ones[a] = 1;
  }
  const pgb_tabular_problem tabular = {.states = 1,
                                       .actions = env->arms,
                                       .horizon = (size_t)env->horizon,
                                       .gamma = problem->gamma,
                                       .theta = problem->theta,
                                       .transition = ones,
                                       .reward = env->mean.data,
                                       .noise2 = noise2,
                                       .start = ones};
  PGB_TRY(pgb_tabular_open(&tabular, arena, &o));
  *state = o;
  return pgb_ok();
}

const pgb_oracle_class pgb_oracle_chain = {
    .name = "chain",
    .source = "as mdp, with one state",
    .fits = fits,
    .open = open,
    .gradient = pgb_tabular_gradient,
    .value = pgb_tabular_value,
    .constant = pgb_tabular_constant,
    .moments = pgb_tabular_moments,
    .state_baseline = pgb_tabular_state_baseline,
};
