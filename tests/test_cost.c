/* SPDX-License-Identifier: MIT */
/* The cost models against counts made by hand for small cells, and predictions that are sound numbers. How
 * near a prediction comes to the truth is a matter of the machine, and no matter for a test. */
#include "study/cost.h"

#include "kernels.h"
#include "study/predict.h"

typedef struct bench {
  pgb_study *study;
  pgb_arena *arena;
  pgb_plan plan;
} bench;

static int bench_open(checks *c, bench *b, const char *text) {
  *b = (bench){.study = kernel_study(c, text, PGB_ISA_NONE)};
  CHECK_OK(c, pgb_arena_create(&b->arena));
  if (b->study == NULL || b->arena == NULL)
    return 0;
  CHECK_OK(c, pgb_plan_create(b->study, 0, PGB_ISA_NONE, NULL, b->arena, &b->plan));
  return b->plan.n_pairs > 0;
}

static void bench_close(bench *b) {
  pgb_arena_destroy(b->arena);
  pgb_study_destroy(b->study);
}

static void is(checks *c, pgb_cost cost, double flops, double bytes, double words) {
  CHECK_NEAR(c, cost.flops, flops, 0, 0);
  CHECK_NEAR(c, cost.bytes, bytes, 0, 0);
  CHECK_NEAR(c, cost.words, words, 0, 0);
}

/* Two arms without noise: nothing to compute in the environment. Softmax of two: 2 differences from the
 * largest, 2 exp of 20, 2 + 2 sums, 1 level, 2 quotients, 2 complements, and a uniform (2) times the sum. */
static void test_bandit(checks *c) {
  bench b;
  if (!bench_open(
          c, &b,
          "{env: {name: bandit, mean: [0, 1]}, estimators: reinforce, baselines: [none, loo], batch: [4], "
          "replicates: 2}"))
    return;
  const pgb_actor *a = &b.study->cells[0].actor;
  is(c, pgb_cost_env(a), 0, 4 + 4 + 4 * 3 + 1, 0);
  is(c, pgb_cost_policy(a), 2 + 2 * 20 + 4 + 1 + 2 + 2 + 2 + 1, 4 * (2 + 1 + 2), 1);
  is(c, pgb_cost_reset(a), 0, 4, 0);
  /* Both have one row, of ones: twice 1 product and 1 sum; REINFORCE's A is R times it, which loo uses as R
   * S. */
  const pgb_pair_cost none = pgb_cost_pair(b.study, 0, &b.plan, 0);
  const pgb_pair_cost loo = pgb_cost_pair(b.study, 0, &b.plan, 1);
  is(c, none.step, 4, 8 + 5 + 4 + 4 + 5 + 4 * 3, 0);
  is(c, loo.step, 4, 8 + 5 + 4 + 4 + 5 + 4 * 3, 0);
  CHECK_NEAR(c, none.episode.flops, 4, 0, 0);         /* into the sum of R S */
  CHECK_NEAR(c, loo.episode.flops, 2 + 4, 0, 0);      /* and of S */
  CHECK_NEAR(c, loo.batch.flops, 2 * (4 + 12), 0, 0); /* (A - (R S' - RS) / (n - 1)) / n, and the moments */
  const pgb_cell_cost all = pgb_cost_cell(b.study, 0, &b.plan);
  CHECK(c, all.n_rows == 1);
  CHECK_NEAR(c, all.step.flops, 54 + 2 + 4, 0, 0);
  const pgb_cost each = pgb_cost_per_step(&all, 4, 1);
  CHECK_NEAR(c, each.flops, all.step.flops + all.episode.flops + all.batch.flops / 4, 1e-15, 0);
  CHECK_NEAR(c, each.words, 1, 0, 0);
  bench_close(&b);
}

/* a = theta x + sigma eps, r = -(h/2) |a - c x|^2 + noise: a product, a difference, a square, a sum, times
 * -h/2; one pair of normals of 60 and a product and a sum for the noise. */
