/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "estimator/gae.h"
#include "oracle_lqr.h"

static const pgb_estimator_class reinforce = {.name = "reinforce"};
static const pgb_estimator_class gpomdp = {.name = "gpomdp"};
static const pgb_estimator_class gae = {.name = "gae"};
static const pgb_baseline_class value_baseline = {.name = "value", .kind = PGB_BASELINE_VALUE};

/* Where the loop is unstable, values are many orders larger than what noise changes of them. Figures for
 * gpomdp with V^pi by rational arithmetic, in which r + gamma V' - V can be formed of its parts. */
static void check_unstable(checks *c) {
  static const struct {
    double a, w, s0;
    size_t horizon;
    double mean, variance;
  } exact[] = {
      {3, 0.25, 1, 4, -9256.5104360580444, 190338959.04388019},
      {3, 0.25, 1, 20, -1.549296633258793e+20, 2.4748449170532743e+40},
      {3, 0.25, 1, 30, -1.0702648601327935e+30, 1.0714244340674049e+60},
      {3, 0, 0, 20, -1.2349000699976465e+20, 2.0688826844411114e+39},
      {3, 0, 0, 30, -8.5301308320764281e+29, 7.1798084728940622e+58},
      {1000, 0.25, 1, 20, -1.1545523694959563e+113, 4.3935668722770693e+226},
  };
  for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
    instance p = {.n = 1,
                  .m = 1,
                  .horizon = exact[i].horizon,
                  .a = {exact[i].a},
                  .b = {1},
                  .q = {1},
                  .r = {0.5},
                  .w = {exact[i].w},
                  .s0 = {exact[i].s0},
                  .start = {2},
                  .sd = {0.5},
                  .theta = {0.25},
                  .gamma = 0.875};
    subject s;
    pgb_value v;
    double mean;
    double variance;
    finish(&p, false, 1);
    open_subject(c, &p, &s);
    CHECK(c, pgb_oracle_lqr.value(s.state, &v));
    const pgb_pair pair = {.estimator = &gpomdp, .baseline = &value_baseline, .value = &v};
    CHECK(c, pgb_oracle_lqr.moments(s.state, &pair, 1, &mean, &variance));
    CHECK_NEAR(c, mean, exact[i].mean, 1e-12, 0);
    CHECK_NEAR(c, variance, exact[i].variance, 1e-12, 0);
    pgb_arena_destroy(s.arena);
  }
}

/* The same in several dimensions, against the forms: they lose digits in proportion to the growth, not its
 * square. */
static void check_unstable_forms(checks *c) {
  static const double growth[] = {30, 1000, 30000};
  for (uint64_t seed = 0; seed < 12; seed++) {
    instance p;
    subject s;
    pgb_value v;
    double mean[2][MAX_THETA];
    double variance[2][MAX_THETA];
    random_instance(2000 + seed, 1 + seed % 2, 1 + seed / 2 % 2, 3, (int)(seed % 3), false, &p);
    for (size_t i = 0; i < p.n * p.n; i++)
      p.a[i] *= growth[seed % 3];
    open_subject(c, &p, &s);
    CHECK(c, pgb_oracle_lqr.value(s.state, &v));
    for (int gives = 0; gives < 3; gives++) {
      const pgb_gae params = {.lambda = 0.5};
      const pgb_pair pair = {.estimator = gives == 0   ? &reinforce
                                          : gives == 1 ? &gpomdp
                                                       : &gae,
                             .estimator_params = &params,
                             .baseline = &value_baseline,
                             .value = &v};
      CHECK(c, pgb_oracle_lqr.moments(s.state, &pair, 1, mean[0], variance[0]));
      CHECK(c, pgb_second_moments(s.second, &pair, 1, mean[1], variance[1]));
      for (size_t k = 0; k < p.problem.n_theta; k++) {
        CHECK(c, variance[0][k] > 0);
        CHECK_NEAR(c, mean[0][k], mean[1][k], 1e-9, 1e-9 * sqrt(variance[1][k]));
        CHECK_NEAR(c, variance[0][k], variance[1][k], 1e-9, 0);
      }
    }
    pgb_arena_destroy(s.arena);
  }
}

int main(void) {
  checks c = {0, 0};
  check_unstable(&c);
  check_unstable_forms(&c);
  return check_end(&c, "oracle_lqr_unstable");
}
