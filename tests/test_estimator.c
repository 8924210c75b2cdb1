/* SPDX-License-Identifier: MIT */
/* Estimators and baselines: weights of real rollouts against the papers' formulas as double loops,
 * per-episode gradients, time-means by brute force, the least squares fit against a dense solve by another
 * method, and every batch formula against the sum over episodes that it stands for. */
#include "baseline/baseline.h"
#include "estimator/gae.h"
#include "reference_episode.h"

/* One problem on the bench: a rollout and its episodes as the reference sees them. */
typedef struct bench {
  pgb_study *study;
  const pgb_actor *a;
  pgb_isa isa;
  kernel_run k;
  ref_episode e;
  float *w, *acc, *out;         /* weights [rows][L], contraction scratch and result */
  double *value;                /* [rows][L]                                         */
  double *v, *want, *g, *scale; /* [T], [T], [n_theta], [n_theta]                   */
} bench;

static int bench_open(checks *c, bench *b, const char *text, pgb_isa isa) {
  *b = (bench){.isa = isa, .study = kernel_study(c, text, isa)};
  if (b->study == NULL)
    return 0;
  b->a = &b->study->cells[0].actor;
  const size_t rows = pgb_rollout_capacity(&b->a->space), t = b->a->space.horizon, d = b->a->shape.n_theta;
  if (!kernel_open(c, b->a, rows, &b->k) || !ref_open(c, b->a, &b->e))
    return 0;
  b->w = calloc(rows * PGB_LANES, sizeof *b->w);
  b->acc = kernel_scratch(&b->a->shape, 1);
  b->out = calloc(b->k.r->max_episodes * d, sizeof *b->out);
  b->value = calloc(rows * PGB_LANES, sizeof *b->value);
  b->v = calloc(2 * (t + d), sizeof *b->v);
  b->want = b->v + t;
  b->g = b->want + t;
  b->scale = b->g + d;
  const int ok = b->w != NULL && b->acc != NULL && b->out != NULL && b->value != NULL && b->v != NULL;
  CHECK(c, ok);
  return ok;
}

static void bench_close(bench *b) {
  kernel_close(&b->k);
  free(b->e.room);
  free(b->w);
  free(b->acc);
  free(b->out);
  free(b->value);
  free(b->v);
  pgb_study_destroy(b->study);
}

static void contract(bench *b) {
  const float *row = b->w;
  b->a->policy->contract(b->a->policy_params, b->a->theta, b->k.r, 0, b->k.r->n_episodes, 1, &row, b->acc,
                         b->out);
}

/* What the weights of the last call are, step by step and contracted, against the reference. */
static size_t weight_errors(bench *b, const char *name, double lambda, const double *value, bool ones) {
  size_t wrong = 0;
  const size_t d = b->a->shape.n_theta;
  const pgb_rollout *r = b->k.r;
  for (size_t i = 0; i < r->n_episodes; i++) {
    ref_view(b->a, r, i, &b->e);
    double size = 0;
    for (size_t t = 0; t < b->e.length; t++) {
      if (value != NULL)
        b->v[t] = value[(size_t)r->origin[i] + t * PGB_LANES];
      size += fabs(b->e.reward[t]) + (value != NULL ? fabs(b->v[t]) : 0);
    }
    if (ones)
      ref_ones(name, b->a->gamma, &b->e, b->want);
    else
      ref_weights(name, lambda, b->a->gamma, &b->e, value != NULL ? b->v : NULL, b->want);
    for (size_t t = 0; t < b->e.length; t++) /* rounded once, to float32 */
      wrong +=
          !check_close((double)b->w[(size_t)r->origin[i] + t * PGB_LANES], b->want[t], 6e-8, 1e-13 * size);
    ref_gradient(&b->e, b->want, d, b->g, b->scale);
    for (size_t k = 0; k < d; k++)
      wrong +=
          !check_close((double)b->out[i * d + k], b->g[k], 0,
                       1e-6 * b->scale[k] + 2 * ref_fuzz(b->a, &b->e) * (ones ? (double)b->e.length : size));
  }
  for (size_t at = 0; at < r->rows * PGB_LANES; at++)
    wrong += r->end[at] == PGB_IDLE && b->w[at] != 0;
  return wrong;
}

