/* SPDX-License-Identifier: MIT */
/* The bandit's oracle against published figures and against enumeration of all episodes and batches. */
#include "oracle_case.h"

#include "envs/arms.h"
#include "oracle/batch.h"

enum { MAX_K = 6 };

typedef struct arms {
  size_t k;
  double theta[MAX_K], r[MAX_K], sd[MAX_K];
  pgb_arms env;
  pgb_problem problem;
} arms;

static void bind(arms *b) {
  b->env = (pgb_arms){.mean = {b->r, b->k, 1, {b->k, 0, 0}}, .arms = b->k, .noise_sd = b->sd};
  b->problem = (pgb_problem){.env = "bandit",
                             .policy = "softmax-tabular",
                             .env_params = &b->env,
                             .n_theta = b->k,
                             .theta = b->theta,
                             .gamma = 0.9};
}

static void golden(checks *c) {
  arms b = {.k = 4, .theta = {0, 0.5, 1, 1.5}, .r = {1, 2, 3, 5}, .sd = {0.5, 0, 1, 0.25}};
  pgb_arena *arena = NULL;
  pgb_oracle *o = NULL;
  double j, g[MAX_K], bs[MAX_K];
  const double grad[] = {-0.2578647681009732, -0.25774203085378705, -0.1489404239154938, 0.6645472228702538};
  const double bk[] = {1.287006336500185, 2.309564747527626, 3.2057200520839233, 3.7805259454445306};
  bind(&b);
  CHECK_OK(c, pgb_arena_create(&arena));
  CHECK_OK(c, pgb_oracle_open(&b.problem, arena, &o));
  CHECK(c, strcmp(pgb_oracle_name(o), "bandit") == 0);
  CHECK(c, pgb_oracle_gradient(o, &j, g));
  CHECK_NEAR(c, j, 3.539630722385276, 1e-14, 0);
  for (size_t k = 0; k < 4; k++)
    CHECK_NEAR(c, g[k], grad[k], 1e-13, 0);
  pgb_pair pair = {.estimator = &reinforce, .baseline = &none};
  CHECK_NEAR(c, trace(o, &pair, 1, 4), 7.022892996121757, 1e-13, 0);
  pair.baseline = &loo;
  CHECK_NEAR(c, trace(o, &pair, 8, 4), 0.19525214749903957, 1e-13, 0);
  pair = (pgb_pair){.estimator = &gae, .baseline = &value_baseline};
  pgb_value v;
  CHECK(c, pgb_oracle_value(o, &v));
  pair.value = &v;
  CHECK_NEAR(c, trace(o, &pair, 1, 4), 1.2410314026789726, 1e-13, 0);
  CHECK_NEAR(c, trace(o, &pair, 8, 4), 0.15512892533487158, 1e-13, 0);
  pair = (pgb_pair){.estimator = &gpomdp, .baseline = &optimal, .constant = bs};
  CHECK(c, pgb_oracle_constant(o, &gpomdp, false, bs));
  CHECK_NEAR(c, bs[2], 2.973701681334546, 1e-13, 0);
  CHECK_NEAR(c, trace(o, &pair, 1, 4), 1.023752168736991, 1e-13, 0);
  CHECK(c, pgb_oracle_constant(o, &gpomdp, true, bs));
  for (size_t k = 0; k < 4; k++)
    CHECK_NEAR(c, bs[k], bk[k], 1e-13, 0);
  CHECK_NEAR(c, trace(o, &pair, 1, 4), 0.5305564102750169, 1e-13, 0);
  pair.estimator = &gae; /* takes no constant */
  CHECK(c, isnan(trace(o, &pair, 1, 4)));
  pgb_arena_destroy(arena);
}

/* Two arms without noise: with b* = p2 r1 + p1 r2 every sample is the gradient; with V the trace is
 * 2 p1 p2 (p1 - p2)^2 (r1 - r2)^2. */
static void two_arms(checks *c) {
  arms b = {.k = 2, .r = {2, 5}};
  pgb_arena *arena = NULL;
  pgb_oracle *o = NULL;
  double bs[MAX_K];
  pgb_value v;
  b.theta[0] = log(0.3);
  b.theta[1] = log(0.7);
  bind(&b);
  CHECK_OK(c, pgb_arena_create(&arena));
  CHECK_OK(c, pgb_oracle_open(&b.problem, arena, &o));
  CHECK(c, pgb_oracle_constant(o, &reinforce, false, bs));
  CHECK_NEAR(c, bs[0], 0.7 * 2 + 0.3 * 5, 1e-14, 0);
  pgb_pair pair = {.estimator = &reinforce, .baseline = &optimal, .constant = bs};
  CHECK_NEAR(c, trace(o, &pair, 1, 2), 0, 0, 1e-28);
  CHECK(c, pgb_oracle_value(o, &v));
  pair = (pgb_pair){.estimator = &reinforce, .baseline = &value_baseline, .value = &v};
  CHECK_NEAR(c, trace(o, &pair, 1, 2), 0.6048, 1e-13, 0);
  pgb_arena_destroy(arena);
}

