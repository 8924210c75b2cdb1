/* SPDX-License-Identifier: MIT */
#ifndef PGB_POLICY_CONTRACT_LINEAR_H
#define PGB_POLICY_CONTRACT_LINEAR_H

#include "env/ends.h"
#include "env/steps.h"

#include <string.h>

/* One parameter of a policy whose score is a product: psi_k = scale * delta[row] * obs[feature], or scale *
 * delta[row] where feature is negative. */
typedef struct linear_term {
  int32_t row, feature;
  float scale;
} linear_term;

/* What is summed at a time stays in the first-level cache: so many sums of all lanes, or where one weight row
 * has more already, of TILE lanes. */
enum { TILE = 16, WIDE_SUMS = 64 };

/* Lanes whose episode begins at this row start from zero. */
static inline void linear_start(const int32_t *step, size_t tile, size_t n_sums, float *acc) {
  int32_t any = 0;
  for (size_t i = 0; i < tile; i++)
    any |= step[i] == 0;
  if (any == 0)
    return;
  for (size_t k = 0; k < n_sums; k++) {
    float *sum = acc + k * tile;
    PGB_LANE_LOOP
    for (size_t i = 0; i < tile; i++)
      sum[i] = step[i] == 0 ? 0.0f : sum[i];
  }
}

/* sum_k += (weight * scale * delta) * obs for one row of steps; the bracket is common to the parameters of a
 * delta. */
static inline void linear_add(const linear_term *terms, size_t n_theta, const float *delta, const float *obs,
                              const float *weight, size_t tile, float *acc) {
  float common[PGB_LANES];
  for (size_t k = 0; k < n_theta; k++) {
    const linear_term *term = &terms[k];
    float *sum = acc + k * tile;
    if (k == 0 || term->row != term[-1].row || term->scale != term[-1].scale) {
      const float *d = delta + (size_t)term->row * PGB_LANES;
      const float scale = term->scale;
      PGB_LANE_LOOP
      for (size_t i = 0; i < tile; i++)
        common[i] = weight[i] * (scale * d[i]);
    }
    if (term->feature < 0) {
      PGB_LANE_LOOP
      for (size_t i = 0; i < tile; i++)
        sum[i] += common[i];
    } else {
      const float *x = obs + (size_t)term->feature * PGB_LANES;
      PGB_LANE_LOOP
      for (size_t i = 0; i < tile; i++)
        sum[i] += common[i] * x[i];
    }
  }
}

typedef struct linear_job {
  const linear_term *terms;
  size_t n_theta, n_w; /* parameters, weight rows of the whole contraction */
  const pgb_rollout *r;
  const float *const *weight;
  float *acc, *out;
} linear_job;

/* Weight rows [w0, w1) of lanes [lane0, lane0 + tile). */
static inline void linear_contract_part(const linear_job *job, size_t w0, size_t w1, size_t lane0,
                                        size_t tile) {
  const pgb_rollout *r = job->r;
  float *acc = job->acc;
  const size_t n_theta = job->n_theta;
  const size_t n_sums = (w1 - w0) * n_theta;
  const uint64_t here = tile == PGB_LANES ? ~(uint64_t)0 : (((uint64_t)1 << tile) - 1) << lane0;
  memset(acc, 0, n_sums * tile * sizeof *acc);
  for (size_t t = 0; t < r->rows; t++) {
    const size_t row = t * PGB_LANES;
    linear_start(r->step + row + lane0, tile, n_sums, acc);
    for (size_t w = w0; w < w1; w++)
      linear_add(job->terms, n_theta, r->delta + row * r->n_delta + lane0, r->obs + row * r->n_obs + lane0,
                 job->weight[w] + row + lane0, tile, acc + (w - w0) * n_theta * tile);
    uint64_t ended = pgb_ended_lanes(r->end + row) & here;
    while (ended != 0) {
      const size_t i = pgb_take_lane(&ended);
      float *to = job->out + ((size_t)r->episode[row + i] * job->n_w + w0) * n_theta;
      for (size_t k = 0; k < n_sums; k++)
        to[k] = acc[k * tile + i - lane0];
    }
  }
}

/* The contraction of pgb_policy_class for such a policy. acc: [n_w*n_theta][PGB_LANES]. */
static inline void linear_contract(const linear_term *terms, size_t n_theta, const pgb_rollout *r, size_t n_w,
                                   const float *const *weight, float *acc, float *out) {
  const linear_job job = {
      .terms = terms, .n_theta = n_theta, .n_w = n_w, .r = r, .weight = weight, .acc = acc, .out = out};
  if (n_theta > WIDE_SUMS) {
    for (size_t lane0 = 0; lane0 < PGB_LANES; lane0 += TILE)
      linear_contract_part(&job, 0, n_w, lane0, TILE);
    return;
  }
  const size_t group = WIDE_SUMS / n_theta;
  for (size_t w = 0; w < n_w; w += group)
    linear_contract_part(&job, w, w + group < n_w ? w + group : n_w, 0, PGB_LANES);
}

#endif
