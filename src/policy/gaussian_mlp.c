/* SPDX-License-Identifier: MIT */
#include "core/vmath.h"
#include "policy/mlp.h"

#include <stddef.h>
#include <stdio.h>

enum { MAX_ACT = 1024 };

/* theta: that of the net, then log sigma [n_act] with learn_sigma. */
typedef struct gaussian_mlp {
  pgb_mlp net;     /* first: PGB_MLP_OPTIONS */
  pgb_array sigma; /* scalar or [n_act], as given */
  bool learn_sigma;
  const double *sd; /* [n_act] sigma, broadcast */
} gaussian_mlp;

static const pgb_option options[] = {
    PGB_MLP_OPTIONS,
    {"sigma", "action", PGB_TYPE_ARRAY, offsetof(gaussian_mlp, sigma), 1e-6, 1e6, "1", NULL,
     "standard deviation of the action, one number or one for each dimension"},
    {"learn_sigma", "1", PGB_TYPE_BOOL, offsetof(gaussian_mlp, learn_sigma), 0, 1, "false", NULL,
     "append log sigma to the parameters, the same in every state; it starts at sigma where theta does not "
     "give it"},
};

static const char *misfit(const pgb_space *space) {
  if (space->n_choices != 0)
    return "the actions are discrete";
  if (space->n_act > MAX_ACT)
    return "more than 1024 action dimensions";
  return space->n_contexts != 0 ? "the observations are discrete" : NULL;
}

static pgb_status prepare(void *params, const pgb_space *space, double gain, pgb_arena *arena,
                          pgb_policy_shape *shape) {
  (void)gain;
  gaussian_mlp *p = params;
  const size_t m = space->n_act;
  void *sd = NULL;
  if (p->sigma.rank > 1 || (p->sigma.size != 1 && p->sigma.size != m))
    return pgb_fail(PGB_USAGE,
                    "sigma: has %zu values for %zu action dimensions; give one number or one for each",
                    p->sigma.size, m);
  PGB_TRY(pgb_arena_alloc(arena, m, sizeof(double), &sd));
  for (size_t i = 0; i < m; i++)
    ((double *)sd)[i] = p->sigma.data[p->sigma.size == 1 ? 0 : i];
  p->sd = sd;
  PGB_TRY(pgb_mlp_prepare(&p->net, space->n_obs, m, p->learn_sigma ? m : 0, arena, shape));
  shape->n_delta = p->learn_sigma ? 2 * m : m;
  shape->words = 2 * ((m + 1) / 2);
  return pgb_ok();
}

static size_t n_weights(const gaussian_mlp *p) {
  return p->net.n_theta - p->net.n_tail;
}

static void label(const void *params, size_t k, char *text) {
  const gaussian_mlp *p = params;
  if (k < n_weights(p))
    pgb_mlp_label(&p->net, k, text);
  else
    (void)snprintf(text, 64, "log_sigma[%zu]", k - n_weights(p));
}

static void initial(const void *params, double *theta) {
  const gaussian_mlp *p = params;
  for (size_t k = 0; k < p->net.n_theta; k++)
    theta[k] = k < n_weights(p) ? 0 : log(p->sd[k - n_weights(p)]);
}

static pgb_status start(const void *params, uint64_t seed, double *theta) {
  return pgb_mlp_start(&((const gaussian_mlp *)params)->net, seed, theta);
}

static void pack(const void *params, const float *theta, float *packed) {
  pgb_mlp_pack(&((const gaussian_mlp *)params)->net, theta, packed);
}

/* One action dimension: mean a and normals d in, action a and scores d, e out (e: NULL without learn_sigma).
 */
static void act_on(float sd, float *a, float *d, float *e) {
  const float inverse = 1.0f / sd;
  if (e != NULL) {
    PGB_LANE_LOOP
    for (size_t l = 0; l < PGB_LANES; l++)
      e[l] = d[l] * d[l] - 1.0f;
  }
  PGB_LANE_LOOP
  for (size_t l = 0; l < PGB_LANES; l++) {
    a[l] += sd * d[l];
    d[l] = d[l] * inverse;
  }
}

static void sample(const void *params, const float *theta, const float *obs, const uint32_t *words,
                   uint64_t busy, float *act, float *delta, float *kept) {
  const gaussian_mlp *p = params;
  const size_t m = p->net.n_out;
  PGB_KERNEL(pgb_mlp_forward)(&p->net, theta, obs, busy, act, kept);
  for (size_t i = 0; i < m; i += 2) {
    const uint32_t *w = words + i * PGB_LANES;
    float spare[PGB_LANES];
    float *z0 = delta + i * PGB_LANES;
    float *z1 = i + 1 < m ? z0 + PGB_LANES : spare;
    PGB_LANE_LOOP
    for (size_t k = 0; k < PGB_LANES; k++)
      pgb_normal_pair(w[k], w[PGB_LANES + k], &z0[k], &z1[k]);
  }
  for (size_t i = 0; i < m; i++) {
    const float sd = p->learn_sigma ? pgb_exp(theta[n_weights(p) + i]) : (float)p->sd[i];
    act_on(sd, act + i * PGB_LANES, delta + i * PGB_LANES,
           p->learn_sigma ? delta + (m + i) * PGB_LANES : NULL);
  }
}

static double logp(const void *params, const double *theta, const double *obs, const double *act) {
  const gaussian_mlp *p = params;
  double mean[MAX_ACT];
  double sum = 0;
  pgb_mlp_eval(&p->net, theta, obs, mean);
  for (size_t i = 0; i < p->net.n_out; i++) {
    const double log_sd = p->learn_sigma ? theta[n_weights(p) + i] : log(p->sd[i]);
    const double z = (act[i] - mean[i]) * exp(-log_sd);
    sum += -0.5 * z * z - log_sd - 0.91893853320467274178; /* log sqrt(2 pi) */
  }
  return sum;
}

static void contract(const void *params, const float *theta, const pgb_rollout *rollout, size_t first,
                     size_t count, size_t n_w, const float *const *weight, float *scratch, float *out) {
  const gaussian_mlp *p = params;
  PGB_KERNEL(pgb_mlp_contract)(&p->net, theta, rollout, first, count, n_w, weight, scratch, out);
}

static void contract_raw(const void *params, const float *theta, const pgb_rollout *rollout, size_t first,
                         size_t count, size_t n_w, const float *const *weight, float *scratch, float *out) {
  const gaussian_mlp *p = params;
  PGB_KERNEL(pgb_mlp_contract_raw)(&p->net, theta, rollout, first, count, n_w, weight, scratch, out);
}

static void expand(const void *params, const double *raw, double *all) {
  pgb_mlp_expand(&((const gaussian_mlp *)params)->net, raw, all);
}

const pgb_policy_class PGB_KERNEL(pgb_policy_gaussian_mlp) = {
    .name = "gaussian-mlp",
    .title = "normal action around the outputs of a multilayer perceptron",
    .formula = "a_i = y_i + sigma_i eps_i, y = W_L f(... f(W_1 x + b_1) ...) + b_L",
    .source = "Williams 1992, doi:10.1007/BF00992696, section 6 (Gaussian units); start: arXiv:1312.6120",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(gaussian_mlp),
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
