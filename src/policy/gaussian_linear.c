/* SPDX-License-Identifier: MIT */
#include "policy/gaussian_linear.h"

#include "core/vmath.h"
#include "policy/contract_linear.h"
#include "policy/lane_dot.h"
#include "policy/policy.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>

static const pgb_option options[] = {
    {"sigma", "action", PGB_TYPE_ARRAY, offsetof(pgb_gaussian_linear, sigma), 1e-6, 1e6, "1", NULL,
     "standard deviation of the action, one number or one for each dimension"},
    {"learn_sigma", "1", PGB_TYPE_BOOL, offsetof(pgb_gaussian_linear, learn_sigma), 0, 1, "false", NULL,
     "append log sigma to the parameters; it starts at sigma where theta does not give it"},
};

static const char *misfit(const pgb_space *space) {
  if (space->n_choices != 0)
    return "the actions are discrete";
  return space->n_contexts != 0 ? "the observations are discrete" : NULL;
}

static pgb_status prepare(void *params, const pgb_space *space, double gain, pgb_arena *arena,
                          pgb_policy_shape *shape) {
  pgb_gaussian_linear *p = params;
  const size_t m = space->n_act;
  const size_t n = space->n_obs;
  if (p->sigma.rank > 1 || (p->sigma.size != 1 && p->sigma.size != m))
    return pgb_fail(PGB_USAGE,
                    "sigma: has %zu values for %zu action dimensions; give one number or one for each",
                    p->sigma.size, m);
  void *sd = NULL;
  void *piece = NULL;
  p->n = n;
  p->m = m;
  p->gain = gain;
  p->n_theta = m * n + (p->learn_sigma ? m : 0);
  PGB_TRY(pgb_arena_alloc(arena, m, sizeof(double), &sd));
  p->n_parts = p->learn_sigma ? 2 * m : m;
  PGB_TRY(pgb_arena_alloc(arena, p->n_parts, sizeof(linear_part), &piece));
  linear_part *parts = piece;
  for (size_t i = 0; i < m; i++) {
    ((double *)sd)[i] = p->sigma.data[p->sigma.size == 1 ? 0 : i];
    parts[i] =
        (linear_part){.row = (int32_t)i, .first = (int32_t)(i * n), .n_features = (int32_t)n, .bias = -1};
    if (p->learn_sigma)
      parts[m + i] = (linear_part){.row = (int32_t)(m + i), .bias = (int32_t)(m * n + i)};
  }
  p->sd = sd;
  p->parts = parts;
  *shape = (pgb_policy_shape){.n_theta = p->n_theta,
                              .n_delta = p->learn_sigma ? 2 * m : m,
                              .words = 2 * ((m + 1) / 2),
                              .scratch_row = p->n_theta * PGB_LANES};
  return pgb_ok();
}

static void label(const void *params, size_t k, char *text) {
  const pgb_gaussian_linear *p = params;
  if (k < p->m * p->n)
    (void)snprintf(text, 64, "%s[%zu,%zu]", p->gain < 0 ? "K" : "theta", k / p->n, k % p->n);
  else
    (void)snprintf(text, 64, "log_sigma[%zu]", k - p->m * p->n);
}

static void initial(const void *params, double *theta) {
  const pgb_gaussian_linear *p = params;
  for (size_t k = 0; k < p->n_theta; k++)
    theta[k] = k < p->m * p->n ? 0 : log(p->sd[k - p->m * p->n]);
}

