/* SPDX-License-Identifier: MIT */
#include "envs/mdp.h"

#include "core/vmath.h"
#include "env/env.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const pgb_option options[] = {
    {"transition", "1", PGB_TYPE_ARRAY, offsetof(pgb_mdp, transition), 0, 1,
     "[[[0.8, 0.2], [0.3, 0.7]], [[0.5, 0.5], [0.1, 0.9]]]", NULL, "P[state][action][next]; rows sum to 1"},
    {"reward", "reward", PGB_TYPE_ARRAY, offsetof(pgb_mdp, reward), -1e6, 1e6, "[[1, 0], [-1, 2]]", NULL,
     "mean reward [state][action]"},
    {"start", "1", PGB_TYPE_ARRAY, offsetof(pgb_mdp, start), 0, 1, NULL, NULL,
     "distribution of the first state; uniform if left out"},
    {"noise", "reward", PGB_TYPE_REAL, offsetof(pgb_mdp, noise), 0, 1e6, "0", NULL,
     "standard deviation added to each reward"},
    {"horizon", "step", PGB_TYPE_INT, offsetof(pgb_mdp, horizon), 1, 100000, "3", NULL,
     "steps in an episode"},
};

/* Cumulative probabilities in units of 2^-31: a 31-bit word below threshold j means next state <= j, and a
 * state of probability 0 is never drawn. Rows that do not sum to 1 are refused. */
static pgb_status thresholds(const char *name, const double *p, size_t rows, size_t n, uint32_t *out) {
  for (size_t row = 0; row < rows; row++) {
    double sum = 0;
    for (size_t j = 0; j < n; j++)
      sum += p[row * n + j];
    if (fabs(sum - 1) > 1e-9)
      return pgb_fail(PGB_USAGE,
                      "%s: row %zu sums to %.12g and not to 1; make the probabilities of each row sum to 1",
                      name, row, sum);
    double cumulative = 0;
    for (size_t j = 0; j < n; j++) {
      cumulative += p[row * n + j] / sum;
      out[row * n + j] = (uint32_t)llround(fmin(cumulative, 1.0) * 0x1p31);
    }
  }
  return pgb_ok();
}

static pgb_status check_shapes(const pgb_mdp *p) {
  const pgb_array *t = &p->transition;
  if (t->rank != 3 || t->dim[0] != t->dim[2])
    return pgb_fail(PGB_USAGE,
                    "transition: needs nested lists [state][action][next] with as many next states as "
                    "states; see `pgbench describe mdp`");
  if (t->dim[1] < 2)
    return pgb_fail(PGB_USAGE,
                    "transition: needs at least 2 actions for a policy to choose from; add an action");
  if (t->dim[0] > 65536)
    return pgb_fail(PGB_USAGE, "transition: more than 65536 states; use a smaller problem");
  if (p->reward.rank != 2 || p->reward.dim[0] != t->dim[0] || p->reward.dim[1] != t->dim[1])
    return pgb_fail(PGB_USAGE,
                    "reward: needs [state][action] of %zu x %zu as transition has; give one number for each",
                    t->dim[0], t->dim[1]);
  if (p->start.size != 0 && (p->start.rank != 1 || p->start.size != t->dim[0]))
    return pgb_fail(PGB_USAGE, "start: has %zu values for %zu states; give one probability for each state",
                    p->start.size, t->dim[0]);
  return pgb_ok();
}

static pgb_status prepare(void *params, pgb_arena *arena, pgb_space *space) {
  pgb_mdp *p = params;
  PGB_TRY(check_shapes(p));
  const size_t n_s = p->transition.dim[0];
  const size_t n_a = p->transition.dim[1];
  void *next = NULL;
  void *first = NULL;
  void *start = NULL;
  void *reward = NULL;
  PGB_TRY(pgb_arena_alloc(arena, n_s * n_a * n_s, sizeof(uint32_t), &next));
  PGB_TRY(pgb_arena_alloc(arena, n_s, sizeof(uint32_t), &first));
  PGB_TRY(pgb_arena_alloc(arena, n_s, sizeof(double), &start));
  PGB_TRY(pgb_arena_alloc(arena, n_s * n_a, sizeof(float), &reward));
  for (size_t s = 0; s < n_s; s++)
    ((double *)start)[s] = p->start.size != 0 ? p->start.data[s] : 1.0 / (double)n_s;
  for (size_t k = 0; k < n_s * n_a; k++)
    ((float *)reward)[k] = (float)p->reward.data[k];
  PGB_TRY(thresholds("transition", p->transition.data, n_s * n_a, n_s, next));
  PGB_TRY(thresholds("start", start, 1, n_s, first));
  p->states = n_s;
  p->actions = n_a;
  p->next_threshold = next;
  p->start_threshold = first;
  p->start_p = start;
  p->reward_lane = reward;
  *space = (pgb_space){.n_state = 1,
                       .n_obs = 1,
                       .n_act = 1,
                       .n_choices = n_a,
                       .n_contexts = n_s,
                       .horizon = (size_t)p->horizon,
                       .reset_words = 1,
                       .step_words = p->noise > 0 ? 3 : 1};
  return pgb_ok();
}

static void reset(const void *params, pgb_batch *batch) {
  const pgb_mdp *p = params;
  const uint32_t *words = batch->words;
  int32_t s[PGB_LANES] = {0};
  for (size_t j = 0; j + 1 < p->states; j++) {
    const uint32_t threshold = p->start_threshold[j];
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++)
      s[i] += (words[i] >> 1) >= threshold ? 1 : 0;
  }
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    batch->state[i] = (float)s[i];
    batch->obs[i] = (float)s[i];
  }
}

static void step(const void *params, pgb_batch *batch) {
  const pgb_mdp *p = params;
  const int32_t n_s = (int32_t)p->states;
  const int32_t n_a = (int32_t)p->actions;
  const uint32_t *threshold = p->next_threshold;
  const float *mean = p->reward_lane;
  const uint32_t *words = batch->words;
  float *reward = batch->reward;
  int32_t row[PGB_LANES]; /* of next_threshold: a study file cannot hold 2^31 of them */
  int32_t next[PGB_LANES] = {0};
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    const int32_t pair = (int32_t)batch->state[i] * n_a + (int32_t)batch->act[i];
    reward[i] = mean[pair];
    row[i] = pair * n_s;
  }
  for (int32_t j = 0; j + 1 < n_s; j++) {
    const uint32_t *column = threshold + j;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++)
      next[i] += (words[i] >> 1) >= column[row[i]] ? 1 : 0;
  }
  if (p->noise > 0) {
    const float noise = (float)p->noise;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++) {
      float z;
      float unused;
      pgb_normal_pair(words[PGB_LANES + i], words[2 * PGB_LANES + i], &z, &unused);
      reward[i] += noise * z;
    }
  }
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    batch->state[i] = (float)next[i];
    batch->obs[i] = (float)next[i];
  }
  memset(batch->end, PGB_LIVE, PGB_LANES);
}

const pgb_env_class PGB_KERNEL(pgb_env_mdp) = {
    .name = "mdp",
    .title = "finite-horizon tabular Markov decision process",
    .source = "Puterman 1994, Markov Decision Processes, chapter 4",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(pgb_mdp),
    .policy_gain = 1,
    .given = "transition,reward",
    .prepare = prepare,
    .reset = reset,
    .step = step,
};
