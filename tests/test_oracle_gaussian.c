/* SPDX-License-Identifier: MIT */
/* The Gaussian oracle against published closed forms and against the second answer. */
#include "oracle_case.h"

#include "envs/gaussian.h"
#include "policy/gaussian_linear.h"

enum { MAX_M = 2 };

typedef struct draw {
  size_t m;
  double theta[2 * MAX_M], c[MAX_M], sd[MAX_M];
  pgb_gaussian env;
  pgb_gaussian_linear policy;
  pgb_problem problem;
} draw;

static void bind(draw *b, double h, double noise, bool context, bool learn, double gain) {
  b->env = (pgb_gaussian){
      .curvature = h, .noise = noise, .dim = (int64_t)b->m, .random_context = context, .c = b->c};
  b->policy = (pgb_gaussian_linear){.learn_sigma = learn, .n = 1, .m = b->m, .gain = gain, .sd = b->sd};
  b->problem = (pgb_problem){.env = "gaussian",
                             .policy = "gaussian-linear",
                             .env_params = &b->env,
                             .policy_params = &b->policy,
                             .n_theta = b->m * (learn ? 2 : 1),
                             .theta = b->theta,
                             .gamma = 1};
}

static double constant_trace(const pgb_oracle *o, size_t d, double b) {
  double constants[MAX_D];
  for (size_t k = 0; k < d; k++)
    constants[k] = b;
  const pgb_pair pair = {.estimator = &reinforce, .baseline = &optimal, .constant = constants};
  return trace(o, &pair, 1, d);
}

/* h = 1.7, m = 0.8, sigma = 0.6, nu = 0.4: figures of the closed forms, fixed and learned sigma. */
static void golden(checks *c) {
  draw b = {.m = 1, .theta = {0.8, log(0.6)}, .sd = {0.6}};
  const double alpha = -1.7 * 0.64 / 2, beta = -1.7 * 0.8 * 0.6, g2 = -1.7 * 0.36 / 2;
  double j, g[2], bs[2], mean[2], var[2];
  pgb_arena *arena = NULL;
  pgb_oracle *o = NULL;
  pgb_value v;
  bind(&b, 1.7, 0.4, false, true, 1);
  CHECK_OK(c, pgb_arena_create(&arena));
  CHECK_OK(c, pgb_oracle_open(&b.problem, arena, &o));
  CHECK(c, pgb_oracle_gradient(o, &j, g));
  CHECK_NEAR(c, j, alpha + g2, 1e-14, 0);
  CHECK_NEAR(c, g[0], -1.36, 1e-14, 0);
  CHECK_NEAR(c, g[1], 2 * g2, 1e-14, 0);
  pgb_pair pair = {.estimator = &reinforce, .baseline = &none};
  CHECK(c, pgb_oracle_moments(o, &pair, 1, mean, var));
  CHECK_NEAR(c, var[0], 11.641588889, 1e-9, 0);
  CHECK(c, pgb_oracle_value(o, &v));
  pair = (pgb_pair){.estimator = &gae, .baseline = &value_baseline, .value = &v};
  CHECK(c, pgb_oracle_moments(o, &pair, 1, mean, var));
  CHECK_NEAR(c, var[0], 6.744644444, 1e-9, 0);
  CHECK_NEAR(c, var[1], 12.222176, 1e-9, 0);
  CHECK(c, pgb_oracle_constant(o, &reinforce, true, bs));
  CHECK_NEAR(c, bs[0], alpha + 3 * g2, 1e-13, 0);
  CHECK_NEAR(c, bs[1], alpha + 5 * g2, 1e-13, 0);
  pair = (pgb_pair){.estimator = &reinforce, .baseline = &optimal, .constant = bs};
  CHECK(c, pgb_oracle_moments(o, &pair, 2, mean, var));
  CHECK_NEAR(c, 2 * var[0], 5.704244444, 1e-9, 0);
  CHECK_NEAR(c, 2 * var[1], 9.225824, 1e-9, 0);
  CHECK_NEAR(c, 2 * var[1], 10 * beta * beta + 24 * g2 * g2 + 2 * 0.16, 1e-13, 0);
  pgb_arena_destroy(arena);
}

