/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "estimator/gae.h"
#include "oracle_lqr.h"

static const pgb_estimator_class reinforce = {.name = "reinforce"};
static const pgb_estimator_class gpomdp = {.name = "gpomdp"};
static const pgb_estimator_class undiscounted = {.name = "gpomdp-undiscounted"};
static const pgb_estimator_class gae = {.name = "gae"};
static const pgb_baseline_class none = {.name = "none", .kind = PGB_BASELINE_NONE};
static const pgb_baseline_class mean_return = {.name = "mean", .kind = PGB_BASELINE_BATCH};
static const pgb_baseline_class loo = {.name = "loo", .kind = PGB_BASELINE_BATCH, .min_batch = 2};
static const pgb_baseline_class normalised = {
    .name = "normalised", .kind = PGB_BASELINE_BATCH, .min_batch = 2};
static const pgb_baseline_class optimal = {.name = "optimal", .kind = PGB_BASELINE_CONSTANT};
static const pgb_baseline_class value_baseline = {.name = "value", .kind = PGB_BASELINE_VALUE};
static const pgb_baseline_class time_mean = {.name = "time-mean", .kind = PGB_BASELINE_STEP};

/* Problem of the golden figures: n = 2, m = 1, T = 4. */
static void golden_instance(instance *p) {
  memset(p, 0, sizeof *p);
  *p = (instance){.n = 2,
                  .m = 1,
                  .horizon = 4,
                  .gamma = 0.95,
                  .a = {1, 0.2, 0, 0.9},
                  .b = {0.1, 0.5},
                  .q = {1, 0, 0, 0.3},
                  .r = {0.2},
                  .w = {0.02, 0, 0, 0.05},
                  .s0 = {1, 0.2, 0.2, 0.5},
                  .theta = {0.4, 0.6}};
  p->sd[0] = sqrt(0.3);
  finish(p, false, -1);
}

static double deviation(const instance *p, size_t i) {
  return p->policy.learn_sigma ? exp(p->theta[p->m * p->n + i]) : p->sd[i];
}

static bool ask(const subject *s, const pgb_estimator_class *estimator, const pgb_baseline_class *baseline,
                double lambda, const pgb_value *v, const double *b, size_t batch, double *mean,
                double *variance) {
  const pgb_gae params = {.lambda = lambda};
  const pgb_pair pair = {
      .estimator = estimator, .estimator_params = &params, .baseline = baseline, .value = v, .constant = b};
  return pgb_oracle_lqr.moments(s->state, &pair, batch, mean, variance);
}

static double trace(const double *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += x[i];
  return sum;
}

/* One pair against the second answer. Cancellation makes the forms' own rounding relative to the second
 * moment without a baseline, `size`; hence the absolute part. False where the second answer does not know. */
static bool compare(checks *c, const instance *p, const subject *s, const pgb_estimator_class *estimator,
                    const pgb_baseline_class *baseline, double lambda, const pgb_value *v, const double *b,
                    size_t batch, double size) {
  const pgb_gae params = {.lambda = lambda};
  const pgb_pair pair = {
      .estimator = estimator, .estimator_params = &params, .baseline = baseline, .value = v, .constant = b};
  double mean[2][MAX_THETA];
  double variance[2][MAX_THETA];
  CHECK(c, pgb_oracle_lqr.moments(s->state, &pair, batch, mean[0], variance[0]));
  if (!pgb_second_moments(s->second, &pair, batch, mean[1], variance[1]))
    return false;
  for (size_t k = 0; k < p->problem.n_theta; k++) {
    CHECK_NEAR(c, mean[0][k], mean[1][k], 1e-10, 1e-11 * sqrt(size));
    CHECK_NEAR(c, variance[0][k], variance[1][k], 1e-10, 1e-11 * size);
  }
  return true;
}

