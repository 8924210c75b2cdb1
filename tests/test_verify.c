/* SPDX-License-Identifier: MIT */
/* The second methods against published figures, which no oracle of ours has touched; the instances of verify;
 * and verify itself in small. That it convicts is tests/convict.sh's part. */
#include "check.h"

#include "oracle/second.h"
#include "study/verify.h"
#include "study/verify_parts.h"

#include <stdlib.h>

typedef struct opened {
  pgb_study *study;
  pgb_arena *arena;
  pgb_plan plan;
  pgb_second *second;
} opened;

static opened open_text(checks *c, const char *text) {
  opened o = {NULL, NULL, {0}, NULL};
  pgb_isa isa;
  CHECK_OK(c, pgb_isa_parse("none", &isa));
  const pgb_request request = {.study = "test", .text = text, .isa = isa};
  CHECK_OK(c, pgb_study_resolve(&request, &o.study));
  CHECK_OK(c, pgb_arena_create(&o.arena));
  CHECK_OK(c, pgb_plan_create(o.study, 0, isa, NULL, o.arena, &o.plan));
  CHECK_OK(c, pgb_second_open(&o.plan.problem, o.arena, &o.second));
  CHECK(c, o.second != NULL);
  return o;
}

static void close_text(opened *o) {
  pgb_arena_destroy(o->arena);
  pgb_study_destroy(o->study);
}

/* Sum of the variances times the batch of one pair of the study, or of component k alone; NaN where unknown.
 */
static double spread(const opened *o, const char *estimator, const char *baseline, size_t batch,
                     int component) {
  double mean[16], variance[16], sum = 0;
  for (size_t at = 0; at < o->plan.n_pairs; at++) {
    const pgb_study_estimator *e = &o->study->estimators[at / o->study->n_baselines];
    const pgb_pair pair = {.estimator = e->class_,
                           .estimator_params = e->params,
                           .baseline = o->study->baselines[at % o->study->n_baselines],
                           .value = o->plan.pairs[at].value,
                           .constant = o->plan.pairs[at].constant};
    if (strcmp(e->class_->name, estimator) != 0 || strcmp(pair.baseline->name, baseline) != 0)
      continue;
    if (!pgb_second_moments(o->second, &pair, batch, mean, variance))
      return (double)NAN;
    for (size_t k = 0; k < o->plan.problem.n_theta; k++)
      sum += component < 0 || (size_t)component == k ? variance[k] : 0;
  }
  return sum;
}

#define SPREAD(o, e, b, n) spread((o), (e), (b), (n), -1)

static void bandit(checks *c) {
  static const double grad[] = {-0.2578647681009732, -0.25774203085378705, -0.1489404239154938,
                                0.6645472228702538};
  opened o = open_text(c, "env: {name: bandit, mean: [1, 2, 3, 5], noise: [0.5, 0, 1, 0.25]}\n"
                          "policy: {name: softmax-tabular, theta: [0, 0.5, 1, 1.5]}\n");
  double j = 0, g[4] = {0};
  CHECK(c, pgb_second_gradient(o.second, &j, g));
  CHECK_NEAR(c, j, 3.539630722385276, 1e-13, 0);
  for (size_t k = 0; k < 4; k++)
    CHECK_NEAR(c, g[k], grad[k], 1e-11, 0);
  CHECK_NEAR(c, SPREAD(&o, "reinforce", "none", 1), 7.022892996121757, 1e-13, 0);
  CHECK_NEAR(c, SPREAD(&o, "gpomdp", "optimal", 1), 1.023752168736991, 1e-12, 0);
  CHECK_NEAR(c, SPREAD(&o, "reinforce", "optimal-component", 1), 0.5305564102750169, 1e-12, 0);
  CHECK_NEAR(c, SPREAD(&o, "reinforce", "loo", 8), 0.19525214749903957, 1e-12, 0);
  CHECK_NEAR(c, SPREAD(&o, "gae", "value", 8), 0.15512892533487158, 1e-12, 0);
  CHECK(c, isnan(SPREAD(&o, "reinforce", "normalised", 2))); /* two points are no law of a ratio */
  CHECK(c, isnan(SPREAD(&o, "reinforce", "loo", 64)));       /* too many batches */
  close_text(&o);
}

static void gaussian(checks *c) {
  opened o = open_text(c, "env: {name: gaussian, curvature: 1.7, target: 0, noise: 0.4}\n"
                          "policy: {name: gaussian-linear, theta: [0.8], sigma: 0.6, learn_sigma: true}\n");
  double j = 0, g[2] = {0};
  CHECK(c, pgb_second_gradient(o.second, &j, g));
  CHECK_NEAR(c, g[0], -1.36, 1e-6, 0); /* theta is rounded to float32 */
  CHECK_NEAR(c, spread(&o, "reinforce", "none", 1, 0), 11.641588889, 1e-6, 0);
  CHECK_NEAR(c, spread(&o, "reinforce", "value", 1, 0), 6.744644444, 1e-6, 0);
  CHECK_NEAR(c, spread(&o, "gpomdp", "value", 1, 1), 12.222176, 1e-6, 0);
  CHECK_NEAR(c, spread(&o, "gpomdp", "optimal-component", 1, 1), 9.225824, 1e-6, 0);
  close_text(&o);
}

