/* SPDX-License-Identifier: MIT */
/* State values of rollouts, compiled once per instruction set. */
#include "rollout/value.h"

#include <assert.h>

pgb_value_eval_fn PGB_KERNEL(pgb_value_eval);

static void eval_table(const pgb_value *v, const pgb_rollout *r, double *out) {
  for (size_t t = 0; t < r->rows; t++) {
    const float *s = r->obs + t * r->n_obs * PGB_LANES;
    for (size_t i = 0; i < PGB_LANES; i++) {
      const size_t at = t * PGB_LANES + i;
      out[at] = v->table[(size_t)r->step[at] * v->n_contexts + (size_t)s[i]];
    }
  }
}

static void eval_quadratic(const pgb_value *v, const pgb_rollout *r, double *out) {
  const size_t n = v->n_obs;
  for (size_t t = 0; t < r->rows; t++)
    for (size_t i = 0; i < PGB_LANES; i++) {
      const size_t at = t * PGB_LANES + i;
      const size_t step = (size_t)r->step[at];
      const float *x = r->obs + t * n * PGB_LANES + i;
      const double *p = v->quad + step * n * n;
      double sum = v->constant[step];
      for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < n; k++)
          sum += p[j * n + k] * (double)x[j * PGB_LANES] * (double)x[k * PGB_LANES];
      out[at] = sum;
    }
}

static inline float clip(float o) {
  return o < -10.0f ? -10.0f : o > 10.0f ? 10.0f : o;
}

/* The same sum as pgb_value_features times the coefficients, lanes inside. */
static void eval_features(const pgb_value *v, const pgb_rollout *r, double *out) {
  const size_t n = v->n_contexts != 0 ? v->n_contexts : v->n_obs;
  const double *c = v->coefficient;
  const double *tail = c + (v->n_contexts != 0 ? n : 2 * n);
  for (size_t t = 0; t < r->rows; t++) {
    const int32_t *step = r->step + t * PGB_LANES;
    const float *x = r->obs + t * r->n_obs * PGB_LANES;
    double *row = out + t * PGB_LANES;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++) {
      const double u = (double)step[i] * PGB_STEP_UNIT;
      row[i] = tail[3] + u * (tail[0] + u * (tail[1] + u * tail[2]));
    }
    if (v->n_contexts != 0) {
      for (size_t i = 0; i < PGB_LANES; i++)
        row[i] += c[(size_t)x[i]];
      continue;
    }
    for (size_t k = 0; k < n; k++) {
      PGB_LANE_LOOP
      for (size_t i = 0; i < PGB_LANES; i++) {
        const double o = (double)clip(x[k * PGB_LANES + i]);
        row[i] += o * (c[k] + o * c[n + k]);
      }
    }
  }
}

void PGB_KERNEL(pgb_value_eval)(const pgb_value *value, const pgb_rollout *rollout, double *out) {
  switch (value->kind) {
  case PGB_VALUE_TABLE:
    assert(value->horizon >= rollout->horizon);
    eval_table(value, rollout, out);
    break;
  case PGB_VALUE_QUADRATIC:
    assert(value->horizon >= rollout->horizon && value->n_obs == rollout->n_obs);
    eval_quadratic(value, rollout, out);
    break;
  case PGB_VALUE_FEATURES:
    eval_features(value, rollout, out);
    break;
  }
  const size_t size = rollout->rows * PGB_LANES;
  const uint8_t *end = rollout->end;
  PGB_LANE_LOOP
  for (size_t at = 0; at < size; at++)
    out[at] = end[at] == PGB_IDLE ? 0.0 : out[at];
}