static double size_without_baseline(checks *c, const instance *p, const subject *s,
                                    const pgb_estimator_class *estimator) {
  const pgb_gae params = {.lambda = 1};
  const pgb_pair pair = {.estimator = estimator, .estimator_params = &params, .baseline = &none};
  double mean[MAX_THETA];
  double variance[MAX_THETA];
  double size = 0;
  CHECK(c, pgb_second_moments(s->second, &pair, 1, mean, variance));
  for (size_t k = 0; k < p->problem.n_theta; k++)
    size = fmax(size, variance[k] + mean[k] * mean[k]);
  return size;
}

static void check_plain(checks *c, const instance *p, const subject *s,
                        const pgb_estimator_class *estimator) {
  const double size = size_without_baseline(c, p, s, estimator);
  double b[2][MAX_THETA];
  CHECK(c, compare(c, p, s, estimator, &none, 1, NULL, NULL, 3, size));
  for (size_t n = 2; n <= 5; n += 3) {
    CHECK(c, compare(c, p, s, estimator, &loo, 1, NULL, NULL, n, size));
    CHECK(c, compare(c, p, s, estimator, &mean_return, 1, NULL, NULL, n - 1, size));
  }
  /* where the noise of two episodes fits the forms */
  const bool two = compare(c, p, s, estimator, &time_mean, 1, NULL, NULL, 2, size);
  CHECK(c, two || p->n + p->horizon * (p->n + p->m) > 13);
  for (int component = 0; component < 2; component++) {
    CHECK(c, pgb_oracle_lqr.constant(s->state, estimator, component == 1, b[0]));
    CHECK(c, pgb_second_constant(s->second, estimator, component == 1, b[1]));
    for (size_t k = 0; k < p->problem.n_theta; k++)
      CHECK_NEAR(c, b[0][k], b[1][k], 1e-10, 1e-10);
    CHECK(c, compare(c, p, s, estimator, &optimal, 1, NULL, b[0], 1, size));
  }
}

static void check_value(checks *c, const instance *p, const subject *s, const pgb_estimator_class *estimator,
                        double lambda, const pgb_value *v) {
  CHECK(c, compare(c, p, s, estimator, v != NULL ? &value_baseline : &none, lambda, v, NULL, 1,
                   size_without_baseline(c, p, s, estimator)));
}

static void check_gradient(checks *c, const instance *p, const subject *s) {
  double j[2];
  double gradient[2][MAX_THETA];
  CHECK(c, pgb_oracle_lqr.gradient(s->state, &j[0], gradient[0]));
  CHECK(c, pgb_second_gradient(s->second, &j[1], gradient[1]));
  CHECK_NEAR(c, j[0], j[1], 1e-12, 1e-13);
  for (size_t k = 0; k < p->problem.n_theta; k++)
    CHECK_NEAR(c, gradient[0][k], gradient[1][k], 1e-10, 1e-10);
}

static void check_forms(checks *c, instance *p) {
  subject s;
  pgb_value v;
  double wrong_constant[MAX_T];
  double wrong_quad[MAX_T * MAX_N * MAX_N];
  open_subject(c, p, &s);
  check_gradient(c, p, &s);
  CHECK(c, pgb_oracle_lqr.value(s.state, &v));
  for (size_t t = 0; t < p->horizon; t++) {
    wrong_constant[t] = 0.7 * v.constant[t] + 0.1;
    for (size_t i = 0; i < p->n * p->n; i++)
      wrong_quad[t * p->n * p->n + i] =
          0.5 * v.quad[t * p->n * p->n + i] + (i % (p->n + 1) == 0 ? 0.2 : 0.05);
  }
  pgb_value wrong = v;
  wrong.constant = wrong_constant;
  wrong.quad = wrong_quad;
  check_plain(c, p, &s, &reinforce);
  check_plain(c, p, &s, &gpomdp);
  check_plain(c, p, &s, &undiscounted);
  check_value(c, p, &s, &reinforce, 1, &wrong);
  check_value(c, p, &s, &gpomdp, 1, &v);
  check_value(c, p, &s, &gpomdp, 1, &wrong);
  check_value(c, p, &s, &undiscounted, 1, &v);
  check_value(c, p, &s, &gae, 0.6, &wrong);
  check_value(c, p, &s, &gae, 0, &v);
  check_value(c, p, &s, &gae, 0.3, NULL);
  pgb_arena_destroy(s.arena);
}

