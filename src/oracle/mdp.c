/* SPDX-License-Identifier: MIT */
#include "oracle/mdp.h"

#include "envs/mdp.h"
#include "oracle/mdp_model.h"

#include <string.h>

static bool fits(const pgb_problem *problem) {
  return strcmp(problem->env, "mdp") == 0 && strcmp(problem->policy, "softmax-tabular") == 0;
}

static pgb_status open(const pgb_problem *problem, pgb_arena *arena, void **state) {
  const pgb_mdp *env = problem->env_params;
  const size_t pairs = env->states * env->actions;
  double *noise2 = NULL;
  pgb_tabular *o = NULL;
  PGB_TRY(pgb_doubles(arena, pairs, &noise2));
  for (size_t k = 0; k < pairs; k++)
    noise2[k] = env->noise * env->noise;
  const pgb_tabular_problem tabular = {.states = env->states,
                                       .actions = env->actions,
                                       .horizon = (size_t)env->horizon,
                                       .gamma = problem->gamma,
                                       .theta = problem->theta,
                                       .transition = env->transition.data,
                                       .reward = env->reward.data,
                                       .noise2 = noise2,
                                       .start = env->start_p};
  PGB_TRY(pgb_tabular_open(&tabular, arena, &o));
  *state = o;
  return pgb_ok();
}

const pgb_oracle_class pgb_oracle_mdp = {
    .name = "mdp",
    .source = "moments by dynamic programming; Sobel 1982, Greensmith et al. 2004, Schulman et al. 2016, "
              "Kool et al. 2019",
    .fits = fits,
    .open = open,
    .gradient = pgb_tabular_gradient,
    .value = pgb_tabular_value,
    .constant = pgb_tabular_constant,
    .moments = pgb_tabular_moments,
    .state_baseline = pgb_tabular_state_baseline,
};