static void test_gaussian(checks *c) {
  bench b;
  if (!bench_open(
          c, &b,
          "{env: {name: gaussian, noise: 1, context: normal}, policy: {name: gaussian-linear, learn_sigma: "
          "true}, estimators: gpomdp, baselines: [none, value-linear], batch: [2], replicates: 2}"))
    return;
  const pgb_actor *a = &b.study->cells[0].actor;
  is(c, pgb_cost_env(a), 5 + 62, 4 * (1 + 1 + 3) + 1, 2);
  is(c, pgb_cost_reset(a), 60, 4, 2);
  /* The normals; mean 2, action 2, score 1; eps^2 - 1. */
  is(c, pgb_cost_policy(a), 60 + 5 + 2, 4 * (2 + 1 + 2), 2);
  /* gamma^t, its product with G; w psi for two deltas, one of them times x: 2 + 2 + 2, the other added: 1. */
  is(c, pgb_cost_pair(b.study, 0, &b.plan, 0).step, 2 + 2 + 2 + 1, 8 + 5 + 4 + 4 + 5 + 4 * 3, 0);
  /* G - V besides; V: u by one quotient, three products and three sums, and o (c1 + o c2), added. */
  is(c, pgb_cost_pair(b.study, 0, &b.plan, 1).step, 7 + 1 + 7 + 4, 38 + 4 + 16, 0);
  bench_close(&b);
}

static void test_environments(checks *c) {
  const struct {
    const char *text;
    double flops, words, reset_flops, reset_words;
  } cases[] = {
      {"env: cartpole", 26 + 5 + 9 + 4 + 8, 0, 16, 4},
      {"env: {name: mdp, noise: 0.5}", 62, 3, 0, 1},
      {"env: {name: mdp}", 0, 1, 0, 1},
      {"env: {name: chain, noise: 1}", 62, 2, 0, 0},
      /* 2 states, 1 action: x'Qx 8 + 4, u'Ru 2 + 2, A x 8, B u 4; w = L z: 60 + 3 * 2 */
      {"env: {name: lqr, W: [[1, 0], [0, 1]]}", 12 + 4 + 8 + 4 + 66, 2, 66, 2},
      {"env: {name: lqr, start: [1, 2]}", 12 + 4 + 8 + 4, 0, 66, 2} /* drawn, and multiplied by 0 */,
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    pgb_study *study = kernel_study(c, cases[i].text, PGB_ISA_NONE);
    if (study == NULL)
      continue;
    const pgb_actor *a = &study->cells[0].actor;
    CHECK_NEAR(c, pgb_cost_env(a).flops, cases[i].flops, 0, 0);
    CHECK_NEAR(c, pgb_cost_env(a).words, cases[i].words, 0, 0);
    CHECK_NEAR(c, pgb_cost_reset(a).flops, cases[i].reset_flops, 0, 0);
    CHECK_NEAR(c, pgb_cost_reset(a).words, cases[i].reset_words, 0, 0);
    pgb_study_destroy(study);
  }
}

/* 4 - 64 - 64 - 2 and back, by hand: forward 2 (4 64 + 64 64 + 64 2) and 128 tanh of 19, back 2 (64 64 + 64
 * 2) and 128 times 1 - h^2; softmax of two 54. A row: 8960 products and sums, 130 deltas weighted and summed.
 */
