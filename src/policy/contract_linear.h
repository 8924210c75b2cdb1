/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_POLICY_CONTRACT_LINEAR_H
#define PGB_POLICY_CONTRACT_LINEAR_H

#include "core/simd.h"
#include "env/steps.h"

/* The parameters of one row of delta of a policy whose score is a product: psi = delta[row] * obs[f] for the
 * parameter first + f, f < n_features, and delta[row] for the parameter bias. */
typedef struct linear_part {
  int32_t row, first, n_features;
  int32_t bias; /* -1: none */
} linear_part;

/* The contraction of pgb_policy_class for such a policy; parameters of no part are left alone. acc:
 * [n_w*n_theta][PGB_LANES]. */
typedef void linear_contract_fn(const linear_part *parts, size_t n_parts, size_t n_theta,
                                const pgb_rollout *rollout, size_t n_w, const float *const *weight,
                                float *acc, float *out);
linear_contract_fn PGB_KERNEL(pgb_linear_contract);

#endif
