/* SPDX-License-Identifier: MIT */
#include "policy/contract_linear.h"
#include "policy/softmax.h"

#include <assert.h>
#include <stdio.h>

typedef struct tabular {
  size_t n_contexts, n_choices;
  const linear_part *parts; /* [n_choices], used where there is one context */
} tabular;

static const char *misfit(const pgb_space *space) {
  if (space->n_choices == 0)
    return "the actions are continuous";
  return space->n_contexts == 0 ? "the observations are continuous" : NULL;
}

static pgb_status prepare(void *params, const pgb_space *space, double gain, pgb_arena *arena,
                          pgb_policy_shape *shape) {
  (void)gain;
  tabular *p = params;
  p->n_contexts = space->n_contexts;
  p->n_choices = space->n_choices;
  void *piece = NULL;
  PGB_TRY(pgb_arena_alloc(arena, p->n_choices, sizeof(linear_part), &piece));
  linear_part *parts = piece;
  for (size_t a = 0; a < p->n_choices; a++)
    parts[a] = (linear_part){.row = (int32_t)a, .bias = (int32_t)a};
  p->parts = parts;
  *shape = (pgb_policy_shape){.n_theta = p->n_contexts * p->n_choices,
                              .n_delta = p->n_choices,
                              .words = 1,
                              .scratch_row = p->n_contexts * p->n_choices * PGB_LANES};
  return pgb_ok();
}

static void label(const void *params, size_t k, char *text) {
  const tabular *p = params;
  (void)snprintf(text, 64, "theta[%zu,%zu]", k / p->n_choices, k % p->n_choices);
}

static void initial(const void *params, double *theta) {
  const tabular *p = params;
  for (size_t k = 0; k < p->n_contexts * p->n_choices; k++)
    theta[k] = 0;
}

static void sample(const void *params, const float *theta, const float *obs, const uint32_t *words,
                   uint64_t busy, float *act, float *delta, float *kept) {
  (void)busy;
  (void)kept;
  const tabular *p = params;
  const int32_t n_choices = (int32_t)p->n_choices;
  for (size_t a = 0; a < p->n_choices; a++) {
    float *row = delta + a * PGB_LANES;
    const float *from = theta + a;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++)
      row[i] = from[(int32_t)obs[i] * n_choices];
  }
  softmax_sample(p->n_choices, words, act, delta);
}

static double logp(const void *params, const double *theta, const double *obs, const double *act) {
  const tabular *p = params;
  return softmax_logp(theta + (size_t)obs[0] * p->n_choices, p->n_choices, (size_t)act[0]);
}

/* Only the parameters of the visited state have a score, so each episode scatters its own sums. */
static void contract_states(const tabular *p, const pgb_rollout *r, size_t n_w, const float *const *weight,
                            float *out) {
  const size_t n_sums = n_w * p->n_contexts * p->n_choices;
  memset(out, 0, r->n_episodes * n_sums * sizeof *out);
  for (size_t e = 0; e < r->n_episodes; e++, out += n_sums) {
    const size_t lane = (size_t)r->origin[e] % PGB_LANES;
    const size_t begin = (size_t)r->origin[e] / PGB_LANES;
    for (size_t t = begin; t < begin + (size_t)r->length[e]; t++) {
      const size_t s = (size_t)r->obs[t * r->n_obs * PGB_LANES + lane];
      const float *delta = r->delta + t * r->n_delta * PGB_LANES + lane;
      for (size_t w = 0; w < n_w; w++) {
        float *sum = out + (w * p->n_contexts + s) * p->n_choices;
        const float x = weight[w][t * PGB_LANES + lane];
        for (size_t a = 0; a < p->n_choices; a++)
          sum[a] += x * delta[a * PGB_LANES];
      }
    }
  }
}

static void contract(const void *params, const float *theta, const pgb_rollout *rollout, size_t first,
                     size_t count, size_t n_w, const float *const *weight, float *acc, float *out) {
  (void)theta;
  assert(first == 0 && count == rollout->n_episodes);
  const tabular *p = params;
  assert(rollout->n_delta == p->n_choices);
  if (p->n_contexts == 1)
    PGB_KERNEL(pgb_linear_contract)(p->parts, p->n_choices, p->n_choices, rollout, n_w, weight, acc, out);
  else
    contract_states(p, rollout, n_w, weight, out);
}

const pgb_policy_class PGB_KERNEL(pgb_policy_softmax_tabular) = {
    .name = "softmax-tabular",
    .title = "softmax of one preference for each (observation, action)",
    .formula = "pi(a|s) = exp(theta[s,a]) / sum_b exp(theta[s,b])",
    .source = "Sutton and Barto 2018, Reinforcement Learning, section 13.1",
    .params_size = sizeof(tabular),
    .misfit = misfit,
    .prepare = prepare,
    .label = label,
    .initial = initial,
    .sample = sample,
    .logp = logp,
    .contract = contract,
};