static double normal(uint64_t *state) {
  const double radius = sqrt(-2 * log(uniform(state, 0, 1)));
  return radius * cos(2 * 3.14159265358979323846 * uniform(state, 0, 1));
}

static void check_random(checks *c) {
  for (uint64_t seed = 0; seed < 48; seed++) {
    instance p;
    const size_t n = 1 + seed % 3;
    const size_t m = 1 + seed / 3 % 3;
    const size_t horizon = 1 + seed / 2 % (n + m > 4 ? 3 : 4);
    random_instance(1000 + seed, n, m, horizon, (int)(seed / 4 % 3), seed % 5 == 0, &p);
    check_forms(c, &p);
  }
}

/* Figures of an independent numpy implementation of the quadratic forms, confirmed there by 1e7 episodes. */
static void check_golden(checks *c) {
  instance p;
  subject s;
  pgb_value v;
  double mean[2];
  double variance[2];
  double b[2];
  double half_constant[4];
  double half_quad[16];
  golden_instance(&p);
  open_subject(c, &p, &s);
  CHECK(c, pgb_oracle_lqr.value(s.state, &v));
  for (size_t i = 0; i < 16; i++) {
    half_quad[i] = 0.5 * v.quad[i];
    half_constant[i % 4] = 0.5 * v.constant[i % 4];
  }
  pgb_value half = v;
  half.constant = half_constant;
  half.quad = half_quad;
  CHECK(c, pgb_oracle_lqr.gradient(s.state, &b[0], mean));
  CHECK_NEAR(c, b[0], -4.3539, 0, 5e-5);
  CHECK_NEAR(c, mean[0], 0.6933, 0, 5e-5);
  CHECK_NEAR(c, mean[1], 0.2384, 0, 5e-5);
  b[1] = b[0];
  CHECK(c, ask(&s, &reinforce, &none, 1, NULL, NULL, 1, mean, variance));
  CHECK_NEAR(c, trace(variance, 2), 3086.82345, 0, 5e-6);
  CHECK(c, ask(&s, &reinforce, &optimal, 1, NULL, b, 1, mean, variance));
  CHECK_NEAR(c, trace(variance, 2), 1885.78588, 0, 5e-6);
  CHECK(c, pgb_oracle_lqr.constant(s.state, &reinforce, false, b));
  CHECK_NEAR(c, b[0], -10.1373, 0, 5e-5);
  CHECK(c, ask(&s, &reinforce, &optimal, 1, NULL, b, 1, mean, variance));
  CHECK_NEAR(c, trace(variance, 2), 1306.24513, 0, 5e-6);
  CHECK(c, ask(&s, &gpomdp, &none, 1, NULL, NULL, 1, mean, variance));
  CHECK_NEAR(c, trace(variance, 2), 1436.47429, 0, 5e-6);
  CHECK(c, ask(&s, &gpomdp, &value_baseline, 1, &v, NULL, 1, mean, variance));
  CHECK_NEAR(c, trace(variance, 2), 20.20879, 0, 5e-6);
  CHECK(c, ask(&s, &undiscounted, &value_baseline, 1, &v, NULL, 1, mean, variance));
  CHECK_NEAR(c, trace(variance, 2), 20.8835, 0, 5e-5);
  CHECK_NEAR(c, mean[0], 0.6932, 0, 5e-5);
  CHECK_NEAR(c, mean[1], 0.2357, 0, 5e-5);
  CHECK(c, ask(&s, &gae, &value_baseline, 0.6, &half, NULL, 1, mean, variance));
  CHECK_NEAR(c, trace(variance, 2), 167.3624, 0, 5e-5);
  CHECK_NEAR(c, mean[0], 0.3377, 0, 5e-5);
  CHECK_NEAR(c, mean[1], 0.0959, 0, 5e-5);
  CHECK(c, ask(&s, &reinforce, &loo, 1, NULL, NULL, 4, mean, variance));
  CHECK_NEAR(c, trace(variance, 2), 509.9007, 0, 5e-5);
  pgb_arena_destroy(s.arena);
}

