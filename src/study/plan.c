/* SPDX-License-Identifier: MIT */
#include "study/plan.h"

#include "study/pilot.h"

#include <assert.h>
#include <string.h>

uint32_t pgb_stream(size_t cell, size_t batch_index) {
  assert(cell < 1u << 20 && batch_index < 1u << 8);
  return (uint32_t)(cell << 8 | batch_index);
}

static bool needs_ones(const pgb_baseline_class *b) {
  return b->kind == PGB_BASELINE_CONSTANT || b->kind == PGB_BASELINE_BATCH;
}

/* Why the pair has no meaning here, or NULL. */
static const char *undefined(const pgb_estimator_class *e, const pgb_baseline_class *b, bool value_known) {
  if (e->ones == NULL && needs_ones(b))
    return "the estimator takes a state value as its baseline, not a constant";
  if (b->kind != PGB_BASELINE_VALUE || value_known)
    return NULL;
  return b->from == PGB_FROM_EXACT ? "no exact value function is known for this problem"
                                   : "no oracle knows this state baseline for the problem and estimator";
}

static const char *small_batch_reason(const pgb_study *study, const pgb_baseline_class *b) {
  for (size_t i = 0; i < study->n_batches; i++)
    if (study->batches[i] < b->min_batch)
      return "batch 1: needs another episode of the batch";
  return "";
}

typedef struct builder {
  const pgb_study *study;
  const pgb_cell *cell;
  const pgb_fits *fits;
  pgb_row *rows;
  pgb_product *products;
  size_t n_rows, n_products, max_rows;
  bool step;
} builder;

/* Index of a row, added if it is not there yet. Estimators with the same ones share them. */
static size_t need_row(builder *b, pgb_row_kind kind, size_t estimator, const pgb_value *value) {
  const pgb_study_estimator *all = b->study->estimators;
  for (size_t i = 0; i < b->n_rows; i++) {
    const pgb_row *r = &b->rows[i];
    const bool same = r->estimator == estimator ||
                      (kind == PGB_ROW_ONES && all[r->estimator].class_->ones == all[estimator].class_->ones);
    if (r->kind == kind && r->value == value && same)
      return i;
  }
  b->rows[b->n_rows] = (pgb_row){.kind = kind, .estimator = estimator, .value = value};
  return b->n_rows++;
}

/* Number of the sum of a product with the estimator's ones, max_rows and its index until the rows are
 * counted.
 */
static size_t need_product(builder *b, pgb_row_kind factor, size_t estimator, const pgb_value *value) {
  const size_t row = need_row(b, PGB_ROW_ONES, estimator, NULL);
  for (size_t i = 0; i < b->n_products; i++)
    if (b->products[i].factor == factor && b->products[i].row == row && b->products[i].value == value)
      return b->max_rows + i;
  b->products[b->n_products] = (pgb_product){.factor = factor, .row = row, .value = value};
  return b->max_rows + b->n_products++;
}

static pgb_row_kind kind_of(const pgb_baseline_class *c) {
  return c->kind == PGB_BASELINE_VALUE  ? PGB_ROW_VALUE
         : c->kind == PGB_BASELINE_STEP ? PGB_ROW_STEP
                                        : PGB_ROW_PLAIN;
}

/* The sums that a pair's estimate is made of: rows of weights. */
static void need_rows(builder *b, size_t estimator, const pgb_baseline_class *c, pgb_plan_pair *pair) {
  b->step = b->step || c->kind == PGB_BASELINE_STEP;
  if (!b->study->estimators[estimator].class_->whole)
    pair->a = need_row(b, kind_of(c), estimator, pair->value);
  if (needs_ones(c))
    pair->s = need_row(b, PGB_ROW_ONES, estimator, NULL);
}

/* And products. */
static void need_products(builder *b, size_t estimator, const pgb_baseline_class *c, pgb_plan_pair *pair) {
  if (b->study->estimators[estimator].class_->whole)
    pair->a = need_product(b, kind_of(c), estimator, pair->value);
  pair->s = needs_ones(c) ? pair->s : pair->a;
  pair->rs = c->scaled ? need_product(b, PGB_ROW_PLAIN, estimator, NULL) : pair->a;
}

