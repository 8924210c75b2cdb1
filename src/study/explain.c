/* SPDX-License-Identifier: MIT */
#include "study/explain.h"

#include "envs/arms.h"
#include "envs/gaussian.h"
#include "policy/gaussian_linear.h"
#include "study/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is shown where the user asks for nothing else: studies that options override. */
static const struct problem {
  const char *name, *policy, *text;
} problems[PGB_EXPLAIN_KINDS] = {
    {"bandit", "softmax-tabular",
     "env: {name: bandit, mean: [1, 2, 3, 5], noise: 0.5}\n"
     "policy: {name: softmax-tabular, theta: [0, 0.5, 1, 1.5]}\n"
     "estimators: [reinforce]\nbatch: [10, 100, 1000, 10000, 100000]\n"},
    {"gaussian", "gaussian-linear",
     "env: {name: gaussian, curvature: 1, target: 2, noise: 0.5}\n"
     "policy: {name: gaussian-linear, theta: [0.5], sigma: 1}\n"
     "estimators: [reinforce]\nbatch: [10, 100, 1000, 10000, 100000]\n"},
    {"chain", "softmax-tabular",
     "env: {name: chain, mean: [1, 2], noise: 0.5, horizon: 3}\n"
     "policy: {name: softmax-tabular, theta: [0, 0.5]}\n"
     "estimators: [reinforce, gpomdp]\nbatch: [10, 100, 1000, 10000]\n"},
};
static const char common[] = "gamma: 1\nbaselines: [none, value]\nreplicates: 200\npilot: 2\n";

enum { MOST_STEPS = 2000000000, MOST_SAVED = 20000000 };

const char *pgb_explain_name(pgb_explain_kind kind) {
  return problems[kind].name;
}

/* The user's one baseline next to none; only what is known beforehand subtracts a plain number. */
static pgb_status read_baseline(pgb_explanation *e, const char *word, const char **list) {
  static const char *const known[] = {"value", "optimal", "optimal-component"};
  *list = NULL;
  if (word == NULL)
    return pgb_ok();
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(word, known[i]) == 0) {
      char *text = NULL;
      PGB_TRY(pgb_arena_printf(e->arena, &text, "none,%s", word));
      *list = text;
      return pgb_ok();
    }
  return pgb_fail(
      PGB_USAGE,
      "explain --baseline %.60s: no number that is known before the episodes are; use one of value, "
      "optimal and optimal-component",
      word);
}

static pgb_status resolve(pgb_explanation *e, const pgb_request *user) {
  pgb_request request = *user;
  char *text = NULL;
  PGB_TRY(pgb_arena_printf(e->arena, &text, "%s%s", problems[e->kind].text, common));
  PGB_TRY(read_baseline(e, user->baseline, &request.baseline));
  request.study = "explain";
  request.text = text;
  return pgb_study_resolve(&request, &e->study);
}

static pgb_status check_gaussian(const pgb_gaussian *env, const pgb_gaussian_linear *policy) {
  if (env->dim != 1)
    return pgb_fail(PGB_USAGE,
                    "explain gaussian: %lld action dimensions do not fit on a screen; leave dim at 1",
                    (long long)env->dim);
  if (env->random_context)
    return pgb_fail(PGB_USAGE,
                    "explain gaussian: a random context makes a second integral; use context=none");
  if (policy->learn_sigma)
    return pgb_fail(
        PGB_USAGE,
        "explain gaussian: the screen shows the slope by theta, with sigma fixed; leave learn_sigma=false");
  return pgb_ok();
}