/* One episode by simulation: the estimate of gpomdp with value v, S and R of reinforce, and what time-mean
 * needs. */
typedef struct episode {
  double a[MAX_THETA], s[MAX_THETA], r;
  double weighted[MAX_T][MAX_THETA], togo[MAX_T]; /* gamma^t psi_t, G_t */
} episode;

static void simulate(const instance *p, const pgb_value *v, uint64_t *seed, episode *e) {
  double x[MAX_N] = {0};
  double z[MAX_N];
  double score[MAX_T][MAX_THETA];
  double reward[MAX_T];
  double value[MAX_T + 1] = {0};
  const size_t n = p->n;
  memset(e, 0, sizeof *e);
  for (size_t i = 0; i < n; i++)
    z[i] = normal(seed);
  for (size_t i = 0; i < n; i++) {
    x[i] = p->start[i];
    for (size_t j = 0; j <= i; j++)
      x[i] += p->root0[i * n + j] * z[j];
  }
  for (size_t t = 0; t < p->horizon; t++) {
    double next[MAX_N] = {0};
    double u[MAX_M] = {0};
    reward[t] = 0;
    value[t] = v->constant[t];
    for (size_t i = 0; i < p->m; i++) {
      const double eps = normal(seed);
      u[i] = deviation(p, i) * eps;
      for (size_t j = 0; j < n; j++) {
        u[i] += p->policy.gain * p->theta[i * n + j] * x[j];
        score[t][i * n + j] = p->policy.gain * eps / deviation(p, i) * x[j];
      }
      if (p->policy.learn_sigma)
        score[t][p->m * n + i] = eps * eps - 1;
    }
    for (size_t i = 0; i < p->m * p->m; i++)
      reward[t] -= p->r[i] * u[i / p->m] * u[i % p->m];
    for (size_t i = 0; i < n; i++)
      z[i] = normal(seed);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < n; j++) {
        reward[t] -= p->q[i * n + j] * x[i] * x[j];
        value[t] += v->quad[(t * n + i) * n + j] * x[i] * x[j];
        next[i] += p->a[i * n + j] * x[j] + p->root_w[i * n + j] * z[j];
        for (size_t k = 0; j == 0 && k < p->m; k++)
          next[i] += p->b[i * p->m + k] * u[k];
      }
    memcpy(x, next, sizeof x);
  }
  for (size_t t = p->horizon; t-- > 0;) {
    e->r = reward[t] + p->gamma * e->r;
    e->togo[t] = e->r;
    for (size_t k = 0; k < p->problem.n_theta; k++) {
      e->a[k] = score[t][k] * (e->r - value[t]) + p->gamma * e->a[k];
      e->s[k] += score[t][k];
      e->weighted[t][k] = pow(p->gamma, (double)t) * score[t][k];
    }
  }
}

typedef struct sample {
  double sum[MAX_THETA][5]; /* powers of the deviation from the exact mean */
} sample;

static void add_sample(sample *s, const double *g, const double *mean, size_t n_theta) {
  for (size_t k = 0; k < n_theta; k++)
    for (int power = 1; power <= 4; power++)
      s->sum[k][power] += pow(g[k] - mean[k], power);
}

/* Mean and variance within 5 of their standard errors; the seeds are fixed, so the outcome is. */
static void check_sample(checks *c, const sample *s, const double *variance, size_t n_theta, double count) {
  for (size_t k = 0; k < n_theta; k++) {
    const double second = s->sum[k][2] / count;
    CHECK(c, fabs(s->sum[k][1] / count) < 5 * sqrt(variance[k] / count));
    CHECK(c, fabs(second - variance[k]) < 5 * sqrt((s->sum[k][4] / count - second * second) / count));
  }
}