static void check_class(checks *c, bench *b, const pgb_estimator_class *e, double lambda,
                        const double *value) {
  const pgb_gae params = {.lambda = lambda};
  const size_t size = b->k.r->capacity * PGB_LANES * sizeof *b->w;
  memset(b->w, 0xff, size);
  e->weights(&params, b->a->gamma, b->k.r, value, b->w);
  contract(b);
  size_t wrong = weight_errors(b, e->name, lambda, value, false);
  CHECK(c, (e->ones == NULL) == (strcmp(e->name, "gae") == 0));
  CHECK(c, e->flat == (strcmp(e->name, "reinforce") == 0 || strcmp(e->name, "gpomdp-undiscounted") == 0));
  if (e->ones != NULL && value == NULL) {
    memset(b->w, 0xff, size);
    e->ones(b->a->gamma, b->k.r, b->w);
    contract(b);
    wrong += weight_errors(b, e->name, lambda, value, true);
  }
  if (wrong != 0)
    fprintf(stderr, "%s on %s, %s, lambda %g, %s: %zu differ\n", e->name, b->a->env->name,
            pgb_isa_name(b->isa), lambda, value != NULL ? "a value" : "no value", wrong);
  CHECK(c, wrong == 0);
}

static void check_weights(checks *c, const kernel_problem *p, pgb_isa isa) {
  static const double lambdas[] = {0, .5, .95, 1};
  bench b;
  if (bench_open(c, &b, p->text, isa)) {
    kernel_roll(&b.k, isa, b.a, (pgb_address){.seed = 21}, 4, 0, 300);
    for (uint32_t at = 0; at < b.k.r->rows * PGB_LANES; at++) /* an arbitrary value of every step */
      b.value[at] = 3 * kernel_noise(50, at);
    for (const pgb_estimator_class *const *e = pgb_estimator_table(isa); *e != NULL; e++)
      for (size_t i = 0; i < 4; i++) {
        if (i > 0 && strcmp((*e)->name, "gae") != 0)
          continue;
        check_class(c, &b, *e, lambdas[i], NULL);
        check_class(c, &b, *e, lambdas[i], b.value);
      }
  }
  bench_close(&b);
}

