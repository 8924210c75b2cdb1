/* SPDX-License-Identifier: MIT */
/* The unit of work: batch estimates of every pair against sums over the episodes of the same rollouts,
 * batches larger than a rollout, blocks as pure functions, the same bytes from every instruction set, and the
 * exact gradients and variances of two problems met within their standard errors. */
#include "study/measure.h"

#include "data/golden.h"
#include "reference_episode.h"
#include "stats/stats.h"

typedef struct bench {
  pgb_study *study;
  const pgb_cell *cell;
  pgb_arena *arena;
  pgb_plan plan;
  pgb_measure *m;
  double *slots;
  size_t stride, d;
} bench;

static int bench_open(checks *c, bench *b, const char *text, const char *lists, pgb_isa isa) {
  char all[2000];
  (void)snprintf(all, sizeof all, "%s%s", text, lists);
  *b = (bench){.study = kernel_study(c, all, isa)};
  CHECK_OK(c, pgb_arena_create(&b->arena));
  if (b->study == NULL || b->arena == NULL)
    return 0;
  b->cell = &b->study->cells[0];
  b->d = b->cell->actor.shape.n_theta;
  CHECK_OK(c, pgb_plan_create(b->study, 0, isa, NULL, b->arena, &b->plan));
  if (b->plan.n_pairs == 0)
    return 0;
  CHECK_OK(c, pgb_measure_create(b->cell, &b->plan, b->study, isa, &b->m));
  b->stride = pgb_measure_stride(b->study, b->cell);
  b->slots = calloc(b->stride, sizeof *b->slots);
  CHECK(c, b->slots != NULL);
  return b->m != NULL && b->slots != NULL;
}

static void bench_close(bench *b) {
  pgb_measure_destroy(b->m);
  pgb_arena_destroy(b->arena);
  pgb_study_destroy(b->study);
  free(b->slots);
}

/* Gradients [pair][replicate - first][d] of a block; NaN where nothing was written. */
static double *measure(checks *c, bench *b, size_t batch, uint64_t first, uint64_t end) {
  const size_t size = b->plan.n_pairs * (size_t)(end - first) * b->d;
  double *g = malloc(size * sizeof *g);
  pgb_phase_times times = {0, 0};
  CHECK(c, g != NULL);
  if (g == NULL)
    return NULL;
  memset(g, 0xff, size * sizeof *g);
  memset(b->slots, 0, b->stride * sizeof *b->slots);
  pgb_measure_block(b->m, 0, batch, first, end, b->slots, g, &times);
  CHECK(c, times.rollout >= 0 && times.gradient >= 0);
  return g;
}

/* What a batch's baselines need to know of all its episodes: returns, and reward-to-go by step. */
typedef struct batch {
  size_t n;
  double *ret, *step_sum, *step_count;
  double sum, mean, sd;
  double steps;
} batch;

/* Calls visit for every episode of replicate `replicate`, in order, out of rollouts of capacity rows. */
typedef void visitor(const bench *b, const ref_episode *e, size_t i, batch *x, void *self);

static void visit(checks *c, const bench *b, size_t batch_index, uint64_t replicate, batch *x, visitor *f,
                  void *self) {
  const pgb_actor *a = &b->cell->actor;
  const uint64_t n = b->study->batches[batch_index];
  kernel_run k = {NULL, NULL};
  ref_episode e = {0};
  if (kernel_open(c, a, a->space.horizon + 100, &k) && ref_open(c, a, &e))
    for (uint64_t at = 0; at < n;) {
      kernel_roll(&k, kernel_isa(), a,
                  (pgb_address){.seed = b->study->seed, .stream = pgb_stream(0, batch_index)}, n,
                  replicate * n + at, n - at);
      for (size_t i = 0; i < k.r->n_episodes; i++) {
        ref_view(a, k.r, i, &e);
        f(b, &e, (size_t)at + i, x, self);
      }
      at += k.r->n_episodes;
    }
  free(e.room);
  kernel_close(&k);
}

