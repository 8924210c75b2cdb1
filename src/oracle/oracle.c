/* SPDX-License-Identifier: MIT */
#include "oracle/oracle.h"

#include <assert.h>

#define PGB_ORACLE(name) extern const pgb_oracle_class pgb_oracle_##name;
#include "oracle/oracles.def"
#undef PGB_ORACLE

#define PGB_ORACLE(name) &pgb_oracle_##name,
static const pgb_oracle_class *const table[] = {
#include "oracle/oracles.def"
};
#undef PGB_ORACLE

struct pgb_oracle {
  const pgb_oracle_class *class_;
  void *state;
};

pgb_status pgb_oracle_open(const pgb_problem *problem, pgb_arena *arena, pgb_oracle **out) {
  assert(problem != NULL && arena != NULL && out != NULL);
  *out = NULL;
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    if (!table[i]->fits(problem))
      continue;
    void *memory = NULL;
    PGB_TRY(pgb_arena_alloc(arena, 1, sizeof(pgb_oracle), &memory));
    pgb_oracle *oracle = memory;
    oracle->class_ = table[i];
    PGB_TRY(table[i]->open(problem, arena, &oracle->state));
    *out = oracle;
    break;
  }
  return pgb_ok();
}

const char *pgb_oracle_name(const pgb_oracle *oracle) {
  return oracle == NULL ? "none" : oracle->class_->name;
}

bool pgb_oracle_gradient(const pgb_oracle *oracle, double *j, double *gradient) {
  assert(j != NULL && gradient != NULL);
  return oracle != NULL && oracle->class_->gradient(oracle->state, j, gradient);
}

bool pgb_oracle_value(const pgb_oracle *oracle, pgb_value *out) {
  assert(out != NULL);
  return oracle != NULL && oracle->class_->value(oracle->state, out);
}

bool pgb_oracle_constant(const pgb_oracle *oracle, const pgb_estimator_class *estimator, bool component,
                         double *b) {
  assert(estimator != NULL && b != NULL);
  return oracle != NULL && oracle->class_->constant(oracle->state, estimator, component, b);
}

bool pgb_oracle_moments(const pgb_oracle *oracle, const pgb_pair *pair, size_t batch, double *mean,
                        double *variance) {
  assert(pair != NULL && pair->estimator != NULL && pair->baseline != NULL);
  assert(batch >= 1 && mean != NULL && variance != NULL);
  assert(pair->baseline->kind != PGB_BASELINE_CONSTANT || pair->constant != NULL);
  assert(pair->baseline->kind != PGB_BASELINE_VALUE || pair->value != NULL);
  return oracle != NULL && oracle->class_->moments(oracle->state, pair, batch, mean, variance);
}

bool pgb_oracle_state_baseline(const pgb_oracle *oracle, const pgb_estimator_class *estimator,
                               pgb_state_baseline which, pgb_value *out) {
  assert(estimator != NULL && out != NULL);
  return oracle != NULL && oracle->class_->state_baseline != NULL &&
         oracle->class_->state_baseline(oracle->state, estimator, which, out);
}