/* What "biased" promises, case by case (Schulman et al. 2016; Nota and Thomas 2020). */
static void test_bias(checks *c) {
  static const struct {
    const char *name;
    double lambda, gamma;
    size_t horizon;
    bool exact, biased;
  } cases[] = {
      {"reinforce", 0, .9, 9, false, false},
      {"gpomdp", 0, .9, 9, false, false},
      {"gpomdp-undiscounted", 0, .9, 9, false, true},
      {"gpomdp-undiscounted", 0, 1, 9, false, false},
      {"gpomdp-undiscounted", 0, .9, 1, false, false},
      {"gae", .5, .9, 9, false, true},
      {"gae", 1, .9, 9, false, false},
      {"gae", .5, .9, 9, true, false},
      {"gae", .5, .9, 1, false, false},
      {"gae", .5, 1, 9, false, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const pgb_estimator_class *e = pgb_estimator_find(PGB_ISA_NONE, cases[i].name);
    const pgb_gae params = {.lambda = cases[i].lambda};
    CHECK(c, e != NULL && (e->biased != NULL && e->biased(&params, cases[i].gamma, cases[i].horizon,
                                                          cases[i].exact)) == cases[i].biased);
  }
}

/* b_{i,t}: mean of G_{j,t} over the other episodes of [from, to) that reached step t. */
static size_t time_mean_errors(const bench *b, size_t from, size_t to) {
  const pgb_rollout *r = b->k.r;
  size_t wrong = 0;
  for (size_t i = from; i < to; i++)
    for (size_t t = 0; t < (size_t)r->length[i]; t++) {
      double sum = 0, count = 0, size = 0;
      for (size_t j = from; j < to; j++)
        if (j != i && (size_t)r->length[j] > t) {
          sum += r->togo[(size_t)r->origin[j] + t * PGB_LANES];
          size += fabs(r->togo[(size_t)r->origin[j] + t * PGB_LANES]);
          count++;
        }
      const double want = count > 0 ? sum / count : 0;
      size += fabs(r->togo[(size_t)r->origin[i] + t * PGB_LANES]);
      wrong += !check_close(b->value[(size_t)r->origin[i] + t * PGB_LANES], want, 0, 1e-12 * (size + 1));
    }
  return wrong;
}

static void check_time_mean(checks *c, const kernel_problem *p, pgb_isa isa) {
  bench b;
  if (bench_open(c, &b, p->text, isa)) {
    const size_t t = b.a->space.horizon, rows = b.k.r->capacity;
    double *sum = calloc(2 * t, sizeof *sum);
    CHECK(c, sum != NULL);
    kernel_roll(&b.k, isa, b.a, (pgb_address){.seed = 22}, 7, 0, 63);
    for (size_t at = 0; at < rows * PGB_LANES; at++)
      b.value[at] = 1e300;
    for (size_t from = 0; from + 7 <= b.k.r->n_episodes && sum != NULL; from += 7) {
      memset(sum, 0, 2 * t * sizeof *sum);
      pgb_time_mean_add(b.k.r, from, from + 3, sum, sum + t);
      pgb_time_mean_add(b.k.r, from + 3, from + 7, sum, sum + t);
      pgb_time_mean_close(7, sum + t);
      pgb_time_mean_eval(b.k.r, from, from + 7, sum, sum + t, b.value);
      CHECK(c, time_mean_errors(&b, from, from + 7) == 0);
    }
    size_t written = 0, steps = 0; /* at the episodes' steps only */
    for (size_t at = 0; at < rows * PGB_LANES; at++)
      written += b.value[at] != 1e300;
    for (size_t e = 0; e < b.k.r->n_episodes / 7 * 7; e++)
      steps += (size_t)b.k.r->length[e];
    CHECK(c, written == steps && steps > 0);
    free(sum);
  }
  bench_close(&b);
}

/* (X'X + 1e-5 I) c = X'G by Gauss-Jordan elimination with pivoting, features written out here once more. */
enum { FEATURES = 2 * REF_MAX + 4 };

static size_t features(const pgb_actor *a, const double *obs, double t, double *x) {
  const size_t n = a->space.n_contexts != 0 ? a->space.n_contexts : a->space.n_obs;
  size_t at = 0;
  if (a->space.n_contexts != 0)
    for (size_t s = 0; s < n; s++)
      x[at++] = (size_t)obs[0] == s ? 1 : 0;
  for (size_t power = 1; power <= 2 && a->space.n_contexts == 0; power++)
    for (size_t k = 0; k < n; k++)
      x[at++] = pow(fmax(-10, fmin(10, obs[k])), (double)power);
  for (size_t power = 1; power <= 3; power++)
    x[at++] = pow(t / 100, (double)power);
  x[at++] = 1;
  return at;
}

static void dense_solve(double m[FEATURES][FEATURES + 1], size_t n) {
  for (size_t k = 0; k < n; k++) {
    size_t best = k;
    for (size_t i = k; i < n; i++)
      if (fabs(m[i][k]) > fabs(m[best][k]))
        best = i;
    for (size_t j = 0; j <= n; j++) {
      const double swap = m[k][j];
      m[k][j] = m[best][j];
      m[best][j] = swap;
    }
    for (size_t i = 0; i < n; i++) {
      const double factor = m[i][k] / m[k][k];
      for (size_t j = 0; j <= n && i != k; j++)
        m[i][j] -= factor * m[k][j];
    }
  }
  for (size_t i = 0; i < n; i++)
    m[i][n] /= m[i][i];
}

static size_t normal_equations(bench *b, double m[FEATURES][FEATURES + 1]) {
  size_t n = 0;
  for (size_t e = 0; e < b->k.r->n_episodes; e++) {
    ref_view(b->a, b->k.r, e, &b->e);
    for (size_t t = 0; t < b->e.length; t++) {
      double x[FEATURES];
      n = features(b->a, b->e.obs + t * b->a->space.n_obs, (double)t, x);
      for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++)
          m[i][j] += x[i] * x[j];
        m[i][n] += x[i] * b->e.togo[t];
      }
    }
  }
  return n;
}

