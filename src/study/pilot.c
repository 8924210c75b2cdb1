/* SPDX-License-Identifier: MIT */
#include "study/pilot.h"

#include "study/plan.h"

#include <stdlib.h>
#include <string.h>

/* The sample is cut into chunks of episodes by the study alone. Each is added up by itself, then to the
 * others in their order, so that ranks can take one each. */
struct pgb_pilot {
  const pgb_study *study;
  const pgb_actor *actor;
  const pgb_oracle *oracle;
  pgb_rollout_run_fn *run;
  pgb_address address;
  pgb_runner *runner;
  pgb_rollout *rollout;
  float **weight; /* rows A and S of every estimator whose constants are fitted */
  float *weights, *scratch, *out;
  size_t n_fitted;
  size_t group; /* episodes contracted at a time */
  pgb_value_fit *linear;
  size_t n_linear;   /* its sums                                                                       */
  size_t *as;        /* [n_estimators] where sums A_k S_k [n_theta] and S_k^2 [n_theta] lie, 0: not fitted */
  double **constant; /* [n_estimators] b* [n_theta], b_k* [n_theta], NULL where not needed                */
  double *sums;      /* [n_sums] SUMS_HEAD counters, then those of the linear fit and of the constants      */
  double *own;       /* [n_sums] of this rank's chunk                                                   */
  size_t n_sums;
};

enum { OUT_BYTES = 1 << 20, GROUP_WORK = 1 << 29, CHUNK = 2 * PGB_LANES, WAVE_WORDS = 1 << 16 };
enum { SUMS_EPISODES, SUMS_HEAD }; /* the episodes so far */

static bool wants(const pgb_study *study, pgb_baseline_kind kind) {
  for (size_t i = 0; i < study->n_baselines; i++) {
    const pgb_baseline_class *b = study->baselines[i];
    if (b->kind == kind && (kind != PGB_BASELINE_VALUE || b->from == PGB_FROM_PILOT))
      return true;
  }
  return false;
}

/* Room for constants; those that the oracle knows are there at once. */
static pgb_status open_constants(pgb_pilot *p, pgb_oracle *oracle, pgb_arena *arena) {
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
    p->as[i] = p->n_sums;
    p->n_sums += 2 * d;
    p->n_fitted++;
  }
  return pgb_ok();
}

static pgb_status open_sums(pgb_pilot *p, pgb_oracle *oracle, pgb_arena *arena) {
  const size_t n = p->study->n_estimators;
  void *constant = NULL;
  void *as = NULL;
  void *sums = NULL;
  if (wants(p->study, PGB_BASELINE_VALUE)) {
    p->n_linear = pgb_value_fit_sums(&p->actor->space);
    PGB_TRY(pgb_value_fit_create(&p->actor->space, &p->linear));
  }
  p->n_sums = SUMS_HEAD + p->n_linear;
  PGB_TRY(pgb_arena_alloc(arena, n, sizeof(double *), &constant));
  PGB_TRY(pgb_arena_alloc(arena, n, sizeof(size_t), &as));
  p->constant = constant;
  p->as = as;
  if (wants(p->study, PGB_BASELINE_CONSTANT))
    PGB_TRY(open_constants(p, oracle, arena));
  PGB_TRY(pgb_arena_alloc(arena, p->n_sums, sizeof(double), &sums));
  p->sums = sums;
  return pgb_alloc(p->n_sums, sizeof(double), (void *)&p->own);
}

static size_t at_least(size_t n, size_t least) {
  return n < least ? least : n;
}

static size_t at_most(size_t n, size_t most) {
  return n < most ? n : most;
}