static void collect(const bench *b, const ref_episode *e, size_t i, batch *x, void *self) {
  (void)b;
  (void)self;
  x->ret[i] = e->togo[0];
  x->sum += e->togo[0];
  x->steps += (double)e->length;
  for (size_t t = 0; t < e->length; t++) {
    x->step_sum[t] += e->togo[t];
    x->step_count[t] += 1;
  }
}

static int batch_open(checks *c, const bench *b, size_t batch_index, uint64_t replicate, batch *x) {
  const size_t n = (size_t)b->study->batches[batch_index], t = b->cell->actor.space.horizon;
  *x = (batch){.n = n, .ret = calloc(n + 2 * t, sizeof(double))};
  CHECK(c, x->ret != NULL);
  if (x->ret == NULL)
    return 0;
  x->step_sum = x->ret + n;
  x->step_count = x->step_sum + t;
  visit(c, b, batch_index, replicate, x, collect, NULL);
  x->mean = x->sum / (double)n;
  double square = 0;
  for (size_t i = 0; i < n; i++)
    square += (x->ret[i] - x->mean) * (x->ret[i] - x->mean);
  x->sd = sqrt(square / ((double)n - 1));
  size_t equal = 0;
  for (size_t i = 0; i < n; i++)
    equal += x->ret[i] == x->ret[0];
  if (equal == n)
    x->sd = 0;
  return 1;
}

static double value_at(const pgb_value *v, const double *obs, size_t t) {
  if (v->kind == PGB_VALUE_TABLE)
    return v->table[t * v->n_contexts + (size_t)obs[0]];
  if (v->kind == PGB_VALUE_QUADRATIC)
    return v->constant[t] + ref_form(v->quad + t * v->n_obs * v->n_obs, obs, v->n_obs);
  double x[2 * REF_MAX + 4], sum = 0;
  const size_t n = pgb_value_feature_count(v->n_obs, v->n_contexts);
  pgb_value_features(obs, v->n_obs, v->n_contexts, (double)t, x);
  for (size_t k = 0; k < n; k++)
    sum += v->coefficient[k] * x[k];
  return sum;
}

/* Sums of one pair over the batch: g and, for the tolerance, the size of what was added. */
typedef struct pair_sum {
  size_t pair;
  double *g, *size; /* [d] */
} pair_sum;

/* The constant that episode i's scores are set against, component k. */
static double constant_of(const bench *b, const pgb_baseline_class *class_, const batch *x, size_t pair,
                          size_t i, size_t k) {
  if (class_->kind == PGB_BASELINE_CONSTANT)
    return b->plan.pairs[pair].constant[k];
  if (strcmp(class_->name, "loo") == 0)
    return (x->sum - x->ret[i]) / ((double)x->n - 1);
  return strcmp(class_->name, "mean") == 0 || strcmp(class_->name, "normalised") == 0 ? x->mean : 0;
}

/* All returns equal: normalised advantages are 0 (baseline/normalised.c). */
static double scale_of(const pgb_baseline_class *class_, const batch *x) {
  if (strcmp(class_->name, "normalised") != 0)
    return 1;
  return x->sd > 0 ? 1 / x->sd : 0;
}

