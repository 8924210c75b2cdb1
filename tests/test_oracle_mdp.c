/* SPDX-License-Identifier: MIT */
/* The oracle of finite problems against published figures, enumeration of all paths and batches, and
 * differences. */
#include "oracle_paths.h"

#include "envs/mdp.h"
#include "oracle/mdp.h"

typedef struct held {
  finite f;
  pgb_mdp env;
  pgb_problem problem;
  pgb_arena *arena;
  pgb_oracle *oracle;
  pgb_second *second;
} held;

static void open_oracle(checks *c, held *h) {
  const finite *f = &h->f;
  h->env = (pgb_mdp){.transition = {f->transition, f->s * f->a * f->s, 3, {f->s, f->a, f->s}},
                     .reward = {f->reward, f->s * f->a, 2, {f->s, f->a, 0}},
                     .noise = f->sd[0],
                     .horizon = (int64_t)f->t,
                     .states = f->s,
                     .actions = f->a,
                     .start_p = f->start};
  h->problem = (pgb_problem){.env = "mdp",
                             .policy = "softmax-tabular",
                             .env_params = &h->env,
                             .n_theta = f->s * f->a,
                             .theta = f->theta,
                             .gamma = f->gamma};
  CHECK_OK(c, pgb_arena_create(&h->arena));
  CHECK_OK(c, pgb_oracle_open(&h->problem, h->arena, &h->oracle));
  CHECK_OK(c, pgb_second_open(&h->problem, h->arena, &h->second));
  CHECK(c, strcmp(pgb_oracle_name(h->oracle), "mdp") == 0);
}

static double value_trace(const held *h, const pgb_estimator_class *estimator, double lambda,
                          const pgb_value *v) {
  const pgb_gae params = {.lambda = lambda};
  const pgb_pair pair = {
      .estimator = estimator, .estimator_params = &params, .baseline = &value_baseline, .value = v};
  return trace(h->oracle, &pair, 1, h->f.s * h->f.a);
}

static double constant_trace(const held *h, const pgb_estimator_class *estimator, double b) {
  const double constants[] = {b, b, b, b};
  const pgb_pair pair = {.estimator = estimator, .baseline = &optimal, .constant = constants};
  return trace(h->oracle, &pair, 1, 4);
}

static held example(void) {
  return (held){.f = {.s = 2,
                      .a = 2,
                      .t = 3,
                      .gamma = 0.9,
                      .start = {0.6, 0.4},
                      .transition = {0.8, 0.2, 0.3, 0.7, 0.5, 0.5, 0.1, 0.9},
                      .reward = {1, 0, -1, 2},
                      .sd = {0.5, 0.5, 0.5, 0.5},
                      .theta = {0.2, -0.3, 0.5, 0}}};
}

static void golden(checks *c) {
  held h = example();
  double j, g[4], b[4];
  const double grad[] = {0.40182083831070003, -0.40182083831069976, -0.8522828004083968, 0.8522828004083968};
  pgb_value v;
  open_oracle(c, &h);
  CHECK(c, pgb_oracle_gradient(h.oracle, &j, g));
  CHECK_NEAR(c, j, 1.0676758644154287, 1e-13, 0);
  for (size_t k = 0; k < 4; k++)
    CHECK_NEAR(c, g[k], grad[k], 1e-13, 0);
  CHECK(c, pgb_oracle_value(h.oracle, &v));
  CHECK_NEAR(c, v.table[0], 1.3207703844931717, 1e-13, 0);
  CHECK_NEAR(c, v.table[1], 0.688034084298814, 1e-13, 0);
  CHECK_NEAR(c, constant_trace(&h, &reinforce, 0), 9.301641922866459, 1e-12, 0);
  CHECK_NEAR(c, constant_trace(&h, &reinforce, j), 6.474663000967052, 1e-12, 0);
  CHECK(c, pgb_oracle_constant(h.oracle, &reinforce, false, b));
  CHECK_NEAR(c, b[0], 1.4727548759778335, 1e-12, 0);
  CHECK_NEAR(c, constant_trace(&h, &reinforce, b[3]), 6.243293848270433, 1e-12, 0);
  CHECK_NEAR(c, constant_trace(&h, &gpomdp, 0), 4.5759755678057115, 1e-12, 0);
  CHECK_NEAR(c, value_trace(&h, &gpomdp, 0, &v), 3.3728626336007803, 1e-12, 0);
  CHECK_NEAR(c, value_trace(&h, &gae, 0, &v), 1.6709199230624159, 1e-12, 0);
  CHECK_NEAR(c, value_trace(&h, &gae, 0.5, &v), 2.046690247651093, 1e-12, 0);
  CHECK_NEAR(c, value_trace(&h, &gae, 1, &v), 3.3728626336007803, 1e-12, 0);
  CHECK(c, pgb_oracle_state_baseline(h.oracle, &gpomdp, PGB_STATE_SCORE_WEIGHTED, &v));
  CHECK_NEAR(c, value_trace(&h, &gpomdp, 0, &v), 2.851590249346235, 1e-12, 0);
  CHECK(c, pgb_oracle_state_baseline(h.oracle, &gpomdp, PGB_STATE_OPTIMAL, &v));
  CHECK_NEAR(c, value_trace(&h, &gpomdp, 0, &v), 2.751301928566925, 1e-12, 0);
  CHECK(c, !pgb_oracle_state_baseline(h.oracle, &reinforce, PGB_STATE_OPTIMAL, &v));
  pgb_arena_destroy(h.arena);
}

