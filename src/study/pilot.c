/* SPDX-License-Identifier: MIT */
#include "study/pilot.h"

#include "study/plan.h"

#include <stdlib.h>
#include <string.h>

/* Working memory of one pilot run: rows A and S of one estimator. */
typedef struct pilot {
  const pgb_study *study;
  const pgb_actor *actor;
  pgb_rollout_run_fn *run;
  pgb_address address;
  pgb_runner *runner;
  pgb_rollout *rollout;
  float *weight[2], *scratch, *out;
  size_t max_episodes;
} pilot;

enum { OUT_BYTES = 1 << 20 };

static pgb_status pilot_open(pilot *p) {
  const size_t capacity = pgb_rollout_capacity(&p->actor->space);
  const size_t n_theta = p->actor->shape.n_theta;
  PGB_TRY(pgb_runner_create(p->actor, &p->runner));
  PGB_TRY(pgb_rollout_create(p->actor, capacity, &p->rollout));
  p->max_episodes = OUT_BYTES / (2 * n_theta * sizeof(float));
  if (p->max_episodes < PGB_LANES)
    p->max_episodes = PGB_LANES;
  for (int row = 0; row < 2; row++)
    PGB_TRY(pgb_alloc(capacity * PGB_LANES, sizeof(float), (void *)&p->weight[row]));
  PGB_TRY(pgb_alloc(pgb_policy_scratch(&p->actor->shape, 2), sizeof(float), (void *)&p->scratch));
  return pgb_alloc(p->max_episodes * 2 * n_theta, sizeof(float), (void *)&p->out);
}

static void pilot_close(pilot *p) {
  pgb_runner_destroy(p->runner);
  pgb_rollout_destroy(p->rollout);
  free(p->weight[0]);
  free(p->weight[1]);
  free(p->scratch);
  free(p->out);
}

static uint64_t pilot_roll(pilot *p, uint64_t at) {
  const uint64_t left = p->study->pilot - at;
  p->run(p->actor, p->runner, p->address, p->study->pilot, at,
         left < p->max_episodes ? left : p->max_episodes, p->rollout);
  return p->rollout->n_episodes;
}

static pgb_status fit_linear(pilot *p, pgb_arena *arena, const pgb_value **out) {
  pgb_value_fit *fit = NULL;
  void *value = NULL;
  PGB_TRY(pgb_arena_alloc(arena, 1, sizeof(pgb_value), &value));
  PGB_TRY(pgb_value_fit_create(&p->actor->space, &fit));
  for (uint64_t at = 0; at < p->study->pilot; at += pilot_roll(p, at), pgb_value_fit_add(fit, p->rollout))
    ;
  pgb_status s = pgb_value_fit_solve(fit, arena, value);
  pgb_value_fit_destroy(fit);
  *out = value;
  return s;
}

/* b* = sum A.S / sum |S|^2 and b_k* = sum A_k S_k / sum S_k^2 over the pilot's episodes. */
static void fit_constants(pilot *p, const pgb_study_estimator *e, double *constant, double *component,
                          double *as, double *ss) {
  const size_t d = p->actor->shape.n_theta;
  for (uint64_t at = 0; at < p->study->pilot;) {
    const uint64_t n = pilot_roll(p, at);
    e->class_->weights(e->params, p->actor->gamma, p->rollout, NULL, p->weight[0]);
    e->class_->ones(p->actor->gamma, p->rollout, p->weight[1]);
    p->actor->policy->contract(p->actor->policy_params, p->actor->theta, p->rollout, 0, n, 2,
                               (const float *const *)p->weight, p->scratch, p->out);
    for (size_t i = 0; i < n; i++)
      for (size_t k = 0; k < d; k++) {
        const double s = (double)p->out[(2 * i + 1) * d + k];
        as[k] += (double)p->out[2 * i * d + k] * s;
        ss[k] += s * s;
      }
    at += n;
  }
  double sum_as = 0;
  double sum_ss = 0;
  for (size_t k = 0; k < d; k++) {
    sum_as += as[k];
    sum_ss += ss[k];
    component[k] = ss[k] > 0 ? as[k] / ss[k] : 0;
  }
  for (size_t k = 0; k < d; k++)
    constant[k] = sum_ss > 0 ? sum_as / sum_ss : 0;
}