/* The same with a context x ~ N(0, 1), d = 0.5. */
static void golden_context(checks *c) {
  draw b = {.m = 1, .theta = {1.2}, .c = {0.7}, .sd = {0.6}};
  double bs[1];
  pgb_arena *arena = NULL;
  pgb_oracle *o = NULL;
  pgb_value v;
  bind(&b, 1.7, 0.4, true, false, 1);
  CHECK_OK(c, pgb_arena_create(&arena));
  CHECK_OK(c, pgb_oracle_open(&b.problem, arena, &o));
  CHECK(c, pgb_oracle_value(o, &v));
  pgb_pair pair = {.estimator = &reinforce, .baseline = &value_baseline, .value = &v};
  CHECK_NEAR(c, trace(o, &pair, 1, 1), 8.825444444, 1e-9, 0);
  const double level = -0.85 * 0.36 * 3, quad = -0.85 * 0.25; /* b*(x) = alpha(x) + 3 gamma2 */
  v.constant = &level;
  v.quad = &quad;
  CHECK_NEAR(c, trace(o, &pair, 1, 1), 7.785044444, 1e-9, 0);
  CHECK_NEAR(c, constant_trace(o, 1, -0.85 * (0.25 + 0.36)), 11.524784722, 1e-9, 0);
  CHECK(c, pgb_oracle_constant(o, &reinforce, false, bs));
  CHECK_NEAR(c, bs[0], -1.5 * 1.7 * (0.25 + 0.36), 1e-13, 0);
  CHECK_NEAR(c, constant_trace(o, 1, bs[0]), 8.537648611, 1e-9, 0);
  pgb_arena_destroy(arena);
}

/* Mohamed et al. 2019, figure 2: f = (x - k)^2, x ~ N(1, 1), k = -3, so m = 4 (f = -R with h = 2). */
static void mohamed(checks *c) {
  draw b = {.m = 1, .theta = {1, 0}, .c = {-3}};
  const double m2 = 16;
  double bs[2], mean[2], var[2];
  pgb_arena *arena = NULL;
  pgb_oracle *o = NULL;
  bind(&b, 2, 0, false, true, 1);
  CHECK_OK(c, pgb_arena_create(&arena));
  CHECK_OK(c, pgb_oracle_open(&b.problem, arena, &o));
  pgb_pair pair = {.estimator = &reinforce, .baseline = &none};
  CHECK(c, pgb_oracle_moments(o, &pair, 1, mean, var));
  CHECK_NEAR(c, var[0], m2 * m2 + 14 * m2 + 15, 1e-13, 0);
  CHECK_NEAR(c, var[1], 2 * m2 * m2 + 60 * m2 + 74, 1e-13, 0);
  const double at_mean[2] = {-(m2 + 1), -(m2 + 1)};
  pair = (pgb_pair){.estimator = &reinforce, .baseline = &optimal, .constant = at_mean};
  CHECK(c, pgb_oracle_moments(o, &pair, 1, mean, var));
  CHECK_NEAR(c, var[0], 8 * m2 + 10, 1e-13, 0);
  CHECK(c, pgb_oracle_constant(o, &reinforce, true, bs));
  pair = (pgb_pair){.estimator = &reinforce, .baseline = &optimal, .constant = bs};
  CHECK(c, pgb_oracle_moments(o, &pair, 1, mean, var));
  CHECK_NEAR(c, var[0], 8 * m2 + 6, 1e-13, 0);
  CHECK_NEAR(c, var[1], 40 * m2 + 24, 1e-13, 0);
  pgb_arena_destroy(arena);
}

static void random_batches(checks *c, const pgb_oracle *o, pgb_second *second, const draw *b) {
  static const pgb_baseline_class *const kinds[] = {&mean_baseline, &loo};
  double mean[MAX_D], var[MAX_D];
  const size_t most = b->m == 1 && !b->env.random_context ? 4 : 2;
  for (size_t n = 2; n <= most; n++)
    for (size_t i = 0; i < 2; i++) {
      const pgb_pair pair = {.estimator = i == 0 ? &gpomdp : &reinforce, .baseline = kinds[i]};
      check_moments(c, o, second, &pair, n, b->problem.n_theta, kinds[i]->name);
    }
  const pgb_pair pair = {.estimator = &reinforce, .baseline = &normalised};
  CHECK(c, !pgb_oracle_moments(o, &pair, 4, mean, var));
}