/* gae with V/2: exact bias. */
static void golden_bias(checks *c) {
  held h = example();
  double j, g[4], half[6], mean[4], var[4];
  const double bias[] = {-0.01642247353193138, 0.01642247353193116, -0.01021429560969811,
                         0.01021429560969811};
  const pgb_gae params = {.lambda = 0.5};
  pgb_value v;
  open_oracle(c, &h);
  CHECK(c, pgb_oracle_gradient(h.oracle, &j, g));
  CHECK(c, pgb_oracle_value(h.oracle, &v));
  for (size_t i = 0; i < 6; i++)
    half[i] = v.table[i] / 2;
  v.table = half;
  const pgb_pair pair = {
      .estimator = &gae, .estimator_params = &params, .baseline = &value_baseline, .value = &v};
  for (int again = 0; again < 2; again++) { /* the second answer is the kept one */
    CHECK(c, pgb_oracle_moments(h.oracle, &pair, 1, mean, var));
    CHECK_NEAR(c, sum(var, 4), 2.222471249013001, 1e-12, 0);
    for (size_t k = 0; k < 4; k++)
      CHECK_NEAR(c, mean[k] - g[k], bias[k], 1e-10, 0);
  }
  pgb_arena_destroy(h.arena);
}

static void random_case(checks *c, uint64_t seed) {
  static const pgb_estimator_class *const estimators[] = {&reinforce, &gpomdp, &undiscounted, &gae};
  const bool noisy = seed % 2 == 0;
  held h = {.f = {.s = 1 + seed % 3,
                  .a = 2 + seed / 3 % 2,
                  .t = 1 + seed / 2 % 3,
                  .gamma = seed % 7 == 0 ? 1 : 0.85}};
  double table[MAX_T * MAX_S];
  random_finite(&h.f, seed, false);
  for (size_t k = 0; noisy && k < h.f.s * h.f.a; k++) /* mdp has one noise for all */
    h.f.sd[k] = 0.6;
  for (uint32_t i = 0; i < MAX_T * MAX_S; i++)
    table[i] = between(seed, 500 + i, -2, 2);
  open_oracle(c, &h);
  check_problem(c, h.oracle, h.second, h.f.s * h.f.a);
  for (size_t i = 0; i < 4; i++) {
    const wanted plain = {.estimator = estimators[i], .lambda = 0.6};
    const wanted valued = {.estimator = estimators[i], .lambda = 0.6, .value = table};
    check_single(c, h.oracle, h.second, &h.f, &plain, seed);
    check_single(c, h.oracle, h.second, &h.f, &valued, seed);
  }
  pgb_arena_destroy(h.arena);
}