static void check_monte_carlo(checks *c) {
  enum { BATCH = 4, COUNT = 50000 };
  instance p;
  subject s;
  pgb_value v;
  double mean[3][MAX_THETA];
  double variance[3][MAX_THETA];
  sample samples[3] = {0};
  uint64_t seed = 77;
  random_instance(5, 2, 1, 3, 2, true, &p);
  open_subject(c, &p, &s);
  CHECK(c, pgb_oracle_lqr.value(s.state, &v));
  CHECK(c, ask(&s, &gpomdp, &value_baseline, 1, &v, NULL, BATCH, mean[0], variance[0]));
  CHECK(c, ask(&s, &reinforce, &loo, 1, NULL, NULL, BATCH, mean[1], variance[1]));
  CHECK(c, ask(&s, &gpomdp, &time_mean, 1, NULL, NULL, BATCH, mean[2], variance[2]));
  for (size_t i = 0; i < COUNT; i++) {
    episode e[BATCH];
    double g[3][MAX_THETA] = {{0}};
    double total = 0;
    double togo[MAX_T] = {0};
    for (size_t b = 0; b < BATCH; b++) {
      simulate(&p, &v, &seed, &e[b]);
      total += e[b].r;
      for (size_t t = 0; t < p.horizon; t++)
        togo[t] += e[b].togo[t];
    }
    for (size_t b = 0; b < BATCH; b++)
      for (size_t k = 0; k < p.problem.n_theta; k++) {
        g[0][k] += e[b].a[k] / BATCH;
        g[1][k] += e[b].s[k] * (e[b].r - (total - e[b].r) / (BATCH - 1)) / BATCH;
        for (size_t t = 0; t < p.horizon; t++)
          g[2][k] += e[b].weighted[t][k] * (e[b].togo[t] - (togo[t] - e[b].togo[t]) / (BATCH - 1)) / BATCH;
      }
    for (size_t i2 = 0; i2 < 3; i2++)
      add_sample(&samples[i2], g[i2], mean[i2], p.problem.n_theta);
  }
  for (size_t i = 0; i < 3; i++)
    check_sample(c, &samples[i], variance[i], p.problem.n_theta, COUNT);
  pgb_arena_destroy(s.arena);
}

/* n = 4, m = 2, T = 100, where no second method reaches: different routes through the oracle must meet. */
static void check_long(checks *c, int start) {
  enum { N = 4, M = 2, THETA = N * M };
  instance p;
  subject s;
  pgb_value v;
  double j;
  double gradient[THETA];
  double mean[2][THETA];
  double variance[2][THETA];
  random_instance(31, N, M, 100, start, false, &p);
  for (size_t i = 0; i < sizeof p.a / sizeof *p.a; i++)
    p.a[i] *= 0.5;
  open_subject(c, &p, &s);
  CHECK(c, pgb_oracle_lqr.gradient(s.state, &j, gradient));
  CHECK(c, pgb_oracle_lqr.value(s.state, &v));
  CHECK(c, ask(&s, &gpomdp, &none, 1, NULL, NULL, 1, mean[0], variance[0]));
  CHECK(c, ask(&s, &gae, &none, 1, NULL, NULL, 1, mean[1], variance[1]));
  for (size_t k = 0; k < THETA; k++) {
    CHECK_NEAR(c, mean[0][k], gradient[k], 1e-10, 0);
    CHECK_NEAR(c, mean[1][k], gradient[k], 1e-10, 0);
    CHECK_NEAR(c, variance[0][k], variance[1][k], 1e-10, 0);
  }
  CHECK(c, ask(&s, &gae, &value_baseline, 1, &v, NULL, 1, mean[1], variance[1]));
  CHECK(c, trace(variance[1], THETA) < trace(variance[0], THETA));
  CHECK(c, ask(&s, &reinforce, &value_baseline, 1, &v, NULL, 1, mean[0], variance[0]));
  for (size_t k = 0; k < THETA; k++)
    CHECK_NEAR(c, mean[0][k], mean[1][k], 1e-10, 0);
  /* From a fixed start V(x_0) is the constant J. */
  for (size_t k = 0; k < THETA; k++)
    gradient[k] = j;
  CHECK(c, ask(&s, &reinforce, &optimal, 1, NULL, gradient, 1, mean[1], variance[1]));
  for (size_t k = 0; start == 1 && k < THETA; k++)
    CHECK_NEAR(c, variance[0][k], variance[1][k], 1e-10, 0);
  pgb_arena_destroy(s.arena);
}

