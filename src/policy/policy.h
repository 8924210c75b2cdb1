/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_POLICY_POLICY_H
#define PGB_POLICY_POLICY_H

#include "core/mem.h"
#include "core/option.h"
#include "core/simd.h"
#include "env/env.h"
#include "env/steps.h"

#include <stdint.h>

/* Sizes of one policy on one problem.
 * delta: what the score needs from a step besides the observation, d log pi / d (logits or mean and log
 * sigma). */
typedef struct pgb_policy_shape {
  size_t n_theta, n_delta;
  size_t words; /* 32-bit random words that sampling one step takes */
} pgb_policy_shape;

/* What a policy is. params: the class's struct, read-only after prepare. theta: float32, [n_theta]. */
typedef struct pgb_policy_class {
  const char *name, *title, *formula, *source;
  const pgb_option *options; /* besides theta, which every policy has */
  size_t n_options, params_size;

  /* NULL where the policy fits the problem, else the reason why not (a static text). */
  const char *(*misfit)(const pgb_space *space);
  /* gain: pgb_env_class.policy_gain. */
  pgb_status (*prepare)(void *params, const pgb_space *space, double gain, pgb_arena *arena,
                        pgb_policy_shape *shape);
  /* Name of parameter k, like "W[3,0]", into text[64]. */
  void (*label)(const void *params, size_t k, char *text);
  /* theta where the user gives none ("zero"): zeros, but for log sigma, which starts at its option. double
   * [n_theta]. */
  void (*initial)(const void *params, double *theta);
  /* Samples every lane. obs [n_obs][lanes], words [shape.words][lanes] -> act [n_act][lanes], delta
   * [n_delta][lanes]. */
  void (*sample)(const void *params, const float *theta, const float *obs, const uint32_t *words, float *act,
                 float *delta);
  /* Reference in double for one observation and action: log pi(act | obs). */
  double (*logp)(const void *params, const double *theta, const double *obs, const double *act);
  /* The contraction that every estimator is: for each episode e that ends in the rollout and each weight row
   * w, out[(e*n_w + w)*n_theta + k] = sum_t weight[w][t] * psi_t[k]. weight rows: [rollout rows][lanes]. acc:
   * scratch of (n_w*n_theta + 2)*PGB_LANES floats. Sums run in step order in float32. */
  void (*contract)(const void *params, const pgb_rollout *rollout, size_t n_w, const float *const *weight,
                   float *acc, float *out);
} pgb_policy_class;

const pgb_policy_class *const *pgb_policy_table(pgb_isa isa); /* NULL-terminated, order of policies.def */
const pgb_policy_class *pgb_policy_find(pgb_isa isa, const char *name);

#endif