static void random_batch_case(checks *c, uint64_t seed, size_t steps, bool noisy, size_t most) {
  static const pgb_estimator_class *const estimators[] = {&reinforce, &gpomdp, &undiscounted, &gae};
  held h = {.f = {.s = 2, .a = 2, .t = steps, .gamma = 0.8}};
  random_finite(&h.f, seed, false);
  for (size_t k = 0; noisy && k < 4; k++)
    h.f.sd[k] = 0.7;
  open_oracle(c, &h);
  for (size_t i = 0; i < 4; i++) {
    const wanted w = {.estimator = estimators[i], .lambda = 0.6};
    check_batches(c, h.oracle, h.second, &h.f, &w, most);
  }
  pgb_arena_destroy(h.arena);
}

/* The optimum of the trace over b_t(s): moving any entry adds Z e^2, whatever its sign; and the b(s) of all
 * steps is the best of its kind. */
static void optimum(checks *c, uint64_t seed) {
  held h = {.f = {.s = 3, .a = 2, .t = 3, .gamma = 0.9}};
  pgb_value v;
  double table[9], single[9];
  random_finite(&h.f, seed, false);
  open_oracle(c, &h);
  for (int i = 0; i < 2; i++) {
    const pgb_estimator_class *estimator = i == 0 ? &gpomdp : &undiscounted;
    CHECK(c, pgb_oracle_state_baseline(h.oracle, estimator, PGB_STATE_OPTIMAL, &v));
    const double best = value_trace(&h, estimator, 0, &v);
    memcpy(table, v.table, sizeof table);
    v.table = table;
    for (size_t at = 0; at < 9; at++) {
      const double kept = table[at];
      table[at] = kept + 0.25;
      const double up = value_trace(&h, estimator, 0, &v) - best;
      table[at] = kept - 0.25;
      const double down = value_trace(&h, estimator, 0, &v) - best;
      table[at] = kept;
      CHECK(c, up > 0);
      CHECK_NEAR(c, up, down, 1e-8, 1e-12);
    }
    const pgb_tabular_problem raw = {.states = 3,
                                     .actions = 2,
                                     .horizon = 3,
                                     .gamma = 0.9,
                                     .theta = h.f.theta,
                                     .transition = h.f.transition,
                                     .reward = h.f.reward,
                                     .noise2 = h.f.sd,
                                     .start = h.f.start};
    pgb_tabular *inner = NULL;
    CHECK_OK(c, pgb_tabular_open(&raw, h.arena, &inner));
    CHECK(c, pgb_tabular_optimal_state(inner, estimator, single));
    v.table = single;
    const double stationary = value_trace(&h, estimator, 0, &v);
    CHECK(c, stationary >= best);
    for (size_t s = 0; s < 3; s++)
      for (int side = -1; side <= 1; side += 2) {
        double moved[9];
        memcpy(moved, single, sizeof moved);
        for (size_t t = 0; t < 3; t++)
          moved[t * 3 + s] += 0.1 * side;
        v.table = moved;
        CHECK(c, value_trace(&h, estimator, 0, &v) > stationary);
      }
    CHECK(c, pgb_tabular_score_weighted_state(inner, estimator, single));
    v.table = single;
    CHECK(c, value_trace(&h, estimator, 0, &v) >= stationary);
  }
  pgb_arena_destroy(h.arena);
}

/* A value given as features is the table that it evaluates to; a value of another problem is refused. */
static void features(checks *c) {
  held h = example();
  double coefficient[6], table[6];
  for (uint32_t i = 0; i < 6; i++)
    coefficient[i] = between(3, i, -1, 1);
  open_oracle(c, &h);
  pgb_value v = {
      .kind = PGB_VALUE_FEATURES, .horizon = 3, .n_obs = 1, .n_contexts = 2, .coefficient = coefficient};
  for (size_t t = 0; t < 3; t++)
    for (size_t s = 0; s < 2; s++) {
      const double u = (double)t / 100;
      table[t * 2 + s] = coefficient[s] + coefficient[2] * u + coefficient[3] * u * u +
                         coefficient[4] * u * u * u + coefficient[5];
    }
  pgb_value same = {.kind = PGB_VALUE_TABLE, .horizon = 3, .n_obs = 1, .n_contexts = 2, .table = table};
  CHECK_NEAR(c, value_trace(&h, &gae, 0.3, &v), value_trace(&h, &gae, 0.3, &same), 1e-13, 0);
  same.n_contexts = 3;
  CHECK(c, isnan(value_trace(&h, &gae, 0.3, &same)));
  pgb_arena_destroy(h.arena);
}

