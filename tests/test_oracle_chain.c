/* SPDX-License-Identifier: MIT */
/* The chain's oracle: closed forms at gamma = 1 for any horizon, the second answer for the
 * rest. */
#include "oracle_paths.h"

#include "envs/arms.h"

typedef struct held {
  finite f;
  pgb_arms env;
  pgb_problem problem;
  pgb_arena *arena;
  pgb_oracle *oracle;
  pgb_second *second;
} held;

static void open_oracle(checks *c, held *h) {
  finite *f = &h->f;
  f->s = 1;
  f->start[0] = 1;
  for (size_t a = 0; a < f->a; a++)
    f->transition[a] = 1;
  h->env = (pgb_arms){
      .mean = {f->reward, f->a, 1, {f->a, 0, 0}}, .horizon = (int64_t)f->t, .arms = f->a, .noise_sd = f->sd};
  h->problem = (pgb_problem){.env = "chain",
                             .policy = "softmax-tabular",
                             .env_params = &h->env,
                             .n_theta = f->a,
                             .theta = f->theta,
                             .gamma = f->gamma};
  CHECK_OK(c, pgb_arena_create(&h->arena));
  CHECK_OK(c, pgb_oracle_open(&h->problem, h->arena, &h->oracle));
  CHECK_OK(c, pgb_second_open(&h->problem, h->arena, &h->second));
  CHECK(c, strcmp(pgb_oracle_name(h->oracle), "chain") == 0);
}

/* Of one step and component k: mu, C = E[s R], F = E[s^2], zeta = E[s^2 (R-mu)^2], e3 = E[s^2 (R-mu)], v =
 * Var R. */
typedef struct one_step {
  double mu, c, f, zeta, e3, v;
} one_step;

static double probability(const finite *f, size_t a) {
  double all = 0;
  for (size_t i = 0; i < f->a; i++)
    all += exp(f->theta[i]);
  return exp(f->theta[a]) / all;
}

static one_step of_step(const finite *f, size_t k) {
  one_step x = {0};
  for (size_t a = 0; a < f->a; a++)
    x.mu += probability(f, a) * f->reward[a];
  for (size_t a = 0; a < f->a; a++) {
    const double p = probability(f, a), s = (a == k ? 1 : 0) - probability(f, k), r = f->reward[a] - x.mu;
    x.c += p * s * r;
    x.f += p * s * s;
    x.zeta += p * s * s * (r * r + f->sd[a] * f->sd[a]);
    x.e3 += p * s * s * r;
    x.v += p * (r * r + f->sd[a] * f->sd[a]);
  }
  return x;
}