static void sample(const void *params, const float *theta, const float *obs, const uint32_t *words,
                   uint64_t busy, float *act, float *delta, float *kept) {
  (void)busy;
  (void)kept;
  const pgb_gaussian_linear *p = params;
  const float gain = (float)p->gain;
  for (size_t i = 0; i < p->m; i += 2) {
    const uint32_t *w = words + i * PGB_LANES;
    float radius[PGB_LANES];
    float *z0 = delta + i * PGB_LANES, *z1 = z0 + PGB_LANES;
    PGB_LANE_LOOP /* apart from the next: a long chain of operations hides few of another */
        for (size_t k = 0; k < PGB_LANES; k++) radius[k] = pgb_normal_radius(w[k]);
    if (i + 1 < p->m) {
      PGB_LANE_LOOP
      for (size_t k = 0; k < PGB_LANES; k++)
        pgb_normal_turned(radius[k], w[PGB_LANES + k], &z0[k], &z1[k]);
    } else {
      PGB_LANE_LOOP
      for (size_t k = 0; k < PGB_LANES; k++) {
        float spare;
        pgb_normal_turned(radius[k], w[PGB_LANES + k], &z0[k], &spare);
      }
    }
  }
  for (size_t i = 0; i < p->m; i++) {
    float *a = act + i * PGB_LANES;
    float *d = delta + i * PGB_LANES;
    const float sd = p->learn_sigma ? pgb_exp(theta[p->m * p->n + i]) : (float)p->sd[i];
    const float inverse = 1.0f / sd;
    if (p->learn_sigma) {
      float *e = delta + (p->m + i) * PGB_LANES;
      PGB_LANE_LOOP
      for (size_t l = 0; l < PGB_LANES; l++)
        e[l] = d[l] * d[l] - 1.0f;
    }
    PGB_LANE_LOOP
    for (size_t l = 0; l < PGB_LANES; l++) {
      a[l] = sd * d[l];
      d[l] = d[l] * inverse;
    }
    for (size_t k = 0; k < p->n; k += LANE_TERMS) {
      float w[LANE_TERMS];
      const size_t n = lane_terms(p->n, k);
      for (size_t j = 0; j < n; j++)
        w[j] = gain * theta[i * p->n + k + j];
      lane_add(w, obs + k * PGB_LANES, n, a);
    }
  }
}

static double logp(const void *params, const double *theta, const double *obs, const double *act) {
  const pgb_gaussian_linear *p = params;
  double sum = 0;
  for (size_t i = 0; i < p->m; i++) {
    double mean = 0;
    for (size_t k = 0; k < p->n; k++)
      mean += p->gain * theta[i * p->n + k] * obs[k];
    const double log_sd = p->learn_sigma ? theta[p->m * p->n + i] : log(p->sd[i]);
    const double z = (act[i] - mean) * exp(-log_sd);
    sum += -0.5 * z * z - log_sd - 0.91893853320467274178; /* log sqrt(2 pi) */
  }
  return sum;
}

static void contract(const void *params, const float *theta, const pgb_rollout *rollout, size_t first,
                     size_t count, size_t n_w, const float *const *weight, float *acc, float *out) {
  (void)theta;
  assert(first == 0 && count == rollout->n_episodes);
  const pgb_gaussian_linear *p = params;
  PGB_KERNEL(pgb_linear_contract)(p->parts, p->n_parts, p->n_theta, rollout, n_w, weight, acc, out);
  if (p->gain > 0)
    return;
  for (size_t row = 0; row < rollout->n_episodes * n_w; row++) /* gain is -1: u = -K x */
    for (size_t k = 0; k < p->m * p->n; k++)
      out[row * p->n_theta + k] = -out[row * p->n_theta + k];
}

const pgb_policy_class PGB_KERNEL(pgb_policy_gaussian_linear) = {
    .name = "gaussian-linear",
    .title = "normal action around a linear mean",
    .formula = "a_i = g sum_k theta[i,k] x_k + sigma_i eps_i, g = -1 for lqr (u = -K x), else +1",
    .source = "Williams 1992, doi:10.1007/BF00992696, section 6 (Gaussian units)",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(pgb_gaussian_linear),
    .misfit = misfit,
    .prepare = prepare,
    .label = label,
    .initial = initial,
    .sample = sample,
    .logp = logp,
    .contract = contract,
};