/* Rewards far from zero must not cost digits where the baseline takes them off: the optimal constant moves
 * with the offset and the variance at it stays. */
static void offset(checks *c) {
  double before = 0;
  for (int i = 0; i < 2; i++) {
    held h = example();
    double b[4];
    h.f.t = 3;
    h.f.gamma = 1;
    for (size_t k = 0; k < 4 && i == 1; k++)
      h.f.reward[k] += 1e6;
    open_oracle(c, &h);
    CHECK(c, pgb_oracle_constant(h.oracle, &reinforce, false, b));
    const double now = constant_trace(&h, &reinforce, b[0]);
    if (i == 1)
      CHECK_NEAR(c, now, before, 1e-8, 0);
    before = now;
    pgb_arena_destroy(h.arena);
  }
}

/* A larger problem, where nothing can be enumerated: gpomdp with V pairs visits, gae with lambda = 1 carries
 * tables backwards, and both are the same estimator; so are gpomdp and its undiscounted variant at gamma = 1.
 */
static void two_methods(checks *c, size_t states, size_t actions, size_t steps) {
  enum { MOST = 100000 };
  const size_t pairs = states * actions;
  double *room = calloc(3 * pairs + pairs * states + states, sizeof *room);
  double *answer = calloc(4 * pairs, sizeof *answer);
  const pgb_gae params = {.lambda = 1};
  pgb_arena *arena = NULL;
  pgb_tabular *o = NULL;
  pgb_value v;
  CHECK(c, room != NULL && answer != NULL);
  double *theta = room, *reward = room + pairs, *noise2 = room + 2 * pairs, *start = room + 3 * pairs;
  double *transition = start + states;
  for (size_t k = 0; k < pairs; k++) {
    theta[k] = between(9, (uint32_t)k, -1, 1);
    reward[k] = between(9, (uint32_t)(k + MOST), -1, 1);
    noise2[k] = 0.1;
    for (size_t j = 0; j < 3; j++) /* three places to go: sparse rows */
      transition[k * states + (size_t)(uniform(9, (uint32_t)(3 * k + j + 2 * MOST)) * (double)states)] +=
          1.0 / 3;
  }
  start[0] = 1;
  const pgb_tabular_problem raw = {.states = states,
                                   .actions = actions,
                                   .horizon = steps,
                                   .gamma = 0.97,
                                   .theta = theta,
                                   .transition = transition,
                                   .reward = reward,
                                   .noise2 = noise2,
                                   .start = start};
  CHECK_OK(c, pgb_arena_create(&arena));
  CHECK_OK(c, pgb_tabular_open(&raw, arena, &o));
  CHECK(c, pgb_tabular_value(o, &v));
  pgb_pair pair = {
      .estimator = &gpomdp, .estimator_params = &params, .baseline = &value_baseline, .value = &v};
  CHECK(c, pgb_tabular_moments(o, &pair, 1, answer, answer + pairs));
  pair.estimator = &gae;
  CHECK(c, pgb_tabular_moments(o, &pair, 1, answer + 2 * pairs, answer + 3 * pairs));
  for (size_t i = 0; i < 2 * pairs; i++)
    CHECK_NEAR(c, answer[i], answer[i + 2 * pairs], 1e-9, 1e-14);
  pgb_arena_destroy(arena);
  free(room);
  free(answer);
}

int main(void) {
  checks c = {0};
  golden(&c);
  golden_bias(&c);
  features(&c);
  offset(&c);
  for (uint64_t seed = 1; seed <= 42; seed++)
    random_case(&c, seed);
  for (uint64_t seed = 1; seed <= 4; seed++) {
    random_batch_case(&c, seed, 2, false, 4);
    random_batch_case(&c, seed + 50, 2, true, 2);
    random_batch_case(&c, seed + 100, 3, false, 2);
    optimum(&c, seed);
  }
  random_batch_case(&c, 200, 3, false, 3);
  random_batch_case(&c, 201, 2, true, 3);
  two_methods(&c, 17, 3, 12);
  two_methods(&c, 30, 4, 40);
  return check_end(&c, "oracle_mdp");
}