static void add_pair(const bench *b, const ref_episode *e, size_t i, batch *x, void *self) {
  enum { MAX_T = 512 };
  static double v[MAX_T], w[MAX_T], ones[MAX_T];
  const pair_sum *p = self;
  const pgb_actor *a = &b->cell->actor;
  const pgb_study_estimator *est = &b->study->estimators[p->pair / b->study->n_baselines];
  const pgb_baseline_class *base = b->study->baselines[p->pair % b->study->n_baselines];
  const bool value = base->kind == PGB_BASELINE_VALUE, step = base->kind == PGB_BASELINE_STEP;
  const double lambda = strcmp(est->class_->name, "gae") == 0 ? *(const double *)est->params : 0;
  for (size_t t = 0; t < e->length && (value || step); t++)
    if (value)
      v[t] = value_at(b->plan.pairs[p->pair].value, e->obs + t * a->space.n_obs, t);
    else
      v[t] = x->step_count[t] > 1 ? (x->step_sum[t] - e->togo[t]) / (x->step_count[t] - 1) : 0;
  ref_weights(est->class_->name, lambda, a->gamma, e, value || step ? v : NULL, w);
  ref_ones(est->class_->name, a->gamma, e, ones);
  const double fuzz = ref_fuzz(a, e), scale = scale_of(base, x);
  for (size_t k = 0; k < b->d; k++) {
    const double constant = value || step ? 0 : constant_of(b, base, x, p->pair, i, k);
    for (size_t t = 0; t < e->length; t++) {
      const double psi = e->psi[t * b->d + k], size = fabs(w[t]) + fabs(constant * ones[t]);
      p->g[k] += scale * (w[t] - constant * ones[t]) * psi / (double)x->n;
      p->size[k] += scale * size * (1e-6 * fabs(psi) + 2 * fuzz) / (double)x->n;
      p->size[k] += 1e-13 * fabs(e->togo[t]) / (double)x->n; /* mean of others less own, in double */
    }
  }
}

/* Every pair's estimate of one replicate. got [pair][stride of replicates][d]. */
static void check_replicate(checks *c, const bench *b, const char *name, size_t batch_index,
                            uint64_t replicate, const double *got, uint64_t row, uint64_t rows) {
  batch x;
  double *room = malloc(2 * b->d * sizeof *room);
  if (room != NULL && batch_open(c, b, batch_index, replicate, &x)) {
    for (size_t pair = 0; pair < b->plan.n_pairs; pair++) {
      const pgb_baseline_class *base = b->study->baselines[pair % b->study->n_baselines];
      const double *g = got + (pair * rows + row) * b->d;
      size_t wrong = 0;
      if (!b->plan.pairs[pair].defined || x.n < base->min_batch) {
        for (size_t k = 0; k < b->d; k++)
          wrong += isnan(g[k]) ? 0 : 1;
        CHECK(c, wrong == 0);
        continue;
      }
      pair_sum p = {.pair = pair, .g = room, .size = room + b->d};
      memset(room, 0, 2 * b->d * sizeof *room);
      visit(c, b, batch_index, replicate, &x, add_pair, &p);
      for (size_t k = 0; k < b->d; k++)
        wrong += !check_close(g[k], p.g[k], 1e-9, p.size[k]);
      if (wrong != 0)
        fprintf(stderr, "%s, batch %zu, %s with %s: %zu of %zu components differ, %.9g against %.9g\n", name,
                x.n, b->study->estimators[pair / b->study->n_baselines].label, base->name, wrong, b->d, g[0],
                p.g[0]);
      CHECK(c, wrong == 0);
    }
    free(x.ret);
  }
  free(room);
}

/* What slots say of the gradients that went into them, and of the rollouts. */
static void check_slots(checks *c, const bench *b, const double *g, size_t batch_index, uint64_t first,
                        uint64_t end) {
  const size_t size = pgb_block_size(b->d), n = (size_t)(end - first);
  double steps = 0, sum = 0;
  for (size_t pair = 0; pair < b->plan.n_pairs; pair++) {
    const double *block = b->slots + pair * size, *mine = g + pair * n * b->d;
    const bool used = !isnan(mine[0]);
    CHECK(c, block[0] == (used ? (double)n : 0));
    for (size_t k = 0; k < b->d && used; k++) {
      double mean = 0, m2 = 0;
      for (size_t i = 0; i < n; i++)
        mean += mine[i * b->d + k] / (double)n;
      for (size_t i = 0; i < n; i++)
        m2 += (mine[i * b->d + k] - mean) * (mine[i * b->d + k] - mean);
      CHECK_NEAR(c, block[3 + k], mean, 1e-10, 1e-13 * sqrt(m2 + mean * mean));
      CHECK_NEAR(c, block[3 + b->d + k], m2, 1e-9, 1e-20);
    }
  }
  const double *figures = b->slots + b->plan.n_pairs * size;
  for (uint64_t r = first; r < end; r++) {
    batch x;
    if (!batch_open(c, b, batch_index, r, &x))
      return;
    steps += x.steps;
    sum += x.sum;
    free(x.ret);
  }
  const double episodes = (double)(n * b->study->batches[batch_index]);
  CHECK(c, figures[PGB_SLOT_EPISODES] == episodes && figures[PGB_SLOT_STEPS] == steps);
  CHECK_NEAR(c, figures[PGB_SLOT_RETURN_MEAN], sum / episodes, 1e-9, 1e-9);
}