static void test_network(checks *c) {
  struct {
    const char *hidden, *activation;
  } params = {"64x64", "tanh"};
  const pgb_option options[] = {{.name = "hidden", .at = 0}, {.name = "activation", .at = sizeof(char *)}};
  const pgb_policy_class class_ = {.name = "softmax-mlp", .options = options, .n_options = 2};
  pgb_actor a = {.policy = &class_,
                 .policy_params = &params,
                 .space = {.n_obs = 4, .n_act = 1, .n_choices = 2},
                 .shape = {.n_delta = 2, .words = 1}};
  const pgb_estimator_class *reinforce = pgb_estimator_find(PGB_ISA_NONE, "reinforce");
  const pgb_study_estimator estimator = {.class_ = reinforce};
  const pgb_study study = {.estimators = &estimator, .n_estimators = 1};
  const pgb_row row = {.kind = PGB_ROW_PLAIN};
  CHECK_NEAR(c, pgb_cost_policy(&a).flops, 8960 + 128 * 19 + 8448 + 128 * 3 + 54, 0, 0);
  CHECK_NEAR(c, pgb_cost_row(&study, &a, &row).flops, 8960 + 2 * 130, 0, 0);
  params.activation = "relu";
  params.hidden = "3";
  CHECK_NEAR(c, pgb_cost_policy(&a).flops, 2 * (12 + 6) + 2 * 6 + 54, 0, 0);
}

/* Every class has its counts, and the words are those that it declares. */
static void test_every_class_is_counted(checks *c) {
  for (const pgb_env_class *const *e = pgb_env_table(PGB_ISA_NONE); *e != NULL; e++) {
    char text[128];
    (void)snprintf(text, sizeof text, "{env: %s, batch: [2], replicates: 2, pilot: 8}", (*e)->name);
    bench b;
    if (!bench_open(c, &b, text))
      continue;
    const pgb_cell_cost cost = pgb_cost_cell(b.study, 0, &b.plan);
    const pgb_actor *a = &b.study->cells[0].actor;
    CHECK(c, isfinite(cost.step.flops) && cost.step.flops > 0);
    CHECK(c, cost.step.words == (double)(a->space.step_words + a->shape.words));
    CHECK(c, cost.n_rows == b.plan.n_rows);
    bench_close(&b);
  }
}

/* One cell after the other, at any size: the sampled pieces fit the study, the figures are sound, and the
 * steps of problems of fixed length are exact. */
static void test_predictions(checks *c) {
  const struct {
    const char *text;
    double steps;
  } cases[] = {
      {"{env: bandit, batch: [1, 3], replicates: 2, pilot: 8}", 8},
      {"{env: {name: chain, horizon: 7}, batch: [200], replicates: 600, pilot: 8}", 200 * 600 * 7},
      {"{env: [{name: cartpole, horizon: 9}, lqr], baselines: [none, time-mean], batch: [100000], "
       "replicates: 3, "
       "pilot: 8}",
       NAN},
  };
  pgb_comm *comm = NULL;
  CHECK_OK(c, pgb_comm_create(NULL, NULL, &comm));
  for (size_t i = 0; i < sizeof cases / sizeof *cases && comm != NULL; i++) {
    pgb_study *study = kernel_study(c, cases[i].text, kernel_isa());
    pgb_arena *arena = NULL;
    pgb_cell_timing *timing = NULL;
    CHECK_OK(c, pgb_arena_create(&arena));
    if (study != NULL && arena != NULL) {
      CHECK_OK(c, pgb_timing_create(study, arena, &timing));
      CHECK_OK(c, pgb_predict(study, &(pgb_share){.n = 0}, kernel_isa(), comm, timing));
      const pgb_predicted p = pgb_predicted_total(timing, study->n_cells);
      CHECK(c, isfinite(p.seconds) && p.seconds > 0 && p.other_seconds >= 0 && p.other_seconds < p.seconds);
      CHECK(c, p.steps > 0 && p.steps_per_second == p.steps / p.seconds);
      if (!isnan(cases[i].steps))
        CHECK_NEAR(c, p.steps, cases[i].steps, 1e-12, 0);
      CHECK(c, timing[0].step_words >= timing[0].cost.step.words && isnan(timing[0].seconds));
    }
    pgb_arena_destroy(arena);
    pgb_study_destroy(study);
  }
  pgb_comm_destroy(comm);
}

int main(void) {
  checks c = {0, 0};
  test_bandit(&c);
  test_gaussian(&c);
  test_environments(&c);
  test_network(&c);
  test_every_class_is_counted(&c);
  test_predictions(&c);
  return check_end(&c, "cost");
}