/* Whether the study is what this screen is about; sizes of the problem. */
static pgb_status check(pgb_explanation *e) {
  const struct problem *p = &problems[e->kind];
  const pgb_study *s = e->study;
  if (s->n_cells != 1)
    return pgb_fail(PGB_USAGE,
                    "explain %s: a screen shows one problem, not %zu; give one --env and one --policy",
                    p->name, s->n_cells);
  const pgb_actor *a = &s->cells[0].actor;
  if (strcmp(a->env->name, p->name) != 0)
    return pgb_fail(PGB_USAGE,
                    "explain %s --env %s: another problem; write `pgbench explain %s` or --env %s:key=value",
                    p->name, a->env->name, p->name, p->name);
  if (strcmp(a->policy->name, p->policy) != 0)
    return pgb_fail(PGB_USAGE,
                    "explain %s --policy %s: the screen is written for %s; use --policy %s:key=value",
                    p->name, a->policy->name, p->policy, p->policy);
  e->horizon = a->space.horizon;
  e->n_choices = a->space.n_choices;
  if (e->kind == PGB_EXPLAIN_GAUSSIAN) {
    const pgb_gaussian *env = a->env_params;
    const pgb_gaussian_linear *policy = a->policy_params;
    PGB_TRY(check_gaussian(env, policy));
    e->sigma = policy->sd[0];
    e->centre = s->cells[0].theta[0];
    e->noisy = env->noise > 0;
  } else
    e->noisy = ((const pgb_arms *)a->env_params)->noisy;
  double steps = 0;
  for (size_t i = 0; i < s->n_batches; i++)
    steps += (double)s->batches[i] * (double)s->replicates * (double)e->horizon;
  if (steps > MOST_STEPS || (double)s->replicates * (double)a->shape.n_theta > MOST_SAVED)
    return pgb_fail(
        PGB_USAGE,
        "explain %s: %.3g steps are more than a demonstration should take; lower --batch or --replicates",
        p->name, steps);
  return pgb_ok();
}

/* The (estimator, baseline) pair of a way: the study names them in this order. */
static size_t pair_of(const pgb_explanation *e, pgb_explain_way way) {
  const size_t last = e->study->n_estimators - 1;
  return (way == PGB_EXPLAIN_PLAIN ? 0 : last) * e->study->n_baselines +
         (way == PGB_EXPLAIN_BASELINE ? 1 : 0);
}

static pgb_pair exact_pair(const pgb_explanation *e, const pgb_plan *plan, pgb_explain_way way) {
  const size_t at = pair_of(e, way), n = e->study->n_baselines;
  return (pgb_pair){.estimator = e->study->estimators[at / n].class_,
                    .estimator_params = e->study->estimators[at / n].params,
                    .baseline = e->study->baselines[at % n],
                    .value = plan->pairs[at].value,
                    .constant = plan->pairs[at].constant};
}

static double exact_sd(const pgb_explanation *e, const pgb_plan *plan, const pgb_pair *pair, uint64_t n,
                       double *room) {
  const size_t d = e->study->cells[0].actor.shape.n_theta;
  return pgb_oracle_moments(plan->oracle, pair, (size_t)n, room, room + d) ? sqrt(room[d + e->k])
                                                                           : (double)NAN;
}

/* The baseline of each step. */
static pgb_status baseline(pgb_explanation *e, const pgb_plan *plan) {
  const pgb_plan_pair *pair = &plan->pairs[pair_of(e, PGB_EXPLAIN_BASELINE)];
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(e->arena, e->horizon, sizeof(double), &memory));
  double *b = memory;
  for (size_t t = 0; t < e->horizon; t++)
    if (pair->constant != NULL)
      b[t] = pair->constant[e->k];
    else if (pair->value->kind == PGB_VALUE_TABLE)
      b[t] = pair->value->table[t];
    else
      b[t] = pair->value->constant[t] + pair->value->quad[t]; /* x = 1 */
  e->b = b;
  e->baseline = e->study->baselines[1]->name;
  return pgb_ok();
}

/* J, dJ by the theta_k that J gains most from, spreads of one episode. */
static pgb_status exact(pgb_explanation *e, const pgb_plan *plan, double *room) {
  const size_t d = e->study->cells[0].actor.shape.n_theta;
  if (!pgb_oracle_gradient(plan->oracle, &e->j, room))
    return pgb_fail(PGB_RUNTIME, "explain %s: no exact gradient; report this", problems[e->kind].name);
  for (size_t k = 1; k < d; k++)
    e->k = room[k] > room[e->k] + 1e-12 * fabs(room[e->k]) ? k : e->k;
  e->gradient = room[e->k];
  PGB_TRY(baseline(e, plan));
  for (int way = 0; way < PGB_EXPLAIN_WAYS; way++) {
    const pgb_pair pair = exact_pair(e, plan, (pgb_explain_way)way);
    e->sd[way] = exact_sd(e, plan, &pair, 1, room);
  }
  pgb_pair pair = exact_pair(e, plan, PGB_EXPLAIN_BASELINE);
  double *b = room + 2 * d;
  e->best = e->best_sd = (double)NAN;
  if (!pgb_oracle_constant(plan->oracle, pair.estimator, true, b))
    return pgb_ok();
  pair.baseline = pgb_baseline_find("optimal-component");
  pair.value = NULL;
  pair.constant = b;
  e->best = b[e->k];
  e->best_sd = exact_sd(e, plan, &pair, 1, room);
  return pgb_ok();
}