/* The fit's V at every step, not its coefficients: features may be collinear (t = 0 in one-step problems). */
static size_t fit_errors(bench *b, const double *m, size_t stride, size_t n) {
  size_t wrong = 0;
  for (size_t e = 0; e < b->k.r->n_episodes; e++) {
    ref_view(b->a, b->k.r, e, &b->e);
    for (size_t t = 0; t < b->e.length; t++) {
      double x[FEATURES], want = 0, size = 1;
      features(b->a, b->e.obs + t * b->a->space.n_obs, (double)t, x);
      for (size_t k = 0; k < n; k++) {
        want += x[k] * m[k * stride + n];
        size += fabs(x[k] * m[k * stride + n]);
      }
      wrong += !check_close(b->value[(size_t)b->k.r->origin[e] + t * PGB_LANES], want, 0, 1e-7 * size);
    }
  }
  for (size_t at = 0; at < b->k.r->rows * PGB_LANES; at++)
    wrong += b->k.r->end[at] == PGB_IDLE && b->value[at] != 0;
  return wrong;
}

static void check_fit(checks *c, const kernel_problem *p, pgb_isa isa) {
  static double m[FEATURES][FEATURES + 1];
  double sums[FEATURES * (FEATURES + 1)] = {0};
  bench b;
  pgb_arena *arena = NULL;
  pgb_value_fit *fit = NULL;
  pgb_value value;
  CHECK_OK(c, pgb_arena_create(&arena));
  if (bench_open(c, &b, p->text, isa) && arena != NULL) {
    CHECK_OK(c, pgb_value_fit_create(&b.a->space, &fit));
    memset(m, 0, sizeof m);
    size_t n = 0;
    for (uint64_t from = 0; from < 500 && fit != NULL; from += b.k.r->n_episodes) {
      kernel_roll(&b.k, isa, b.a, (pgb_address){.seed = 23, .pilot = true}, 500, from, 500 - from);
      pgb_value_fit_add(fit, b.k.r, sums);
      n = normal_equations(&b, m);
    }
    CHECK(c, n == pgb_value_feature_count(b.a->space.n_obs, b.a->space.n_contexts));
    for (size_t i = 0; i < n; i++)
      m[i][i] += 1e-5;
    dense_solve(m, n);
    if (fit != NULL) {
      CHECK_OK(c, pgb_value_fit_solve(fit, sums, arena, &value));
      pgb_value_eval(isa)(&value, b.k.r, b.value);
      const size_t wrong = fit_errors(&b, &m[0][0], FEATURES + 1, n);
      if (wrong != 0)
        fprintf(stderr, "%s: the fit differs at %zu steps\n", p->name, wrong);
      CHECK(c, wrong == 0);
    }
  }
  pgb_value_fit_destroy(fit);
  pgb_arena_destroy(arena);
  bench_close(&b);
}

