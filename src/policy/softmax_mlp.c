/* SPDX-License-Identifier: MIT */
#include "policy/mlp.h"
#include "policy/softmax.h"

#include <stddef.h>

typedef struct softmax_mlp {
  pgb_mlp net; /* first: PGB_MLP_OPTIONS */
} softmax_mlp;

enum { MAX_CHOICES = 1024 };

static const pgb_option options[] = {PGB_MLP_OPTIONS};

static const char *misfit(const pgb_space *space) {
  if (space->n_choices == 0)
    return "the actions are continuous (gaussian-mlp fits)";
  if (space->n_choices > MAX_CHOICES)
    return "more than 1024 actions";
  return space->n_contexts != 0 ? "the observations are discrete (softmax-tabular fits)" : NULL;
}

static pgb_status prepare(void *params, const pgb_space *space, double gain, pgb_arena *arena,
                          pgb_policy_shape *shape) {
  (void)gain;
  softmax_mlp *p = params;
  PGB_TRY(pgb_mlp_prepare(&p->net, space->n_obs, space->n_choices, 0, arena, shape));
  shape->n_delta = space->n_choices;
  shape->words = 1;
  return pgb_ok();
}

static void label(const void *params, size_t k, char *text) {
  pgb_mlp_label(&((const softmax_mlp *)params)->net, k, text);
}

static void initial(const void *params, double *theta) {
  const softmax_mlp *p = params;
  memset(theta, 0, p->net.n_theta * sizeof *theta);
}

static pgb_status start(const void *params, uint64_t seed, double *theta) {
  return pgb_mlp_start(&((const softmax_mlp *)params)->net, seed, theta);
}

static void pack(const void *params, const float *theta, float *packed) {
  pgb_mlp_pack(&((const softmax_mlp *)params)->net, theta, packed);
}

static void sample(const void *params, const float *theta, const float *obs, const uint32_t *words,
                   uint64_t busy, float *act, float *delta, float *kept) {
  const softmax_mlp *p = params;
  PGB_KERNEL(pgb_mlp_forward)(&p->net, theta, obs, busy, delta, kept);
  softmax_sample(p->net.n_out, words, act, delta);
}

static double logp(const void *params, const double *theta, const double *obs, const double *act) {
  const softmax_mlp *p = params;
  double logits[MAX_CHOICES];
  pgb_mlp_eval(&p->net, theta, obs, logits);
  return softmax_logp(logits, p->net.n_out, (size_t)act[0]);
}

static void contract(const void *params, const float *theta, const pgb_rollout *rollout, size_t first,
                     size_t count, size_t n_w, const float *const *weight, float *scratch, float *out) {
  const softmax_mlp *p = params;
  PGB_KERNEL(pgb_mlp_contract)(&p->net, theta, rollout, first, count, n_w, weight, scratch, out);
}

static void contract_raw(const void *params, const float *theta, const pgb_rollout *rollout, size_t first,
                         size_t count, size_t n_w, const float *const *weight, float *scratch, float *out) {
  const softmax_mlp *p = params;
  PGB_KERNEL(pgb_mlp_contract_raw)(&p->net, theta, rollout, first, count, n_w, weight, scratch, out);
}

static void expand(const void *params, const double *raw, double *all) {
  pgb_mlp_expand(&((const softmax_mlp *)params)->net, raw, all);
}

const pgb_policy_class PGB_KERNEL(pgb_policy_softmax_mlp) = {
    .name = "softmax-mlp",
    .title = "softmax of the outputs of a multilayer perceptron",
    .formula = "pi(a|x) = exp(y[a]) / sum_c exp(y[c]), y = W_L f(... f(W_1 x + b_1) ...) + b_L",
    .source = "Sutton and Barto 2018, Reinforcement Learning, section 13.1; start: arXiv:1312.6120",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(softmax_mlp),
    .misfit = misfit,
    .prepare = prepare,
    .label = label,
    .initial = initial,
    .start = start,
    .pack = pack,
    .sample = sample,
    .logp = logp,
    .contract = contract,
    .contract_raw = contract_raw,
    .expand = expand,
};