static void random_batches(checks *c, const pgb_oracle *o, pgb_second *second, size_t d,
                           const pgb_estimator_class *estimator, bool noisy) {
  static const pgb_baseline_class *const kinds[] = {&mean_baseline, &loo, &time_mean, &normalised};
  double mean[MAX_D], var[MAX_D];
  for (size_t i = 0; i < 4; i++)
    for (size_t n = 2; n <= 6; n++) {
      const pgb_pair pair = {.estimator = estimator, .baseline = kinds[i]};
      if (i == 3 && noisy)
        CHECK(c, !pgb_oracle_moments(o, &pair, n, mean, var));
      else
        check_moments(c, o, second, &pair, n, d, kinds[i]->name);
    }
  const pgb_pair pair = {.estimator = estimator,
                         .baseline = &mean_baseline}; /* one episode: nothing is left */
  CHECK(c, pgb_oracle_moments(o, &pair, 1, mean, var));
  CHECK_NEAR(c, mean[0], 0, 0, 1e-14);
  CHECK_NEAR(c, var[0], 0, 0, 1e-14);
}

static double trace_at(pgb_second *second, const double *constants, size_t d) {
  const pgb_pair pair = {.estimator = &reinforce, .baseline = &optimal, .constant = constants};
  double mean[MAX_D], var[MAX_D];
  return pgb_second_moments(second, &pair, 1, mean, var) ? sum(var, d) : NAN;
}

static void random_case(checks *c, uint64_t seed) {
  arms b = {.k = 2 + (size_t)(seed % 3)};
  const bool noisy = seed % 2 == 0;
  double j, g[MAX_K], constants[MAX_K];
  pgb_arena *arena = NULL;
  pgb_oracle *o = NULL;
  pgb_second *second = NULL;
  for (uint32_t a = 0; a < b.k; a++) {
    b.theta[a] = between(seed, 3 * a, -1.5, 1.5);
    b.r[a] = between(seed, 3 * a + 1, -3, 3);
    b.sd[a] = noisy ? between(seed, 3 * a + 2, 0.1, 1) : 0;
  }
  bind(&b);
  CHECK_OK(c, pgb_arena_create(&arena));
  CHECK_OK(c, pgb_oracle_open(&b.problem, arena, &o));
  CHECK_OK(c, pgb_second_open(&b.problem, arena, &second));
  CHECK(c, pgb_oracle_gradient(o, &j, g));
  CHECK_NEAR(c, sum(g, b.k), 0, 0, 1e-14); /* scores of a softmax sum to 0 */
  check_problem(c, o, second, b.k);
  for (size_t k = 0; k < b.k; k++)
    constants[k] = between(seed, (uint32_t)(100 + k), -2, 2);
  const pgb_pair pair = {.estimator = &undiscounted, .baseline = &optimal, .constant = constants};
  check_moments(c, o, second, &pair, 5, b.k, "constants");
  CHECK(c, pgb_oracle_constant(o, &reinforce, seed % 2 == 0, constants));
  const double best = trace_at(second, constants, b.k);
  for (int side = -1; side <= 1; side += 2) { /* nothing near the optimum is better */
    double moved[MAX_K];
    for (size_t k = 0; k < b.k; k++)
      moved[k] = constants[k] + side * 1e-3;
    CHECK(c, trace_at(second, moved, b.k) > best);
  }
  random_batches(c, o, second, b.k, seed % 2 == 0 ? &reinforce : &gpomdp, noisy);
  pgb_arena_destroy(arena);
}

/* A policy so sure of one arm that the scores vanish: finite answers. */
static void degenerate(checks *c) {
  arms b = {.k = 3, .theta = {2000, 0, 0}, .r = {1, 2, 3}};
  pgb_arena *arena = NULL;
  pgb_oracle *o = NULL;
  double bs[MAX_K];
  bind(&b);
  CHECK_OK(c, pgb_arena_create(&arena));
  CHECK_OK(c, pgb_oracle_open(&b.problem, arena, &o));
  for (int component = 0; component < 2; component++) {
    CHECK(c, pgb_oracle_constant(o, &reinforce, component == 1, bs));
    const pgb_pair pair = {.estimator = &reinforce, .baseline = &optimal, .constant = bs};
    CHECK_NEAR(c, trace(o, &pair, 1, 3), 0, 0, 0);
  }
  const pgb_pair pair = {.estimator = &reinforce, .baseline = &normalised};
  CHECK_NEAR(c, trace(o, &pair, 4, 3), 0, 0, 0);
  pgb_arena_destroy(arena);
}

int main(void) {
  checks c = {0};
  golden(&c);
  two_arms(&c);
  degenerate(&c);
  for (uint64_t seed = 1; seed <= 40; seed++)
    random_case(&c, seed);
  return check_end(&c, "oracle_bandit");
}