static pgb_status constants(pilot *p, const pgb_study_estimator *e, pgb_oracle *oracle, pgb_arena *arena,
                            const double **constant, const double **component) {
  const size_t d = p->actor->shape.n_theta;
  void *room = NULL;
  PGB_TRY(pgb_arena_alloc(arena, 4 * d, sizeof(double), &room));
  double *b = room;
  if (!pgb_oracle_constant(oracle, e->class_, false, b) ||
      !pgb_oracle_constant(oracle, e->class_, true, b + d))
    fit_constants(p, e, b, b + d, b + 2 * d, b + 3 * d);
  *constant = b;
  *component = b + d;
  return pgb_ok();
}

bool pgb_pilot_oracle_value(const pgb_oracle *oracle, const pgb_estimator_class *estimator,
                            const pgb_baseline_class *baseline, pgb_value *out) {
  switch (baseline->from) {
  case PGB_FROM_EXACT:
    return pgb_oracle_value(oracle, out);
  case PGB_FROM_SCORE_WEIGHTED:
    return pgb_oracle_state_baseline(oracle, estimator, PGB_STATE_SCORE_WEIGHTED, out);
  case PGB_FROM_OPTIMAL:
    return pgb_oracle_state_baseline(oracle, estimator, PGB_STATE_OPTIMAL, out);
  case PGB_FROM_PILOT:
    break;
  }
  return false;
}

/* The state value of every pair; V^pi and the fitted one are shared, so that pairs share their evaluation. */
static pgb_status values(const pgb_study *study, const pgb_oracle *oracle, const pgb_value *linear,
                         pgb_arena *arena, const pgb_value *const **out) {
  void *table = NULL;
  void *room = NULL;
  PGB_TRY(pgb_arena_alloc(arena, study->n_estimators * study->n_baselines, sizeof(pgb_value *), &table));
  PGB_TRY(pgb_arena_alloc(arena, study->n_estimators * study->n_baselines, sizeof(pgb_value), &room));
  const pgb_value **value = table;
  const pgb_value *exact = NULL;
  for (size_t k = 0; k < study->n_estimators * study->n_baselines; k++) {
    const pgb_baseline_class *b = study->baselines[k % study->n_baselines];
    pgb_value *own = (pgb_value *)room + k;
    if (b->kind != PGB_BASELINE_VALUE)
      continue;
    if (b->from == PGB_FROM_PILOT)
      value[k] = linear;
    else if (b->from == PGB_FROM_EXACT && exact != NULL)
      value[k] = exact;
    else if (pgb_pilot_oracle_value(oracle, study->estimators[k / study->n_baselines].class_, b, own))
      value[k] = own;
    if (b->from == PGB_FROM_EXACT)
      exact = value[k];
  }
  *out = value;
  return pgb_ok();
}

static pgb_status fit_all(pilot *p, pgb_oracle *oracle, pgb_arena *arena, pgb_fits *out) {
  const pgb_study *study = p->study;
  bool want_constant = false;
  bool want_linear = false;
  for (size_t i = 0; i < study->n_baselines; i++) {
    const pgb_baseline_class *b = study->baselines[i];
    want_constant = want_constant || b->kind == PGB_BASELINE_CONSTANT;
    want_linear = want_linear || (b->kind == PGB_BASELINE_VALUE && b->from == PGB_FROM_PILOT);
  }
  const pgb_value *linear = NULL;
  void *table = NULL;
  PGB_TRY(pgb_arena_alloc(arena, 2 * study->n_estimators, sizeof(double *), &table));
  const double **b = table;
  *out = (pgb_fits){.constant = b, .component = b + study->n_estimators};
  if (want_linear)
    PGB_TRY(fit_linear(p, arena, &linear));
  PGB_TRY(values(study, oracle, linear, arena, &out->value));
  for (size_t i = 0; i < study->n_estimators && want_constant; i++)
    if (study->estimators[i].class_->ones != NULL)
      PGB_TRY(constants(p, &study->estimators[i], oracle, arena, &b[i], &b[study->n_estimators + i]));
  return pgb_ok();
}

pgb_status pgb_pilot_fit(const pgb_study *study, size_t cell, pgb_oracle *oracle, pgb_isa isa,
                         pgb_arena *arena, pgb_fits *out) {
  pilot p = {.study = study,
             .actor = &study->cells[cell].actor,
             .run = pgb_rollout_run(isa),
             .address = {.seed = study->seed, .stream = pgb_stream(cell, 0), .pilot = true}};
  pgb_status s = pilot_open(&p);
  if (s.code == PGB_OK)
    s = fit_all(&p, oracle, arena, out);
  pilot_close(&p);
  return s;
}