static pgb_status open_rollouts(pgb_pilot *p) {
  const size_t capacity = pgb_rollout_capacity(&p->actor->space);
  const size_t n_theta = p->actor->shape.n_theta;
  const size_t n_rows = 2 * p->n_fitted;
  const size_t lanes = capacity * PGB_LANES;
  if (p->n_sums == SUMS_HEAD)
    return pgb_ok();
  PGB_TRY(pgb_runner_create(p->actor, &p->runner));
  PGB_TRY(pgb_rollout_create(p->actor, capacity, &p->rollout));
  if (n_rows == 0)
    return pgb_ok();
  const size_t work = at_least(GROUP_WORK / (n_rows * n_theta * p->actor->space.horizon), 1);
  p->group =
      at_most(at_most(work, at_least(OUT_BYTES / (n_rows * n_theta * sizeof(float)), PGB_LANES)), CHUNK);
  PGB_TRY(pgb_alloc(n_rows, sizeof(float *), (void *)&p->weight));
  PGB_TRY(pgb_alloc(n_rows * lanes, sizeof(float), (void *)&p->weights));
  for (size_t row = 0; row < n_rows; row++)
    p->weight[row] = p->weights + row * lanes;
  PGB_TRY(pgb_alloc(pgb_policy_scratch(&p->actor->shape, n_rows), sizeof(float), (void *)&p->scratch));
  return pgb_alloc(p->group * n_rows * n_theta, sizeof(float), (void *)&p->out);
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
  free(p->weight);
  free(p->weights);
  free(p->own);
  free(p->scratch);
  free(p->out);
  free(p);
}

double *pgb_pilot_sums(const pgb_pilot *p, size_t *n) {
  *n = p->n_sums;
  return p->sums;
}

/* The weights of the steps of every estimator whose constants are fitted. */
static void weigh(pgb_pilot *p) {
  for (size_t i = 0, row = 0; i < p->study->n_estimators; i++) {
    const pgb_study_estimator *e = &p->study->estimators[i];
    if (p->as[i] == 0)
      continue;
    e->class_->weights(e->params, p->actor->gamma, p->rollout, NULL, p->weight[row++]);
    e->class_->ones(p->actor->gamma, p->rollout, p->weight[row++]);
  }
}

/* sum A.S and sum |S|^2, by component, of n episodes of the rollout. */
static void add_scores(pgb_pilot *p, size_t first, size_t n) {
  const size_t d = p->actor->shape.n_theta;
  const size_t n_rows = 2 * p->n_fitted;
  p->actor->policy->contract(p->actor->policy_params, p->actor->theta, p->rollout, first, n, n_rows,
                             (const float *const *)p->weight, p->scratch, p->out);
  for (size_t i = 0, row = 0; i < p->study->n_estimators; i++) {
    double *as = p->own + p->as[i];
    double *ss = as + d;
    if (p->as[i] == 0)
      continue;
    for (size_t e = 0; e < n; e++) {
      const float *a = p->out + (e * n_rows + row) * d;
      for (size_t k = 0; k < d; k++) {
        const double s = (double)a[d + k];
        as[k] += (double)a[k] * s;
        ss[k] += s * s;
      }
    }
    row += 2;
  }
}

/* The next episodes [at, end), as many as a rollout holds; their number. */
static uint64_t roll(pgb_pilot *p, uint64_t at, uint64_t end) {
  p->run(p->actor, p->runner, p->address, p->study->pilot, at, end - at, p->rollout);
  p->own[SUMS_EPISODES] += (double)p->rollout->n_episodes;
  if (p->linear != NULL)
    pgb_value_fit_add(p->linear, p->rollout, p->own + SUMS_HEAD);
  if (p->n_fitted > 0)
    weigh(p);
  return p->rollout->n_episodes;
}

static bool given_up(const pgb_pilot_watch *watch) {
  return watch != NULL && watch->asked(watch->self) != 0;
}

/* One of the chunks behind those that are in the sums, if there is one. */
static void measure_chunk(pgb_pilot *p, size_t chunk, const pgb_pilot_watch *watch) {
  const uint64_t all = p->study->pilot;
  uint64_t at = (uint64_t)p->sums[SUMS_EPISODES] + chunk * CHUNK;
  const uint64_t end = at + CHUNK < all ? at + CHUNK : all;
  memset(p->own, 0, p->n_sums * sizeof *p->own);
  while (at < end && !given_up(watch)) {
    const size_t n = (size_t)roll(p, at, end);
    for (size_t from = 0; from < n && p->n_fitted > 0 && !given_up(watch); from += p->group)
      add_scores(p, from, at_most(p->group, n - from));
    at += n;
  }
}