/* What has no closed form here is refused, and a problem of another kind is not taken. */
static void check_unknown(checks *c) {
  instance p;
  subject s;
  pgb_value v;
  double x[2];
  double y[2];
  golden_instance(&p);
  open_subject(c, &p, &s);
  CHECK(c, pgb_oracle_lqr.value(s.state, &v));
  CHECK(c, !ask(&s, &reinforce, &normalised, 1, NULL, NULL, 4, x, y));
  CHECK(c, !ask(&s, &gpomdp, &time_mean, 1, NULL, NULL, 1, x, y));
  CHECK(c, !ask(&s, &reinforce, &loo, 1, NULL, NULL, 1, x, y));
  CHECK(c, !ask(&s, &gae, &time_mean, 1, NULL, NULL, 4, x, y));
  CHECK(c, !ask(&s, &gae, &loo, 1, NULL, NULL, 4, x, y));
  CHECK(c, !ask(&s, &gpomdp, &value_baseline, 1, NULL, NULL, 4, x, y));
  CHECK(c, !ask(&s, &gpomdp, &optimal, 1, NULL, NULL, 4, x, y));
  CHECK(c, !pgb_oracle_lqr.constant(s.state, &gae, false, x));
  v.kind = PGB_VALUE_FEATURES;
  CHECK(c, !ask(&s, &gpomdp, &value_baseline, 1, &v, NULL, 4, x, y));
  v.kind = PGB_VALUE_QUADRATIC;
  v.horizon = 3;
  CHECK(c, !ask(&s, &gpomdp, &value_baseline, 1, &v, NULL, 4, x, y));
  pgb_arena_destroy(s.arena);
  p.problem.policy = "gaussian-mlp";
  CHECK(c, !pgb_oracle_lqr.fits(&p.problem));
  p.problem.policy = "gaussian-linear";
  p.problem.env = "gaussian";
  CHECK(c, !pgb_oracle_lqr.fits(&p.problem));
}

/* Too long for the moments, but J, V and the gradient stay; and a closed loop that diverges knows nothing. */
static void check_limits(checks *c) {
  instance p;
  subject s;
  pgb_value v;
  double j;
  double x[16];
  double y[16];
  random_instance(9, 4, 4, 20000, 0, false, &p);
  for (size_t i = 0; i < sizeof p.a / sizeof *p.a; i++)
    p.a[i] *= 0.2;
  memset(p.theta, 0, sizeof p.theta);
  open_subject(c, &p, &s);
  CHECK(c, pgb_oracle_lqr.gradient(s.state, &j, x));
  CHECK(c, pgb_oracle_lqr.value(s.state, &v));
  CHECK(c, !ask(&s, &reinforce, &none, 1, NULL, NULL, 1, x, y));
  CHECK(c, !pgb_oracle_lqr.constant(s.state, &reinforce, false, x));
  pgb_arena_destroy(s.arena);
  random_instance(9, 1, 1, 3000, 0, false, &p);
  p.a[0] = 3;
  p.theta[0] = 0;
  open_subject(c, &p, &s);
  CHECK(c, !pgb_oracle_lqr.gradient(s.state, &j, x));
  CHECK(c, !pgb_oracle_lqr.value(s.state, &v));
  CHECK(c, !ask(&s, &reinforce, &none, 1, NULL, NULL, 1, x, y));
  pgb_arena_destroy(s.arena);
}

int main(void) {
  checks c = {0, 0};
  check_golden(&c);
  check_random(&c);
  check_monte_carlo(&c);
  check_long(&c, 0);
  check_long(&c, 1);
  check_unknown(&c);
  check_limits(&c);
  return check_end(&c, "oracle_lqr");
}
