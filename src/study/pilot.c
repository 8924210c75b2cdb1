/* SPDX-License-Identifier: MIT */
#include "study/pilot.h"

#include "study/plan.h"

#include <stdlib.h>
#include <string.h>

/* Fit 0 is that of linear values, fit 1 + i that of estimator i's constants. */
struct pgb_pilot {
  const pgb_study *study;
  const pgb_actor *actor;
  const pgb_oracle *oracle;
  pgb_rollout_run_fn *run;
  pgb_address address;
  pgb_runner *runner;
  pgb_rollout *rollout;
  float *weight[2], *scratch, *out; /* rows A and S of one estimator */
  size_t max_episodes, group;       /* rolled out, contracted at a time */
  size_t n_fits;
  pgb_value_fit *linear;
  double **as;       /* [n_fits] sums A_k S_k [n_theta] and S_k^2 [n_theta], NULL where not fitted        */
  double **constant; /* [n_estimators] b* [n_theta], b_k* [n_theta], NULL where not needed                */
  double *sums;      /* SUMS_HEAD counters, then all sums: what a fit is when it is stopped               */
  size_t n_sums;
  size_t rolled, used; /* episodes of the rollout, those of them that are in the sums                     */
};

enum { OUT_BYTES = 1 << 20, GROUP_WORK = 1 << 29 };
enum { SUMS_FIT, SUMS_EPISODES, SUMS_HEAD }; /* the fit under way, its episodes so far */

static bool wants(const pgb_study *study, pgb_baseline_kind kind) {
  for (size_t i = 0; i < study->n_baselines; i++) {
    const pgb_baseline_class *b = study->baselines[i];
    if (b->kind == kind && (kind != PGB_BASELINE_VALUE || b->from == PGB_FROM_PILOT))
      return true;
  }
  return false;
}

/* Room for constants; those that the oracle knows are there at once. */
static pgb_status open_constants(pgb_pilot *p, pgb_oracle *oracle, pgb_arena *arena, size_t *n_sums) {
  const size_t d = p->actor->shape.n_theta;
  for (size_t i = 0; i < p->study->n_estimators; i++) {
    const pgb_estimator_class *e = p->study->estimators[i].class_;
    void *room = NULL;
    if (e->ones == NULL)
      continue;
    PGB_TRY(pgb_arena_alloc(arena, 2 * d, sizeof(double), &room));
    double *b = p->constant[i] = room;
    if (pgb_oracle_constant(oracle, e, false, b) && pgb_oracle_constant(oracle, e, true, b + d))
      continue;
    p->as[1 + i] = b; /* for now: that it is to be fitted */
    *n_sums += 2 * d;
  }
  return pgb_ok();
}

static pgb_status open_sums(pgb_pilot *p, pgb_oracle *oracle, pgb_arena *arena) {
  const size_t d = p->actor->shape.n_theta;
  const size_t linear = wants(p->study, PGB_BASELINE_VALUE) ? pgb_value_fit_sums(&p->actor->space) : 0;
  void *table = NULL;
  void *room = NULL;
  p->n_fits = 1 + p->study->n_estimators;
  p->n_sums = SUMS_HEAD + linear;
  PGB_TRY(pgb_arena_alloc(arena, 2 * p->n_fits, sizeof(double *), &table));
  p->as = table;
  p->constant = p->as + p->n_fits;
  if (wants(p->study, PGB_BASELINE_CONSTANT))
    PGB_TRY(open_constants(p, oracle, arena, &p->n_sums));
  PGB_TRY(pgb_arena_alloc(arena, p->n_sums, sizeof(double), &room));
  p->sums = room;
  if (linear > 0)
    PGB_TRY(pgb_value_fit_create(&p->actor->space, p->sums + SUMS_HEAD, &p->linear));
  double *next = p->sums + SUMS_HEAD + linear;
  for (size_t i = 1; i < p->n_fits; i++)
    if (p->as[i] != NULL) {
      p->as[i] = next;
      next += 2 * d;
    }
  return pgb_ok();
}

static pgb_status open_rollouts(pgb_pilot *p) {
  const size_t capacity = pgb_rollout_capacity(&p->actor->space);
  const size_t n_theta = p->actor->shape.n_theta;
  const size_t work = n_theta * p->actor->space.horizon;
  if (p->n_sums == SUMS_HEAD)
    return pgb_ok();
  PGB_TRY(pgb_runner_create(p->actor, &p->runner));
  PGB_TRY(pgb_rollout_create(p->actor, capacity, &p->rollout));
  p->max_episodes = OUT_BYTES / (2 * n_theta * sizeof(float));
  if (p->max_episodes < PGB_LANES)
    p->max_episodes = PGB_LANES;
  p->group = work < GROUP_WORK ? GROUP_WORK / work : 1;
  if (p->group > p->max_episodes)
    p->group = p->max_episodes;
  for (int row = 0; row < 2; row++)
    PGB_TRY(pgb_alloc(capacity * PGB_LANES, sizeof(float), (void *)&p->weight[row]));
  PGB_TRY(pgb_alloc(pgb_policy_scratch(&p->actor->shape, 2), sizeof(float), (void *)&p->scratch));
  return pgb_alloc(p->group * 2 * n_theta, sizeof(float), (void *)&p->out);
}