static size_t settled(const builder *b, size_t n_summed, size_t sum) {
  return sum < b->max_rows ? sum : sum - b->max_rows + n_summed;
}

static pgb_plan_pair make_pair(const builder *b, size_t estimator, size_t baseline) {
  const pgb_study_estimator *e = &b->study->estimators[estimator];
  const pgb_baseline_class *c = b->study->baselines[baseline];
  const pgb_fits *fits = b->fits;
  const pgb_value *value = fits->value[estimator * b->study->n_baselines + baseline];
  pgb_plan_pair pair = {.reason = undefined(e->class_, c, value != NULL), .value = value};
  if (pair.reason != NULL)
    return pair;
  pair.defined = true;
  pair.reason = small_batch_reason(b->study, c);
  const bool exact = c->kind == PGB_BASELINE_VALUE && c->from == PGB_FROM_EXACT;
  pair.biased =
      c->biased || (e->class_->biased != NULL &&
                    e->class_->biased(e->params, b->cell->actor.gamma, b->cell->actor.space.horizon, exact));
  if (c->kind == PGB_BASELINE_CONSTANT)
    pair.constant = c->per_component ? fits->component[estimator] : fits->constant[estimator];
  return pair;
}

/* Sums of all pairs; how many rows these ask for, which come first: the others are there for products. */
static size_t assign(builder *b, size_t n_pairs, pgb_plan_pair *pair) {
  const size_t each = b->study->n_baselines;
  for (size_t k = 0; k < n_pairs; k++)
    if (pair[k].defined)
      need_rows(b, k / each, b->study->baselines[k % each], &pair[k]);
  const size_t n_summed = b->n_rows;
  for (size_t k = 0; k < n_pairs; k++)
    if (pair[k].defined)
      need_products(b, k / each, b->study->baselines[k % each], &pair[k]);
  for (size_t k = 0; k < n_pairs; k++) {
    pair[k].a = settled(b, n_summed, pair[k].a);
    pair[k].s = settled(b, n_summed, pair[k].s);
    pair[k].rs = settled(b, n_summed, pair[k].rs);
  }
  return n_summed;
}

static pgb_status open_oracle(const pgb_cell *cell, pgb_arena *arena, pgb_plan *plan) {
  const pgb_actor *a = &cell->actor;
  plan->problem = (pgb_problem){.env = a->env->name,
                                .policy = a->policy->name,
                                .env_params = a->env_params,
                                .policy_params = a->policy_params,
                                .space = a->space,
                                .n_theta = a->shape.n_theta,
                                .theta = cell->theta,
                                .gamma = a->gamma};
  return pgb_oracle_open(&plan->problem, arena, &plan->oracle);
}

pgb_status pgb_plan_begin(const pgb_study *study, size_t cell, pgb_isa isa, pgb_arena *arena, pgb_plan *out,
                          pgb_pilot **pilot) {
  *out = (pgb_plan){.n_pairs = study->n_estimators * study->n_baselines};
  PGB_TRY(open_oracle(&study->cells[cell], arena, out));
  PGB_TRY(pgb_pilot_open(study, cell, out->oracle, isa, arena, pilot));
  return pgb_arena_sufficed(arena);
}

pgb_status pgb_plan_end(const pgb_study *study, size_t cell, const pgb_pilot *pilot, pgb_arena *arena,
                        pgb_plan *out) {
  const pgb_cell *c = &study->cells[cell];
  pgb_plan plan = *out;
  pgb_fits fits;
  void *rows = NULL;
  void *products = NULL;
  void *pairs = NULL;
  PGB_TRY(pgb_pilot_fits(pilot, arena, &fits));
  PGB_TRY(pgb_arena_alloc(arena, 2 * plan.n_pairs, sizeof(pgb_row), &rows));
  PGB_TRY(pgb_arena_alloc(arena, 2 * plan.n_pairs, sizeof(pgb_product), &products));
  PGB_TRY(pgb_arena_alloc(arena, plan.n_pairs, sizeof(pgb_plan_pair), &pairs));
  builder b = {.study = study,
               .cell = c,
               .fits = &fits,
               .rows = rows,
               .products = products,
               .max_rows = 2 * plan.n_pairs};
  pgb_plan_pair *pair = pairs;
  for (size_t k = 0; k < plan.n_pairs; k++)
    pair[k] = make_pair(&b, k / study->n_baselines, k % study->n_baselines);
  plan.n_summed = assign(&b, plan.n_pairs, pair);
  if (b.n_rows == 0) /* no pair is defined here: the rollouts are measured all the same */
    (void)need_row(&b, PGB_ROW_PLAIN, 0, NULL);
  plan.rows = rows;
  plan.n_rows = b.n_rows;
  plan.products = products;
  plan.n_products = b.n_products;
  plan.pairs = pairs;
  plan.has_step_row = b.step;
  *out = plan;
  return pgb_arena_sufficed(arena);
}