/* V of a table and of a quadratic form at every step. */
static void check_value(checks *c, const kernel_problem *p, pgb_value_kind kind) {
  bench b;
  if (bench_open(c, &b, p->text, kernel_isa())) {
    const size_t t = b.a->space.horizon, s = b.a->space.n_contexts, n = b.a->space.n_obs;
    double *room = calloc(t * (s + 1 + n * n), sizeof *room);
    CHECK(c, room != NULL);
    for (uint32_t i = 0; room != NULL && i < t * (s + 1 + n * n); i++)
      room[i] = kernel_noise(60, i);
    const pgb_value v = {.kind = kind,
                         .horizon = t,
                         .n_obs = n,
                         .n_contexts = s,
                         .table = room,
                         .constant = room,
                         .quad = room == NULL ? NULL : room + t};
    kernel_roll(&b.k, b.isa, b.a, (pgb_address){.seed = 24}, 4, 0, 100);
    pgb_value_eval(b.isa)(&v, b.k.r, b.value);
    size_t wrong = room == NULL;
    for (size_t e = 0; e < b.k.r->n_episodes && room != NULL; e++) {
      ref_view(b.a, b.k.r, e, &b.e);
      for (size_t k = 0; k < b.e.length; k++) {
        const double *x = b.e.obs + k * n;
        const double want = kind == PGB_VALUE_TABLE ? room[k * s + (size_t)x[0]]
                                                    : room[k] + ref_form(room + t + k * n * n, x, n);
        wrong += !check_close(b.value[(size_t)b.k.r->origin[e] + k * PGB_LANES], want, 1e-12, 1e-12);
      }
    }
    CHECK(c, wrong == 0);
    free(room);
  }
  bench_close(&b);
}

/* One batch of N episodes, each with A_i, S_i and R_i of its own, against every formula written as its sum.
 */
enum { N = 6, D = 3 };
typedef struct batch {
  double a[N][D], s[N][D], r[N], b[D];
} batch;

static void brute(const batch *x, const char *baseline, double *g) {
  double mean = 0, square = 0;
  for (size_t i = 0; i < N; i++)
    mean += x->r[i] / N;
  for (size_t i = 0; i < N; i++)
    square += (x->r[i] - mean) * (x->r[i] - mean);
  const double sd = sqrt(square / (N - 1));
  for (size_t k = 0; k < D; k++) {
    g[k] = 0;
    for (size_t i = 0; i < N; i++) {
      double b = 0;
      if (strcmp(baseline, "mean") == 0 || strcmp(baseline, "normalised") == 0)
        b = mean;
      if (strncmp(baseline, "optimal", 7) == 0)
        b = x->b[k];
      for (size_t j = 0; j < N && strcmp(baseline, "loo") == 0; j++)
        b += j == i ? 0 : x->r[j] / (N - 1);
      g[k] += (x->a[i][k] - b * x->s[i][k]) / N;
    }
    if (strcmp(baseline, "normalised") == 0)
      g[k] /= sd;
  }
}

static void test_combine(checks *c) {
  batch x;
  double a[D] = {0}, s[D] = {0}, rs[D] = {0}, r = 0, rr = 0;
  for (uint32_t i = 0; i < N; i++) {
    x.r[i] = 5 + kernel_noise(70, i);
    r += x.r[i];
    for (uint32_t k = 0; k < D; k++) {
      x.a[i][k] = kernel_noise(71 + k, i);
      x.s[i][k] = kernel_noise(81 + k, i);
      x.b[k] = kernel_noise(91, k);
      a[k] += x.a[i][k];
      s[k] += x.s[i][k];
      rs[k] += x.r[i] * x.s[i][k];
    }
  }
  for (size_t i = 0; i < N; i++)
    rr += (x.r[i] - r / N) * (x.r[i] - r / N);
  const pgb_batch_sums sums = {
      .n = N, .n_theta = D, .a = a, .s = s, .rs = rs, .r = r, .rr = rr, .constant = x.b};
  size_t met = 0;
  for (const pgb_baseline_class *const *b = pgb_baseline_table; *b != NULL; b++) {
    double g[D], want[D];
    if ((*b)->combine == NULL)
      continue;
    (*b)->combine(&sums, g);
    brute(&x, (*b)->name, want);
    for (size_t k = 0; k < D; k++)
      CHECK_NEAR(c, g[k], want[k], 1e-12, 1e-14);
    met++;
  }
  CHECK(c, met == 6);
  const pgb_batch_sums flat = {.n = N, .n_theta = D, .a = a, .s = s, .rs = rs, .r = r, .rr = 0};
  double g[D];
  pgb_baseline_find("normalised")->combine(&flat, g); /* equal returns: no advantage */
  CHECK(c, g[0] == 0 && g[1] == 0 && g[2] == 0);
}

