/* SPDX-License-Identifier: MIT */
#include "policy/contract_linear.h"
#include "policy/lane_dot.h"
#include "policy/softmax.h"

#include <assert.h>
#include <stdio.h>

/* theta: W [n_choices][n_obs] row by row, then b [n_choices]. */
typedef struct softmax_linear {
  size_t n_obs, n_choices, n_theta, n_parts;
  const linear_part *parts; /* [n_parts] */
  linear_part few;          /* of two choices, where only the first one's sums are wanted */
} softmax_linear;

enum { MAX_CHOICES = 1024 };

static const char *misfit(const pgb_space *space) {
  if (space->n_choices == 0)
    return "the actions are continuous";
  if (space->n_choices > MAX_CHOICES)
    return "more than 1024 actions";
  return space->n_contexts != 0 ? "the observations are discrete (softmax-tabular fits)" : NULL;
}

static pgb_status prepare(void *params, const pgb_space *space, double gain, pgb_arena *arena,
                          pgb_policy_shape *shape) {
  (void)gain;
  softmax_linear *p = params;
  p->n_obs = space->n_obs;
  p->n_choices = space->n_choices;
  p->n_theta = p->n_choices * (p->n_obs + 1);
  void *piece = NULL;
  /* d log pi / d logit of each choice; that of two choices is one number and its negative. */
  p->n_parts = p->n_choices == 2 ? 1 : p->n_choices;
  PGB_TRY(pgb_arena_alloc(arena, p->n_parts, sizeof(linear_part), &piece));
  linear_part *parts = piece;
  for (size_t a = 0; a < p->n_parts; a++)
    parts[a] = (linear_part){.row = (int32_t)a,
                             .first = (int32_t)(a * p->n_obs),
                             .n_features = (int32_t)p->n_obs,
                             .bias = (int32_t)(p->n_choices * p->n_obs + a)};
  p->parts = parts;
  p->few = parts[0];
  p->few.bias = (int32_t)p->n_obs;
  *shape = (pgb_policy_shape){
      .n_theta = p->n_theta, .n_delta = p->n_parts, .words = 1, .scratch_row = p->n_theta * PGB_LANES};
  if (p->n_choices == 2)
    shape->n_raw = p->n_obs + 1;
  return pgb_ok();
}

static void label(const void *params, size_t k, char *text) {
  const softmax_linear *p = params;
  const size_t n_w = p->n_choices * p->n_obs;
  if (k < n_w)
    (void)snprintf(text, 64, "W[%zu,%zu]", k / p->n_obs, k % p->n_obs);
  else
    (void)snprintf(text, 64, "b[%zu]", k - n_w);
}

static void initial(const void *params, double *theta) {
  const softmax_linear *p = params;
  for (size_t k = 0; k < p->n_theta; k++)
    theta[k] = 0;
}

/* Two choices depend on the difference of their logits alone, and so do their scores. */
static void sample_pair(const softmax_linear *p, const float *theta, const float *obs, const uint32_t *words,
                        float *act, float *delta) {
  const float *bias = theta + 2 * p->n_obs;
  const float per_ln2 = 1.44269504f;
  float margin[PGB_LANES], odds[PGB_LANES];
  lane_start(per_ln2 * (bias[0] - bias[1]), margin);
  for (size_t k = 0; k < p->n_obs; k += LANE_TERMS) {
    float w[LANE_TERMS];
    const size_t n = lane_terms(p->n_obs, k);
    for (size_t j = 0; j < n; j++)
      w[j] = per_ln2 * (theta[k + j] - theta[p->n_obs + k + j]);
    lane_add(w, obs + k * PGB_LANES, n, margin);
  }
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++)
    odds[i] = pgb_exp2(margin[i]);
  PGB_LANE_LOOP /* apart from the last: a long chain of operations hides few of another */
      for (size_t i = 0; i < PGB_LANES; i++) act[i] = softmax_pair(odds[i], words[i], &delta[i]);
}

static void sample(const void *params, const float *theta, const float *obs, const uint32_t *words,
                   uint64_t busy, float *act, float *delta, float *kept) {
  (void)busy;
  (void)kept;
  const softmax_linear *p = params;
  const float *bias = theta + p->n_choices * p->n_obs;
  if (p->n_choices == 2) {
    sample_pair(p, theta, obs, words, act, delta);
    return;
  }
  for (size_t a = 0; a < p->n_choices; a++)
    lane_dot(theta + a * p->n_obs, bias[a], obs, p->n_obs, delta + a * PGB_LANES);
  softmax_sample(p->n_choices, words, act, delta);
}

static double logp(const void *params, const double *theta, const double *obs, const double *act) {
  const softmax_linear *p = params;
  double logits[MAX_CHOICES] = {0};
  for (size_t a = 0; a < p->n_choices; a++) {
    logits[a] = theta[p->n_choices * p->n_obs + a];
    for (size_t k = 0; k < p->n_obs; k++)
      logits[a] += theta[a * p->n_obs + k] * obs[k];
  }
  return softmax_logp(logits, p->n_choices, (size_t)act[0]);
}

static void contract(const void *params, const float *theta, const pgb_rollout *rollout, size_t first,
                     size_t count, size_t n_w, const float *const *weight, float *acc, float *out) {
  (void)theta;
  assert(first == 0 && count == rollout->n_episodes);
  const softmax_linear *p = params;
  PGB_KERNEL(pgb_linear_contract)(p->parts, p->n_parts, p->n_theta, rollout, n_w, weight, acc, out);
  if (p->n_parts == p->n_choices)
    return;
  const size_t n = p->n_obs;
  for (size_t row = 0; row < rollout->n_episodes * n_w; row++) { /* the second of two choices */
    float *sum = out + row * p->n_theta;
    for (size_t k = 0; k < n; k++)
      sum[n + k] = -sum[k];
    sum[2 * n + 1] = -sum[2 * n];
  }
}

/* Of two choices the first one's weights, then its bias. */
static void contract_raw(const void *params, const float *theta, const pgb_rollout *rollout, size_t first,
                         size_t count, size_t n_w, const float *const *weight, float *acc, float *out) {
  (void)theta;
  assert(first == 0 && count == rollout->n_episodes);
  const softmax_linear *p = params;
  PGB_KERNEL(pgb_linear_contract)(&p->few, 1, p->n_obs + 1, rollout, n_w, weight, acc, out);
}

static void expand(const void *params, const double *raw, double *all) {
  const softmax_linear *p = params;
  const size_t n = p->n_obs;
  for (size_t k = 0; k < n; k++) {
    all[k] = raw[k];
    all[n + k] = -raw[k];
  }
  all[2 * n] = raw[n];
  all[2 * n + 1] = -raw[n];
}

const pgb_policy_class PGB_KERNEL(pgb_policy_softmax_linear) = {
    .name = "softmax-linear",
    .title = "softmax of one linear score with bias for each action",
    .formula = "pi(a|x) = exp(W[a].x + b[a]) / sum_c exp(W[c].x + b[c])",
    .source = "Sutton and Barto 2018, Reinforcement Learning, section 13.1",
    .params_size = sizeof(softmax_linear),
    .misfit = misfit,
    .prepare = prepare,
    .label = label,
    .initial = initial,
    .sample = sample,
    .logp = logp,
    .contract = contract,
    .contract_raw = contract_raw,
    .expand = expand,
};