/* gamma = 1: b = 0 grows as T^3, b = J as T^2, reward-to-go with V as T^2/2, the one-step advantage as T. */
static void closed_forms(checks *c, size_t steps) {
  held h = {.f = {.a = 4,
                  .t = steps,
                  .gamma = 1,
                  .theta = {0, 0.5, 1, 1.5},
                  .reward = {1, 2, 3, 5},
                  .sd = {0.5, 0, 1, 0.25}}};
  const pgb_gae params = {.lambda = 0};
  const double n = (double)steps;
  double mean[4], full[4], centred[4], to_go[4], valued[4], advantage[4], best[4], all_as = 0, all_ss = 0,
                                                                                   b[4];
  pgb_value v;
  open_oracle(c, &h);
  CHECK(c, pgb_oracle_value(h.oracle, &v));
  const double j[] = {v.table[0], v.table[0], v.table[0], v.table[0]};
  pgb_pair pair = {.estimator = &reinforce, .estimator_params = &params, .baseline = &none, .value = &v};
  CHECK(c, pgb_oracle_moments(h.oracle, &pair, 1, mean, full));
  pair.baseline = &value_baseline;
  CHECK(c, pgb_oracle_moments(h.oracle, &pair, 1, mean, centred));
  pair.estimator = &gpomdp;
  CHECK(c, pgb_oracle_moments(h.oracle, &pair, 1, mean, valued));
  pair.estimator = &gae;
  CHECK(c, pgb_oracle_moments(h.oracle, &pair, 1, mean, advantage));
  pair = (pgb_pair){.estimator = &undiscounted, .baseline = &none};
  CHECK(c, pgb_oracle_moments(h.oracle, &pair, 1, mean, to_go));
  pair = (pgb_pair){.estimator = &reinforce, .baseline = &optimal, .constant = j};
  CHECK(c, pgb_oracle_moments(h.oracle, &pair, 1, mean, best));
  CHECK(c, pgb_oracle_constant(h.oracle, &reinforce, false, b));
  for (size_t k = 0; k < 4; k++) {
    const one_step x = of_step(&h.f, k);
    const double c2 = x.c * x.c, mu2 = x.mu * x.mu;
    const double at_j = n * x.zeta + n * (n - 1) * x.f * x.v + (n * n - 2 * n) * c2;
    const double at_v = n * x.zeta + n * (n - 1) / 2 * x.f * x.v - n * c2;
    CHECK_NEAR(c, v.table[0], n * x.mu, 1e-13, 0);
    CHECK_NEAR(c, mean[k], n * x.c, 1e-12, 1e-13);
    CHECK_NEAR(c, advantage[k], n * (x.zeta - c2), 1e-11, 0);
    CHECK_NEAR(c, valued[k], at_v, 1e-11, 0);
    CHECK_NEAR(c, centred[k], at_j, 1e-11, 0);
    CHECK_NEAR(c, best[k], at_j, 1e-11, 0);
    CHECK_NEAR(c, full[k], at_j + n * n * n * mu2 * x.f + 2 * n * n * x.mu * x.e3, 1e-11, 0);
    CHECK_NEAR(c, to_go[k], at_v + mu2 * x.f * n * (n + 1) * (2 * n + 1) / 6 + x.mu * x.e3 * n * (n + 1),
               1e-11, 0);
    all_as += x.e3;
    all_ss += x.f;
  }
  CHECK_NEAR(c, b[0], n * of_step(&h.f, 0).mu + all_as / all_ss, 1e-12,
             0); /* Weaver & Tao 2001: b* over T -> mu */
  pgb_arena_destroy(h.arena);
}

static void random_case(checks *c, uint64_t seed) {
  static const pgb_estimator_class *const estimators[] = {&reinforce, &gpomdp, &undiscounted, &gae};
  held h = {.f = {.s = 1, .a = 2 + seed % 2, .t = 1 + seed % 4, .gamma = seed % 5 == 0 ? 1 : 0.7}};
  double table[MAX_T];
  random_finite(&h.f, seed, seed % 3 != 0);
  for (uint32_t t = 0; t < MAX_T; t++)
    table[t] = between(seed, 700 + t, -2, 2);
  open_oracle(c, &h);
  check_problem(c, h.oracle, h.second, h.f.a);
  for (size_t i = 0; i < 4; i++) {
    const wanted plain = {.estimator = estimators[i], .lambda = 0.4};
    const wanted valued = {.estimator = estimators[i], .lambda = 0.4, .value = table};
    check_single(c, h.oracle, h.second, &h.f, &plain, seed);
    check_single(c, h.oracle, h.second, &h.f, &valued, seed);
    if (h.f.t <= 2)
      check_batches(c, h.oracle, h.second, &h.f, &plain, h.f.sd[0] > 0 ? 2 : 4);
  }
  pgb_arena_destroy(h.arena);
}

/* A long discounted chain: the gradient is a geometric sum. */
static void long_chain(checks *c) {
  held h = {.f = {.a = 2, .t = 2000, .gamma = 0.999, .theta = {0.1, -0.2}, .reward = {1, 2}, .sd = {1, 0.5}}};
  double j, g[2];
  open_oracle(c, &h);
  CHECK(c, pgb_oracle_gradient(h.oracle, &j, g));
  const one_step x = of_step(&h.f, 0);
  CHECK_NEAR(c, g[0], x.c * (1 - pow(0.999, 2000)) / (1 - 0.999), 1e-10, 0);
  const pgb_pair pair = {.estimator = &gpomdp, .baseline = &loo};
  CHECK(c, trace(h.oracle, &pair, 16, 2) > 0);
  pgb_arena_destroy(h.arena);
}

int main(void) {
  checks c = {0};
  for (size_t steps = 1; steps <= 12; steps++)
    closed_forms(&c, steps);
  long_chain(&c);
  for (uint64_t seed = 1; seed <= 40; seed++)
    random_case(&c, seed);
  return check_end(&c, "oracle_chain");
}