pgb_status pgb_pilot_open(const pgb_study *study, size_t cell, pgb_oracle *oracle, pgb_isa isa,
                          pgb_arena *arena, pgb_pilot **out) {
  void *piece = NULL;
  *out = NULL;
  PGB_TRY(pgb_alloc(1, sizeof(pgb_pilot), &piece));
  pgb_pilot *p = piece;
  p->study = study;
  p->actor = &study->cells[cell].actor;
  p->oracle = oracle;
  p->run = pgb_rollout_run(isa);
  p->address = (pgb_address){.seed = study->seed, .stream = pgb_stream(cell, 0), .pilot = true};
  pgb_status s = open_sums(p, oracle, arena);
  if (s.code == PGB_OK)
    s = open_rollouts(p);
  if (s.code == PGB_OK)
    *out = p;
  else
    pgb_pilot_close(p);
  return s;
}

void pgb_pilot_close(pgb_pilot *p) {
  if (p == NULL)
    return;
  pgb_runner_destroy(p->runner);
  pgb_rollout_destroy(p->rollout);
  pgb_value_fit_destroy(p->linear);
  free(p->weight[0]);
  free(p->weight[1]);
  free(p->scratch);
  free(p->out);
  free(p);
}

double *pgb_pilot_sums(const pgb_pilot *p, size_t *n) {
  *n = p->n_sums;
  return p->sums;
}

/* The next episodes, and for constants the weights of their steps. */
static void roll(pgb_pilot *p, size_t fit) {
  const uint64_t at = (uint64_t)p->sums[SUMS_EPISODES];
  const uint64_t left = p->study->pilot - at;
  p->run(p->actor, p->runner, p->address, p->study->pilot, at,
         left < p->max_episodes ? left : p->max_episodes, p->rollout);
  p->rolled = p->rollout->n_episodes;
  p->used = 0;
  if (fit == 0)
    return;
  const pgb_study_estimator *e = &p->study->estimators[fit - 1];
  e->class_->weights(e->params, p->actor->gamma, p->rollout, NULL, p->weight[0]);
  e->class_->ones(p->actor->gamma, p->rollout, p->weight[1]);
}

/* sum A.S and sum |S|^2, by component, of the next n episodes. */
static void add_scores(pgb_pilot *p, double *as, size_t n) {
  const size_t d = p->actor->shape.n_theta;
  double *ss = as + d;
  p->actor->policy->contract(p->actor->policy_params, p->actor->theta, p->rollout, p->used, n, 2,
                             (const float *const *)p->weight, p->scratch, p->out);
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < d; k++) {
      const double s = (double)p->out[(2 * i + 1) * d + k];
      as[k] += (double)p->out[2 * i * d + k] * s;
      ss[k] += s * s;
    }
}

bool pgb_pilot_step(pgb_pilot *p) {
  size_t fit = (size_t)p->sums[SUMS_FIT];
  if (p->sums[SUMS_EPISODES] >= (double)p->study->pilot) {
    fit++;
    p->sums[SUMS_EPISODES] = 0;
    p->used = p->rolled = 0;
  }
  while (fit < p->n_fits && (fit == 0 ? p->linear == NULL : p->as[fit] == NULL))
    fit++;
  p->sums[SUMS_FIT] = (double)fit;
  if (fit >= p->n_fits)
    return false;
  if (p->used == p->rolled)
    roll(p, fit);
  size_t n = p->rolled - p->used;
  if (fit == 0) {
    pgb_value_fit_add(p->linear, p->rollout);
  } else {
    n = n < p->group ? n : p->group;
    add_scores(p, p->as[fit], n);
  }
  p->used += n;
  p->sums[SUMS_EPISODES] += (double)n;
  return true;
}

/* b* = sum A.S / sum |S|^2 and b_k* = sum A_k S_k / sum S_k^2 over the pilot's episodes. */
static void solve_constants(const pgb_pilot *p, const double *as, double *constant) {
  const size_t d = p->actor->shape.n_theta;
  const double *ss = as + d;
  double *component = constant + d;
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

pgb_status pgb_pilot_fits(const pgb_pilot *p, pgb_arena *arena, pgb_fits *out) {
  const size_t n = p->study->n_estimators;
  void *linear = NULL;
  void *table = NULL;
  PGB_TRY(pgb_arena_alloc(arena, 2 * n, sizeof(double *), &table));
  const double **b = table;
  *out = (pgb_fits){.constant = b, .component = b + n};
  if (p->linear != NULL) {
    PGB_TRY(pgb_arena_alloc(arena, 1, sizeof(pgb_value), &linear));
    PGB_TRY(pgb_value_fit_solve(p->linear, arena, linear));
  }
  PGB_TRY(values(p->study, p->oracle, linear, arena, &out->value));
  for (size_t i = 0; i < n; i++) {
    if (p->constant[i] == NULL)
      continue;
    if (p->as[1 + i] != NULL)
      solve_constants(p, p->as[1 + i], p->constant[i]);
    b[i] = p->constant[i];
    b[n + i] = p->constant[i] + p->actor->shape.n_theta;
  }
  return pgb_ok();
}