static void random_value(checks *c, const pgb_oracle *o, pgb_second *second, const draw *b, uint64_t seed) {
  double coefficient[6];
  for (uint32_t i = 0; i < 6; i++)
    coefficient[i] = between(seed, 60 + i, -1, 1);
  pgb_value v = {.kind = PGB_VALUE_FEATURES, .horizon = 1, .n_obs = 1, .coefficient = coefficient};
  const pgb_pair pair = {.estimator = &gae,
                         .estimator_params = &(const pgb_gae){.lambda = 0.5},
                         .baseline = &value_baseline,
                         .value = &v};
  check_moments(c, o, second, &pair, 3, b->problem.n_theta, "features");
  v = (pgb_value){.kind = PGB_VALUE_QUADRATIC,
                  .horizon = 1,
                  .n_obs = 1,
                  .constant = coefficient,
                  .quad = coefficient + 1};
  check_moments(c, o, second, &pair, 1, b->problem.n_theta, "quadratic");
}

static void random_case(checks *c, uint64_t seed) {
  draw b = {.m = 1 + (size_t)(seed / 2 % 2)};
  const bool context = seed % 4 > 1, learn = seed % 3 != 0;
  const double h = between(seed, 50, 0.3, 2), noise = seed % 5 == 0 ? 0 : between(seed, 51, 0.1, 1);
  pgb_arena *arena = NULL;
  pgb_oracle *o = NULL;
  pgb_second *second = NULL;
  for (uint32_t i = 0; i < b.m; i++) {
    b.theta[i] = between(seed, 4 * i, -1, 1);
    b.c[i] = between(seed, 4 * i + 1, -1, 1);
    b.sd[i] = between(seed, 4 * i + 2, 0.3, 1.2);
    b.theta[b.m + i] = between(seed, 4 * i + 3, -1, 0.3);
  }
  bind(&b, h, noise, context, learn, seed % 7 == 0 ? -1 : 1);
  CHECK_OK(c, pgb_arena_create(&arena));
  CHECK_OK(c, pgb_oracle_open(&b.problem, arena, &o));
  CHECK_OK(c, pgb_second_open(&b.problem, arena, &second));
  const pgb_pair pair = {.estimator = &undiscounted, .baseline = &none};
  check_moments(c, o, second, &pair, 1, b.problem.n_theta, "none");
  check_problem(c, o, second, b.problem.n_theta);
  random_batches(c, o, second, &b);
  random_value(c, o, second, &b, seed);
  pgb_arena_destroy(arena);
}

/* Isotropic closed form in M = 1000 dimensions; Wu et al. 2018: at the target, V against the optimal state
 * baseline is (M + 4)/(M + 2). */
static void many_dimensions(checks *c) {
  enum { M = 1000 };
  static const double h = 1.3, s = 0.7, nu = 0.2, off = 0.05;
  double *room = calloc(6 * M, sizeof *room);
  CHECK(c, room != NULL);
  double *theta = room, *target = room + M, *sd = room + 2 * M, *mean = room + 3 * M, *var = room + 4 * M;
  double *b = room + 5 * M;
  for (size_t i = 0; i < M; i++) {
    target[i] = 1;
    theta[i] = 1 + off;
    sd[i] = s;
  }
  draw d = {.m = M};
  bind(&d, h, nu, false, false, 1);
  d.env.c = target;
  d.policy.sd = sd;
  d.problem.theta = theta;
  pgb_arena *arena = NULL;
  pgb_oracle *o = NULL;
  pgb_value v;
  CHECK_OK(c, pgb_arena_create(&arena));
  CHECK_OK(c, pgb_oracle_open(&d.problem, arena, &o));
  CHECK(c, pgb_oracle_value(o, &v));
  const double beta2 = h * h * s * s * M * off * off, g2 = -h * s * s / 2;
  pgb_pair pair = {.estimator = &reinforce, .baseline = &value_baseline, .value = &v};
  CHECK(c, pgb_oracle_moments(o, &pair, 1, mean, var));
  CHECK_NEAR(c, sum(var, M), ((M + 1) * beta2 + 2.0 * M * (M + 4) * g2 * g2 + nu * nu * M) / (s * s), 1e-12,
             0);
  CHECK(c, pgb_oracle_constant(o, &reinforce, false, b));
  pair = (pgb_pair){.estimator = &reinforce, .baseline = &optimal, .constant = b};
  CHECK(c, pgb_oracle_moments(o, &pair, 1, mean, var));
  CHECK_NEAR(c, sum(var, M), ((M + 1) * beta2 + 2.0 * M * (M + 2) * g2 * g2 + nu * nu * M) / (s * s), 1e-12,
             0);
  pgb_arena_destroy(arena);
  free(room);
}

int main(void) {
  checks c = {0};
  golden(&c);
  golden_context(&c);
  mohamed(&c);
  many_dimensions(&c);
  for (uint64_t seed = 1; seed <= 24; seed++)
    random_case(&c, seed);
  return check_end(&c, "oracle_gaussian");
}