static void mdp(checks *c) {
  opened o = open_text(c, "gamma: 0.9\n"
                          "env: {name: mdp, horizon: 3, noise: 0.5, start: [0.6, 0.4],\n"
                          "  transition: [[[0.8, 0.2], [0.3, 0.7]], [[0.5, 0.5], [0.1, 0.9]]],\n"
                          "  reward: [[1, 0], [-1, 2]]}\n"
                          "policy: {name: softmax-tabular, theta: [0.2, -0.3, 0.5, 0]}\n"
                          "estimators: [reinforce, gpomdp, {name: gae, lambda: 0.5}]\n");
  double j = 0, g[4] = {0};
  CHECK(c, pgb_second_gradient(o.second, &j, g));
  CHECK_NEAR(c, j, 1.0676758644154287, 1e-7, 0);
  CHECK_NEAR(c, g[0], 0.40182083831070003, 1e-7, 0);
  CHECK_NEAR(c, g[3], 0.8522828004083968, 1e-7, 0);
  CHECK_NEAR(c, SPREAD(&o, "reinforce", "none", 1), 9.301641922866459, 1e-7, 0);
  CHECK_NEAR(c, SPREAD(&o, "reinforce", "optimal", 1), 6.243293848270433, 1e-7, 0);
  CHECK_NEAR(c, SPREAD(&o, "gpomdp", "none", 1), 4.5759755678057115, 1e-7, 0);
  CHECK_NEAR(c, SPREAD(&o, "gpomdp", "value", 1), 3.3728626336007803, 1e-7, 0);
  CHECK_NEAR(c, SPREAD(&o, "gpomdp", "optimal-state-time", 1), 2.751301928566925, 1e-7, 0);
  CHECK_NEAR(c, SPREAD(&o, "gae", "value", 1), 2.046690247651093, 1e-7, 0);
  close_text(&o);
}

static void lqr(checks *c) {
  opened o = open_text(
      c, "gamma: 0.95\n"
         "env: {name: lqr, horizon: 4, A: [[1, 0.2], [0, 0.9]], B: [[0.1], [0.5]],\n"
         "  Q: [[1, 0], [0, 0.3]], R: [[0.2]], W: [[0.02, 0], [0, 0.05]], S0: [[1, 0.2], [0.2, 0.5]]}\n"
         "policy: {name: gaussian-linear, theta: [0.4, 0.6], sigma: 0.5477225575051661}\n");
  double j = 0, g[2] = {0};
  CHECK(c, pgb_second_gradient(o.second, &j, g));
  CHECK_NEAR(c, j, -4.3539, 0, 5e-5);
  CHECK_NEAR(c, g[0], 0.6933, 0, 5e-5);
  CHECK_NEAR(c, g[1], 0.2384, 0, 5e-5);
  CHECK_NEAR(c, SPREAD(&o, "reinforce", "none", 1), 3086.82345, 1e-6, 0);
  CHECK_NEAR(c, SPREAD(&o, "reinforce", "optimal", 1), 1306.24513, 1e-6, 0);
  CHECK_NEAR(c, SPREAD(&o, "reinforce", "loo", 4), 509.9007, 1e-6, 0);
  CHECK_NEAR(c, SPREAD(&o, "gpomdp", "none", 1), 1436.47429, 1e-6, 0);
  CHECK_NEAR(c, SPREAD(&o, "gpomdp", "value", 1), 20.20879, 1e-6, 0);
  CHECK_NEAR(c, SPREAD(&o, "gpomdp-undiscounted", "value", 1), 20.8835, 1e-5, 0);
  close_text(&o);
}

/* gamma = 1, T = 3: T zeta + T (T-1)/2 F v - T C^2 for reward-to-go with V, per component of the bandit
 * above. */
static void chain(checks *c) {
  static const double theta[] = {0, 0.5, 1, 1.5}, r[] = {1, 2, 3, 5}, sd[] = {0.5, 0, 1, 0.25};
  opened o =
      open_text(c, "gamma: 1\nenv: {name: chain, mean: [1, 2, 3, 5], noise: [0.5, 0, 1, 0.25], horizon: 3}\n"
                   "policy: {name: softmax-tabular, theta: [0, 0.5, 1, 1.5]}\n");
  double pi[4], all = 0, mu = 0, v = 0, trace = 0;
  for (size_t a = 0; a < 4; a++)
    all += pi[a] = exp(theta[a]);
  for (size_t a = 0; a < 4; a++)
    mu += (pi[a] /= all) * r[a];
  for (size_t a = 0; a < 4; a++)
    v += pi[a] * ((r[a] - mu) * (r[a] - mu) + sd[a] * sd[a]);
  for (size_t k = 0; k < 4; k++) {
    double zeta = 0, f = 0;
    const double g = pi[k] * (r[k] - mu);
    for (size_t a = 0; a < 4; a++) {
      const double s = (a == k ? 1 : 0) - pi[k];
      zeta += pi[a] * s * s * ((r[a] - mu) * (r[a] - mu) + sd[a] * sd[a]);
      f += pi[a] * s * s;
    }
    trace += 3 * zeta + 3 * f * v - 3 * g * g;
  }
  CHECK_NEAR(c, SPREAD(&o, "gpomdp", "value", 1), trace, 1e-12, 0);
  close_text(&o);
}

