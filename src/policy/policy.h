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
  size_t words;    /* 32-bit random words that sampling one step takes                             */
  size_t n_packed; /* floats that pack() appends to theta                                          */
  size_t n_kept;   /* floats that sample() keeps of a step for contract(), like a net's activations */
  size_t scratch, scratch_row; /* floats that contract() works in: scratch + n_w * scratch_row */
  size_t n_raw;    /* sums that contract_raw() makes of a weight row, 0 without it                   */
  bool by_episode; /* contract() takes any range of episodes, and NULL rows, else all of a rollout */
  bool fused;      /* uses fused multiply-add where there is one: other bits than without          */
} pgb_policy_shape;

static inline size_t pgb_policy_scratch(const pgb_policy_shape *shape, size_t n_w) {
  return shape->scratch + n_w * shape->scratch_row;
}

/* Sums that a weight row makes: raw ones, or one for each parameter. */
static inline size_t pgb_policy_sums(const pgb_policy_shape *shape) {
  return shape->n_raw > 0 ? shape->n_raw : shape->n_theta;
}

/* Floats to allocate for theta: its parameters, from the next cache line on what pack() appends. */
static inline size_t pgb_policy_packed_at(const pgb_policy_shape *shape) {
  return (shape->n_theta + 15) / 16 * 16;
}

/* What a policy is. params: the class's struct, read-only after prepare. theta: float32, [n_theta], and where
 * n_packed is not 0 followed by what pack() made of it at pgb_policy_packed_at(). */
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
  /* theta "zero": zeros, but for log sigma, which starts at its option. double [n_theta]. */
  void (*initial)(const void *params, double *theta);
  /* Adds to `initial` where theta starts if the user does not give it, drawn from the study's seed; NULL:
   * nothing. Memory may be short. */
  pgb_status (*start)(const void *params, uint64_t seed, double *theta);
  /* Rearranges theta for sample and contract; NULL where n_packed is 0. */
  void (*pack)(const void *params, const float *theta, float *packed);
  /* Samples the lanes of the set `busy`, and finds the others some valid action. obs [n_obs][lanes], words
   * [shape.words][lanes] -> act [n_act][lanes], delta [n_delta][lanes], kept [busy lanes, in order][n_kept].
   */
  void (*sample)(const void *params, const float *theta, const float *obs, const uint32_t *words,
                 uint64_t busy, float *act, float *delta, float *kept);
  /* Reference in double for one observation and action: log pi(act | obs). */
  double (*logp)(const void *params, const double *theta, const double *obs, const double *act);
  /* The contraction that every estimator is: for each of the episodes e = first.. (count of them) and each
   * weight row w, out[((e - first)*n_w + w)*n_theta + k] = sum_t weight[w][t] * psi_t[k]. Without
   * shape.by_episode only all episodes of the rollout may be asked for. weight rows: [rollout rows][lanes],
   * any finite number on idle lanes; with shape.by_episode a row may be NULL for 1 at every step. scratch:
   * pgb_policy_scratch floats, 64-byte aligned. Sums run in step order in float32. */
  void (*contract)(const void *params, const float *theta, const pgb_rollout *rollout, size_t first,
                   size_t count, size_t n_w, const float *const *weight, float *scratch, float *out);
  /* Where few sums tell all others, or they fall in another order: contract() of these, shape.n_raw in
   * n_theta's place, and all sums [n_theta] from raw [n_raw], linear in them; both NULL elsewhere. */
  void (*contract_raw)(const void *params, const float *theta, const pgb_rollout *rollout, size_t first,
                       size_t count, size_t n_w, const float *const *weight, float *scratch, float *out);
  void (*expand)(const void *params, const double *raw, double *all);
} pgb_policy_class;

const pgb_policy_class *const *pgb_policy_table(pgb_isa isa); /* NULL-terminated, order of policies.def */
const pgb_policy_class *pgb_policy_find(pgb_isa isa, const char *name);

#endif