/* Estimates of every replicate of one batch size, by the program's own rollouts and estimators. */
static void measure(const pgb_explanation *e, const pgb_plan *plan, pgb_measure *m, size_t batch,
                    double *slots, double *gradients, double *room, pgb_explain_batch *out) {
  const pgb_cell *cell = &e->study->cells[0];
  const size_t d = cell->actor.shape.n_theta, replicates = (size_t)e->study->replicates;
  pgb_phase_times times = {0, 0};
  memset(slots, 0, pgb_measure_stride(e->study, cell) * sizeof *slots);
  pgb_measure_block(m, 0, batch, 0, e->study->replicates, slots, gradients, &times);
  out->n = e->study->batches[batch];
  for (int way = 0; way < PGB_EXPLAIN_WAYS; way++) {
    const double *g = gradients + pair_of(e, (pgb_explain_way)way) * replicates * d + e->k;
    const pgb_pair pair = exact_pair(e, plan, (pgb_explain_way)way);
    double squares = 0;
    for (size_t i = 0; i < replicates; i++)
      squares += (g[i * d] - e->gradient) * (g[i * d] - e->gradient);
    out->way[way] = (pgb_explain_estimate){.one = g[0],
                                           .typical = sqrt(squares / (double)replicates),
                                           .predicted = exact_sd(e, plan, &pair, out->n, room)};
  }
}

static pgb_status measure_all(pgb_explanation *e, const pgb_plan *plan, pgb_isa isa, double *room) {
  const pgb_cell *cell = &e->study->cells[0];
  pgb_measure *m = NULL;
  void *slots = NULL, *gradients = NULL, *batches = NULL;
  PGB_TRY(pgb_arena_alloc(e->arena, e->study->n_batches, sizeof(pgb_explain_batch), &batches));
  PGB_TRY(pgb_arena_alloc(e->arena, pgb_measure_stride(e->study, cell), sizeof(double), &slots));
  PGB_TRY(pgb_arena_alloc(e->arena, plan->n_pairs * (size_t)e->study->replicates * cell->actor.shape.n_theta,
                          sizeof(double), &gradients));
  PGB_TRY(pgb_measure_create(cell, plan, e->study, isa, &m));
  for (size_t i = 0; i < e->study->n_batches; i++)
    measure(e, plan, m, i, slots, gradients, room, (pgb_explain_batch *)batches + i);
  pgb_measure_destroy(m);
  e->batches = batches;
  e->n_batches = e->study->n_batches;
  return pgb_ok();
}

static pgb_status fill(pgb_explanation *e, const pgb_request *request) {
  pgb_plan plan;
  void *room = NULL;
  PGB_TRY(resolve(e, request));
  PGB_TRY(check(e));
  PGB_TRY(pgb_arena_alloc(e->arena, 3 * e->study->cells[0].actor.shape.n_theta, sizeof(double), &room));
  PGB_TRY(pgb_plan_create(e->study, 0, request->isa, NULL, e->arena, &plan));
  PGB_TRY(exact(e, &plan, room));
  PGB_TRY(pgb_explain_terms(e));
  return measure_all(e, &plan, request->isa, room);
}

pgb_status pgb_explain_create(pgb_explain_kind kind, const pgb_request *request, pgb_explanation **out) {
  pgb_arena *arena = NULL;
  void *memory = NULL;
  *out = NULL;
  PGB_TRY(pgb_arena_create(&arena));
  pgb_status s = pgb_arena_alloc(arena, 1, sizeof(pgb_explanation), &memory);
  if (s.code != PGB_OK) {
    pgb_arena_destroy(arena);
    return s;
  }
  pgb_explanation *e = memory;
  e->kind = kind;
  e->arena = arena;
  s = fill(e, request);
  if (s.code == PGB_OK)
    *out = e;
  else
    pgb_explain_destroy(e);
  return s;
}

void pgb_explain_destroy(pgb_explanation *e) {
  if (e == NULL)
    return;
  pgb_study_destroy(e->study);
  pgb_arena_destroy(e->arena); /* which holds e itself */
}