pgb_status pgb_plan_create(const pgb_study *study, size_t cell, pgb_isa isa, pgb_comm *comm, pgb_arena *arena,
                           pgb_plan *out) {
  pgb_pilot *pilot = NULL;
  pgb_status s = pgb_plan_begin(study, cell, isa, arena, out, &pilot);
  if (comm != NULL)
    s = pgb_comm_agree(comm, s);
  if (s.code == PGB_OK)
    s = pgb_pilot_run(pilot, comm, NULL);
  if (s.code == PGB_OK)
    s = pgb_plan_end(study, cell, pilot, arena, out);
  pgb_pilot_close(pilot);
  return s;
}

/* FNV-1a (Fowler, Noll, Vo; RFC 9923) over bytes. */
static uint64_t fold(uint64_t hash, const void *bytes, size_t n) {
  const unsigned char *b = bytes;
  for (size_t i = 0; i < n; i++)
    hash = (hash ^ b[i]) * 0x100000001B3u;
  return hash;
}

uint64_t pgb_plan_hash(const pgb_plan *plan) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (size_t k = 0; k < plan->n_pairs; k++) {
    const pgb_plan_pair *p = &plan->pairs[k];
    hash = fold(hash, &p->defined, sizeof p->defined);
    if (p->constant != NULL)
      hash = fold(hash, p->constant, plan->problem.n_theta * sizeof *p->constant);
    if (p->value != NULL && p->value->coefficient != NULL)
      hash = fold(hash, p->value->coefficient,
                  pgb_value_feature_count(p->value->n_obs, p->value->n_contexts) * sizeof(double));
  }
  return hash;
}

/* Why a pair can be used in no batch of a cell, or NULL. */
static const char *unusable(const pgb_study *study, const pgb_oracle *oracle, size_t pair) {
  const pgb_estimator_class *e = study->estimators[pair / study->n_baselines].class_;
  const pgb_baseline_class *b = study->baselines[pair % study->n_baselines];
  pgb_value value;
  const bool known = b->from == PGB_FROM_PILOT || pgb_pilot_oracle_value(oracle, e, b, &value);
  const char *reason = undefined(e, b, known);
  for (size_t n = 0; n < study->n_batches && reason == NULL; n++)
    if (study->batches[n] >= b->min_batch)
      return NULL;
  return reason != NULL ? reason : "it needs a batch of at least 2 episodes";
}

pgb_status pgb_plan_usable(const pgb_study *study, const char **estimator, const char **baseline) {
  const size_t n_pairs = study->n_estimators * study->n_baselines;
  for (size_t c = 0; c < study->n_cells; c++) {
    pgb_arena *arena = NULL;
    pgb_plan plan = {.n_pairs = 0};
    PGB_TRY(pgb_arena_create(&arena));
    pgb_status s = open_oracle(&study->cells[c], arena, &plan);
    for (size_t k = 0; k < n_pairs && s.code == PGB_OK; k++) {
      const size_t e = k / study->n_baselines;
      const size_t b = k % study->n_baselines;
      const char *why = unusable(study, plan.oracle, k);
      if (why == NULL || (c == 0 && b == 0)) /* of many reasons the first */
        estimator[e] = why;
      if (why == NULL || (c == 0 && e == 0))
        baseline[b] = why;
    }
    if (s.code == PGB_OK)
      s = pgb_arena_sufficed(arena);
    pgb_arena_destroy(arena);
    if (s.code != PGB_OK)
      return s;
  }
  return pgb_ok();
}