#define LISTS "estimators: [reinforce, gpomdp, gpomdp-undiscounted, {name: gae, lambda: .5}]\npilot: 256\n"

static void check_problem(checks *c, const kernel_problem *p) {
  enum { FIRST = 3, END = 7 };
  bench b;
  if (bench_open(c, &b, p->text, LISTS "batch: [1, 5]\n", kernel_isa()))
    for (size_t n = 0; n < 2; n++) {
      double *g = measure(c, &b, n, FIRST, END);
      for (uint64_t r = FIRST; r < END && g != NULL; r++)
        check_replicate(c, &b, p->name, n, r, g, r - FIRST, END - FIRST);
      if (g != NULL)
        check_slots(c, &b, g, n, FIRST, END);
      double *part = measure(c, &b, n, FIRST + 2, END); /* the same replicates in another block */
      for (size_t pair = 0; pair < b.plan.n_pairs && g != NULL && part != NULL; pair++)
        CHECK(c, memcmp(g + (pair * 4 + 2) * b.d, part + pair * 2 * b.d, 2 * b.d * sizeof *g) == 0);
      free(part);
      free(g);
    }
  bench_close(&b);
}

/* Batches of several rollouts each, with and without the two passes that time-mean needs. */
static void check_large(checks *c, const char *text, const char *lists) {
  bench b;
  if (bench_open(c, &b, text, lists, kernel_isa())) {
    double *g = measure(c, &b, 0, 1, 3);
    for (uint64_t r = 1; r < 3 && g != NULL; r++)
      check_replicate(c, &b, "large", 0, r, g, r - 1, 2);
    free(g);
  }
  bench_close(&b);
}

static void test_large(checks *c) {
  const char *chain = "gamma: .98\nenv: {name: chain, mean: [0, 1], noise: [.7, .1], horizon: 40}\n"
                      "policy: {name: softmax-tabular, theta: [.3, -.2]}\n";
  check_large(c, chain,
              "estimators: [gpomdp, {name: gae, lambda: .5}]\nbaselines: [none, loo, normalised, time-mean]\n"
              "batch: 5000\npilot: 64\n");
  check_large(c, chain,
              "estimators: [reinforce, gpomdp]\nbaselines: [none, mean, optimal]\nbatch: 5000\npilot: 64\n");
  check_large(c, "env: {name: cartpole, horizon: 60}\npolicy: {name: softmax-linear, theta: 'random:.3'}\n",
              "estimators: [reinforce]\nbaselines: [loo, time-mean]\nbatch: 1500\npilot: 64\n");
}

/* Slots of every instruction set, byte by byte. */
static void check_bytes(checks *c, const kernel_problem *p) {
  double *first = NULL;
  for (int i = 0; i < PGB_ISA_COUNT; i++) {
    bench b;
    if (!pgb_isa_supported((pgb_isa)i))
      continue;
    if (bench_open(c, &b, p->text, LISTS "batch: [1, 6]\n", (pgb_isa)i)) {
      const size_t bytes = b.stride * sizeof *b.slots;
      free(measure(c, &b, 1, 2, 14));
      if (first == NULL && (first = malloc(bytes)) != NULL)
        memcpy(first, b.slots, bytes);
      CHECK(c, first != NULL && memcmp(first, b.slots, bytes) == 0);
    }
    bench_close(&b);
  }
  free(first);
}

