/* SPDX-License-Identifier: MIT */
#include "rollout/value.h"

#include "core/dispatch.h"

#include <assert.h>
#include <string.h>

PGB_DECLARE_KERNEL(pgb_value_eval_fn, pgb_value_eval, );

pgb_value_eval_fn *pgb_value_eval(pgb_isa isa) {
  static pgb_value_eval_fn *const copies[PGB_ISA_COUNT] = PGB_DISPATCH(pgb_value_eval);
  assert(isa < PGB_ISA_COUNT);
  return copies[isa];
}

static double clip(double o) {
  return o < -10 ? -10 : o > 10 ? 10 : o;
}

size_t pgb_value_feature_count(size_t n_obs, size_t n_contexts) {
  return (n_contexts != 0 ? n_contexts : 2 * n_obs) + 4;
}

void pgb_value_features(const double *obs, size_t n_obs, size_t n_contexts, double t, double *out) {
  const size_t n = n_contexts != 0 ? n_contexts : 2 * n_obs;
  if (n_contexts != 0) {
    memset(out, 0, n * sizeof *out);
    out[(size_t)obs[0]] = 1;
  } else {
    for (size_t k = 0; k < n_obs; k++) {
      const double o = clip(obs[k]);
      out[k] = o;
      out[n_obs + k] = o * o;
    }
  }
  const double u = t * PGB_STEP_UNIT;
  out[n] = u;
  out[n + 1] = u * u;
  out[n + 2] = u * u * u;
  out[n + 3] = 1;
}