/* Sums over episodes against a plain loop, bit by bit: fused where the set has an instruction for it, else
 * rounded twice; columns up to a whole number of PGB_SUM_COLUMNS, of few and of many. */
static void check_sums(checks *c, pgb_isa isa, size_t size, size_t n, const double *factor, bool fused) {
  const size_t stride = size + 3, room = pgb_sum_room(size);
  float *x = malloc((n * stride + room) * sizeof *x);
  double *sum = malloc(room * sizeof *sum);
  CHECK(c, x != NULL && sum != NULL);
  if (x != NULL && sum != NULL) {
    size_t wrong = 0;
    for (size_t k = 0; k < n * stride + room; k++)
      x[k] = (float)kernel_noise(9, (uint32_t)k);
    for (size_t k = 0; k < room; k++)
      sum[k] = 1 / (double)(k + 3);
    pgb_episode_sum(isa)(x, stride, size, factor, fused, n, sum);
    for (size_t k = 0; k < size; k++) {
      double want = 1 / (double)(k + 3);
      for (size_t e = 0; e < n; e++) {
        const double y = (double)x[e * stride + k], by = factor == NULL ? 1 : factor[e];
        want = fused && isa >= PGB_ISA_AVX2 ? fma(by, y, want) : want + by * y;
      }
      wrong += sum[k] != want;
    }
    CHECK(c, wrong == 0);
  }
  free(x);
  free(sum);
}

static void test_sums(checks *c) {
  static const size_t sizes[] = {1, 5, 8, 9, 64, 65, 511, 512, 600, 1100};
  double factor[11];
  for (size_t e = 0; e < 11; e++)
    factor[e] = kernel_noise(10, (uint32_t)e);
  for (int isa = 0; isa < PGB_ISA_COUNT; isa++)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && pgb_isa_supported((pgb_isa)isa); i++)
      for (size_t n = 0; n <= 11; n++) {
        check_sums(c, (pgb_isa)isa, sizes[i], n, NULL, false);
        check_sums(c, (pgb_isa)isa, sizes[i], n, factor, false);
        check_sums(c, (pgb_isa)isa, sizes[i], n, factor, true);
      }
}

int main(void) {
  checks c = {0, 0};
  test_sums(&c);
  for (size_t k = 0; k < KERNEL_PROBLEMS; k++) {
    const kernel_problem *p = &kernel_problems[k];
    for (int isa = 0; isa < PGB_ISA_COUNT; isa++)
      if (pgb_isa_supported((pgb_isa)isa))
        check_weights(&c, p, (pgb_isa)isa);
    check_time_mean(&c, p, kernel_isa());
    check_fit(&c, p, kernel_isa());
    if (strncmp(p->name, "mdp", 3) == 0 || strncmp(p->name, "chain", 5) == 0)
      check_value(&c, p, PGB_VALUE_TABLE);
    if (strncmp(p->name, "lqr", 3) == 0 || strncmp(p->name, "gaussian", 8) == 0)
      check_value(&c, p, PGB_VALUE_QUADRATIC);
  }
  test_bias(&c);
  test_combine(&c);
  return check_end(&c, "estimator");
}