/* Mean and trace of n one-batch estimates g [n][d] against exact figures, within five standard errors. */
static void check_exact(checks *c, const double *g, size_t n, size_t d, const double *gradient, double trace,
                        const char *name) {
  double mean[8] = {0}, var[8] = {0}, sum = 0, square = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < d; k++)
      mean[k] += g[i * d + k] / (double)n;
  for (size_t i = 0; i < n; i++) {
    double far = 0;
    for (size_t k = 0; k < d; k++) {
      const double off = (g[i * d + k] - mean[k]) * (g[i * d + k] - mean[k]);
      var[k] += off / (double)(n - 1);
      far += off;
    }
    sum += far / (double)n;
    square += far * far / (double)n;
  }
  const double se = sqrt((square - sum * sum) / (double)n);
  printf("%s: trace %.6g against %.6g, z %.2f\n", name, sum, trace, (sum - trace) / se);
  CHECK_NEAR(c, sum * (double)n / (double)(n - 1), trace, 0, 5 * se);
  for (size_t k = 0; k < d; k++)
    CHECK_NEAR(c, mean[k], gradient[k], 0, 5 * sqrt(var[k] / (double)n));
}

static void test_golden_bandit(checks *c) {
  enum { R = 50000 };
  static const struct {
    const char *name;
    double trace;
  } want[] = {{"none", golden_bandit_none},
              {"optimal", golden_bandit_optimal},
              {"optimal-component", golden_bandit_component},
              {"value", golden_bandit_value},
              {"loo", golden_bandit_loo8}};
  bench b;
  if (bench_open(
          c, &b, kernel_problems[0].text,
          "estimators: reinforce\nbaselines: [none, optimal, optimal-component, value, loo]\nbatch: [1, 8]\n",
          kernel_isa())) {
    double *single = measure(c, &b, 0, 0, R), *eight = measure(c, &b, 1, 0, R);
    for (size_t k = 0; k < 5 && single != NULL && eight != NULL; k++)
      check_exact(c, (k < 4 ? single : eight) + k * R * b.d, R, b.d, golden_bandit_gradient, want[k].trace,
                  want[k].name);
    free(single);
    free(eight);
  }
  bench_close(&b);
}

static void test_golden_mdp(checks *c) {
  enum { R = 50000 };
  static const struct {
    size_t pair;
    const char *name;
    double trace;
  } want[] = {
      {0, "reinforce", golden_mdp_reinforce},     {1, "reinforce, optimal", golden_mdp_reinforce_optimal},
      {3, "gpomdp", golden_mdp_gpomdp},           {5, "gpomdp, value", golden_mdp_gpomdp_value},
      {8, "gae 0, value", golden_mdp_gae0_value}, {11, "gae .5, value", golden_mdp_gae05_value}};
  bench b;
  if (bench_open(c, &b, NOISY_MDP "policy: {name: softmax-tabular, theta: [.2, -.3, .5, 0]}\n",
                 "estimators: [reinforce, gpomdp, {name: gae, lambda: 0}, {name: gae, lambda: .5}]\n"
                 "baselines: [none, optimal, value]\nbatch: 1\n",
                 kernel_isa())) {
    double *g = measure(c, &b, 0, 0, R);
    for (size_t k = 0; k < sizeof want / sizeof *want && g != NULL; k++) {
      CHECK(c, b.plan.pairs[want[k].pair].defined);
      check_exact(c, g + want[k].pair * R * b.d, R, b.d, golden_mdp_gradient, want[k].trace, want[k].name);
    }
    free(g);
  }
  bench_close(&b);
}

int main(void) {
  checks c = {0, 0};
  for (size_t k = 0; k < KERNEL_PROBLEMS; k++) {
    check_problem(&c, &kernel_problems[k]);
    check_bytes(&c, &kernel_problems[k]);
  }
  test_large(&c);
  test_golden_bandit(&c);
  test_golden_mdp(&c);
  return check_end(&c, "measure");
}