/* Any seed gives studies that resolve, the same ones each time; the exact answers of a few agree. */
static void instances(checks *c) {
  pgb_isa isa;
  CHECK_OK(c, pgb_isa_parse("none", &isa));
  for (uint64_t seed = 0; seed < 40; seed++)
    for (size_t i = 0; i < pgb_verify_count(); i++) {
      pgb_arena *arena = NULL;
      pgb_study *study = NULL;
      pgb_verify_instance one, again, other;
      double slots[PGB_VERIFY_SLOTS] = {0};
      CHECK_OK(c, pgb_arena_create(&arena));
      CHECK_OK(c, pgb_verify_instance_at(seed, i, arena, &one));
      CHECK_OK(c, pgb_verify_instance_at(seed, i, arena, &again));
      CHECK_OK(c, pgb_verify_instance_at(seed + 1, i, arena, &other));
      CHECK(c, strcmp(one.text, again.text) == 0);
      CHECK(c, strcmp(one.text, other.text) != 0);
      const pgb_request request = {.study = "verify", .text = one.text, .isa = isa};
      CHECK_OK(c, pgb_study_resolve(&request, &study));
      if (seed % 10 == 0 && study != NULL) {
        CHECK_OK(c, pgb_verify_exact(study, isa, slots));
        CHECK(c, (pgb_verify_what)slots[PGB_VERIFY_FAILED] == PGB_VERIFY_NOTHING);
        CHECK(c, slots[PGB_VERIFY_KNOWN] > 50);
      }
      pgb_study_destroy(study);
      pgb_arena_destroy(arena);
    }
}

typedef struct rows {
  checks *c;
  size_t n, compared;
} rows;

static void on_row(void *self, const pgb_verify_row *row) {
  rows *r = self;
  r->n++;
  r->compared += row->compared;
  CHECK(r->c, row->ok && row->failure[0] == '\0');
  CHECK(r->c, row->known >= row->compared && row->episodes == 14 * 128);
  CHECK(r->c, row->compared == 0 ? isnan(row->difference) : row->difference < PGB_VERIFY_TOLERANCE);
}

static void whole(checks *c) {
  rows r = {.c = c};
  pgb_verify_result result;
  pgb_comm *comm = NULL;
  pgb_verify_options options = {.seed = 11, .replicates = 128, .self = &r, .row = on_row};
  CHECK_OK(c, pgb_isa_parse("auto", &options.isa));
  CHECK_OK(c, pgb_comm_create(NULL, NULL, &comm));
  CHECK_OK(c, pgb_verify(&options, comm, &result));
  CHECK(c, result.valid && strncmp(result.text, "VALID: ", 7) == 0);
  CHECK(c, result.rows == pgb_verify_count() && r.n == result.rows && r.compared == result.compared);
  pgb_comm_destroy(comm);
}

/* A row says what failed. */
static void failure(checks *c) {
  opened o =
      open_text(c, "env: {name: bandit, mean: [1, 2]}\npolicy: {name: softmax-tabular, theta: [0, 0.5]}\n");
  double slots[PGB_VERIFY_SLOTS] = {0};
  pgb_verify_row row = {.problem = "bandit"};
  slots[PGB_VERIFY_KNOWN] = slots[PGB_VERIFY_COMPARED] = 3;
  slots[PGB_VERIFY_DIFFERENCE] = 0.5;
  slots[PGB_VERIFY_METHOD] = 1;
  slots[PGB_VERIFY_FAILED] = PGB_VERIFY_VARIANCE;
  slots[PGB_VERIFY_FAIL_PAIR] = 1;
  slots[PGB_VERIFY_FAIL_BATCH] = 2;
  slots[PGB_VERIFY_FAIL_COMPONENT] = 1;
  slots[PGB_VERIFY_FAIL_ORACLE] = 1;
  slots[PGB_VERIFY_FAIL_SECOND] = 2;
  pgb_verify_exact_row(o.study, slots, &row);
  CHECK(c, !row.ok);
  CHECK(c,
        strcmp(row.failure,
               "reinforce mean batch 2: variance of theta[0,1] is 1 by the oracle, 2 by enumeration") == 0);
  close_text(&o);
}

int main(void) {
  checks c = {0};
  bandit(&c);
  gaussian(&c);
  mdp(&c);
  lqr(&c);
  chain(&c);
  instances(&c);
  failure(&c);
  whole(&c);
  return check_end(&c, "verify");
}