/* Chunks of one after another to the sums. */
static void add(pgb_pilot *p, const double *chunks, size_t n) {
  for (size_t c = 0; c < n; c++)
    for (size_t i = 0; i < p->n_sums; i++)
      p->sums[i] += chunks[c * p->n_sums + i];
}

/* Collective. Adds the chunks of `ranks` ranks; room [most][n_sums]. */
static pgb_status add_wave(pgb_pilot *p, pgb_comm *comm, double *room, size_t most) {
  const size_t ranks = (size_t)pgb_comm_size(comm);
  const size_t rank = (size_t)pgb_comm_rank(comm);
  const double left = (double)p->study->pilot - p->sums[SUMS_EPISODES];
  const size_t n_chunks = at_most(ranks, (size_t)((left + CHUNK - 1) / CHUNK));
  for (size_t from = 0; from < n_chunks; from += most) {
    const size_t n = at_most(most, n_chunks - from);
    const pgb_comm_words mine = {(rank - from) * p->n_sums, p->n_sums, p->own};
    const bool has = rank >= from && rank < from + n;
    PGB_TRY(pgb_comm_agree(comm, pgb_comm_collect(comm, &mine, has ? 1 : 0, n * p->n_sums, room)));
    add(p, room, n);
  }
  return pgb_ok();
}

/* All waves, in each of which every rank has a chunk. */
static pgb_status sample(pgb_pilot *p, pgb_comm *comm, double *room, size_t most,
                         const pgb_pilot_watch *watch) {
  while (p->sums[SUMS_EPISODES] < (double)p->study->pilot) {
    measure_chunk(p, room == NULL ? 0 : (size_t)pgb_comm_rank(comm), watch);
    if (watch != NULL) /* ends the run where a rank has given up */
      PGB_TRY(watch->pause(watch->self));
    if (room == NULL)
      add(p, p->own, 1);
    else
      PGB_TRY(add_wave(p, comm, room, most));
  }
  return pgb_ok();
}

/* A rank whose oracle ran out of memory has other things to fit. */
static pgb_status agree_sums(const pgb_pilot *p, pgb_comm *comm) {
  size_t first = p->n_sums;
  pgb_status s = pgb_comm_broadcast(comm, &first, sizeof first);
  if (s.code == PGB_OK && first != p->n_sums)
    s = pgb_fail(PGB_RUNTIME, "memory: a rank could not compute what the first one could; run fewer ranks on "
                              "a node");
  return pgb_comm_agree(comm, s);
}

pgb_status pgb_pilot_run(pgb_pilot *p, pgb_comm *comm, const pgb_pilot_watch *watch) {
  void *room = NULL;
  pgb_status s = pgb_ok();
  size_t most = 1;
  const bool together = comm != NULL && pgb_comm_size(comm) > 1;
  if (together)
    PGB_TRY(agree_sums(p, comm));
  if (p->n_sums == SUMS_HEAD) /* nothing to fit */
    return s;
  if (together) {
    most = at_least(at_most(WAVE_WORDS / p->n_sums, (size_t)pgb_comm_size(comm)), 1);
    s = pgb_comm_agree(comm, pgb_alloc(most * p->n_sums, sizeof(double), &room));
  }
  if (s.code == PGB_OK)
    s = sample(p, comm, room, most, watch);
  free(room);
  return s;
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
    PGB_TRY(pgb_value_fit_solve(p->linear, p->sums + SUMS_HEAD, arena, linear));
  }
  PGB_TRY(values(p->study, p->oracle, linear, arena, &out->value));
  for (size_t i = 0; i < n; i++) {
    if (p->constant[i] == NULL)
      continue;
    if (p->as[i] != 0)
      solve_constants(p, p->sums + p->as[i], p->constant[i]);
    b[i] = p->constant[i];
    b[n + i] = p->constant[i] + p->actor->shape.n_theta;
  }
  return pgb_ok();
}
