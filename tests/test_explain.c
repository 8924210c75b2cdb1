/* SPDX-License-Identifier: MIT */
/* The figures of `pgbench explain` against each other, against the oracle, and the errors against their
 * prediction. */
#include "check.h"

#include "cli/cli.h"
#include "cli/explain.h"
#include "core/rng.h"

#include <stdlib.h>

static double between(uint64_t seed, uint32_t i, double low, double high) {
  uint32_t words[4];
  pgb_words(seed, PGB_USE_THETA, 77, 0, 0, i, words);
  return low + (high - low) * (double)pgb_uniform(words[0]);
}

typedef struct asked {
  char env[256], policy[256];
  const char *envs[1], *policies[1];
  pgb_request request;
} asked;

static void ask(asked *a, const char *batch, const char *replicates) {
  a->envs[0] = a->env;
  a->policies[0] = a->policy;
  a->request = (pgb_request){.env = a->envs,
                             .n_env = a->env[0] != '\0',
                             .policy = a->policies,
                             .n_policy = a->policy[0] != '\0',
                             .batch = batch,
                             .replicates = replicates};
}

/* A random instance; noise of the discrete ones is 0.5. */
static void random_problem(pgb_explain_kind kind, uint64_t seed, asked *a) {
  double x[8];
  for (uint32_t i = 0; i < 8; i++)
    x[i] = between(seed, i, -1.5, 1.5);
  if (kind == PGB_EXPLAIN_GAUSSIAN) {
    (void)snprintf(a->env, sizeof a->env, "gaussian:curvature=%.4f,target=%.4f,noise=0.5", fabs(x[0]) + 0.1,
                   x[1]);
    (void)snprintf(a->policy, sizeof a->policy, "gaussian-linear:theta=[%.4f],sigma=%.4f", x[2],
                   fabs(x[3]) + 0.05);
    return;
  }
  (void)snprintf(a->env, sizeof a->env, "%s:mean=[%.4f,%.4f,%.4f],noise=0.5%s", pgb_explain_name(kind),
                 2 + x[0], x[1], x[2], kind == PGB_EXPLAIN_CHAIN ? ",horizon=4" : "");
  (void)snprintf(a->policy, sizeof a->policy, "softmax-tabular:theta=[%.4f,%.4f,%.4f]", x[3], x[4], x[5]);
}

static void check_sums(checks *c, const pgb_explanation *e) {
  const bool grid = e->kind == PGB_EXPLAIN_GAUSSIAN; /* trapezoidal rule at step sigma: aliasing */
  const double scale = fabs(e->gradient) + e->sd[PGB_EXPLAIN_PLAIN], close = (grid ? 1e-6 : 1e-11) * scale;
  CHECK_NEAR(c, e->sums.p, 1, 0, grid ? 1e-7 : 1e-13);
  CHECK_NEAR(c, e->sums.dp, 0, 0, grid ? 1e-7 / e->sigma : 1e-13);
  CHECK_NEAR(c, e->sums.dp_r, e->gradient, 0, close);
  CHECK_NEAR(c, e->sums.p_dlog_r, e->gradient, 0, close + 1e-9 * scale);
  CHECK_NEAR(c, (e->up - e->down) / (2 * e->step), e->gradient, 0, close + 1e-6 * scale);
  CHECK_NEAR(c, (e->up + e->down) / 2, e->j, 1e-5, 1e-5 * scale);
  for (size_t i = 0; i < e->n_terms; i++)
    CHECK_NEAR(c, e->terms[i].p * e->terms[i].dlog, e->terms[i].dp, 1e-8, 1e-14 * scale);
}

/* Variances of one episode without a baseline and with b_0, as sums over the terms; noise 0.5 on each reward.
 */
static void check_spread(checks *c, const pgb_explanation *e) {
  double plain = 0, score = 0, less = 0;
  for (size_t i = 0; i < e->n_terms; i++) {
    const pgb_explain_term *t = &e->terms[i];
    const double weight = t->p * t->dlog * t->dlog, off = t->r - e->b[0];
    plain += weight * (t->r * t->r + 0.25 * (double)e->horizon);
    less += weight * (off * off + 0.25);
    score += weight;
  }
  const double g2 = e->gradient * e->gradient;
  const double close = e->kind == PGB_EXPLAIN_GAUSSIAN ? 3e-3 : 1e-9; /* of the same grid, degree 6 */
  CHECK_NEAR(c, e->sd[PGB_EXPLAIN_PLAIN], sqrt(plain - g2), close, 0);
  if (e->horizon == 1)
    CHECK_NEAR(c, e->sd[PGB_EXPLAIN_BASELINE], sqrt(less - g2), close, 0);
  CHECK(c, score > 0 && e->best_sd <= e->sd[PGB_EXPLAIN_TOGO] * (1 + 1e-12));
}

static void check_pairing(checks *c, const pgb_explanation *e) {
  double sum = 0;
  for (size_t s = 0, at = 0; s < e->horizon; s++)
    for (size_t t = 0; t < e->horizon; t++, at++) {
      sum += e->pairing[at];
      if (s < t)
        CHECK_NEAR(c, e->pairing[at], 0, 0, 1e-11);
    }
  CHECK_NEAR(c, sum, e->gradient, 1e-9, 1e-11);
}

/* 4000 errors: their root mean square is known to about 2 %, for heavy tails less. */
static void check_errors(checks *c, const pgb_explanation *e) {
  for (size_t i = 0; i < e->n_batches; i++)
    for (int way = 0; way < PGB_EXPLAIN_WAYS; way++) {
      const pgb_explain_estimate *x = &e->batches[i].way[way];
      CHECK_NEAR(c, x->predicted, e->sd[way] / sqrt((double)e->batches[i].n), 1e-12, 0);
      CHECK_NEAR(c, x->typical, x->predicted, 0.12, 0);
      CHECK(c, fabs(x->one - e->gradient) < 8 * x->predicted);
    }
  CHECK_NEAR(c, e->batches[0].way[0].typical / e->batches[1].way[0].typical, 4, 0.12, 0);
}

static void random_problems(checks *c) {
  for (uint64_t seed = 1; seed <= 8; seed++)
    for (int kind = 0; kind < PGB_EXPLAIN_KINDS; kind++) {
      asked a = {.env = ""};
      pgb_explanation *e = NULL;
      random_problem((pgb_explain_kind)kind, seed, &a);
      ask(&a, "16,256", "4000");
      CHECK_OK(c, pgb_explain_create((pgb_explain_kind)kind, &a.request, &e));
      if (e == NULL)
        continue;
      check_sums(c, e);
      check_spread(c, e);
      check_errors(c, e);
      if (kind == PGB_EXPLAIN_CHAIN)
        check_pairing(c, e);
      pgb_explain_destroy(e);
    }
}

/* Two arms without noise: a baseline leaves no variance (Greensmith et al. 2004), and the slope is pi0 pi1
 * (r1 - r0). */
static void no_error_left(checks *c) {
  asked a = {.env = "bandit:mean=[1,2]", .policy = "softmax-tabular:theta=[0,0]"};
  pgb_explanation *e = NULL;
  ask(&a, "10", "50");
  a.request.baseline = "optimal";
  CHECK_OK(c, pgb_explain_create(PGB_EXPLAIN_BANDIT, &a.request, &e));
  CHECK_NEAR(c, e->gradient, 0.25, 1e-12, 0);
  CHECK_NEAR(c, e->b[0], 1.5, 1e-12, 0);
  CHECK_NEAR(c, e->batches[0].way[PGB_EXPLAIN_BASELINE].typical, 0, 0, 1e-6);
  CHECK(c, e->batches[0].way[PGB_EXPLAIN_PLAIN].typical > 0.1);
  pgb_explain_destroy(e);
}

/* The screen of the built-in problem: width, and equal for equal seeds. */
static void screens(checks *c) {
  for (int kind = 0; kind < PGB_EXPLAIN_KINDS; kind++) {
    char *text[3] = {NULL};
    for (int i = 0; i < 3; i++) {
      size_t size = 0, column = 0, widest = 0;
      asked a = {.env = ""};
      pgb_explanation *e = NULL;
      FILE *out = open_memstream(&text[i], &size);
      ask(&a, "10,100", NULL);
      a.request.seed = i == 2 ? "2" : "1";
      CHECK_OK(c, pgb_explain_create((pgb_explain_kind)kind, &a.request, &e));
      CHECK(c, out != NULL && e != NULL);
      if (out == NULL || e == NULL)
        return;
      pgb_print_explanation(out, e);
      CHECK(c, fclose(out) == 0);
      for (const char *p = text[i]; *p != '\0'; p++) {
        column = *p == '\n' ? 0 : column + 1;
        widest = column > widest ? column : widest;
      }
      CHECK(c, widest > 60 && widest <= 100);
      CHECK(c,
            strstr(text[i], "nan") == NULL && strstr(text[i], "inf") == NULL && strchr(text[i], '~') == NULL);
      pgb_explain_destroy(e);
    }
    CHECK(c, strcmp(text[0], text[1]) == 0);
    CHECK(c, strcmp(text[0], text[2]) != 0);
    for (int i = 0; i < 3; i++)
      free(text[i]);
  }
}

static void refused(checks *c, pgb_explain_kind kind, const char *env, const char *policy,
                    const char *baseline, const char *batch, const char *word) {
  asked a = {.env = ""};
  pgb_explanation *e = NULL;
  (void)snprintf(a.env, sizeof a.env, "%s", env);
  (void)snprintf(a.policy, sizeof a.policy, "%s", policy);
  ask(&a, batch, NULL);
  a.request.baseline = baseline;
  CHECK_REFUSED(c, pgb_explain_create(kind, &a.request, &e), PGB_USAGE, word);
  CHECK(c, e == NULL);
}

static void refusals(checks *c) {
  refused(c, PGB_EXPLAIN_BANDIT, "cartpole", "", NULL, NULL, "another problem");
  refused(c, PGB_EXPLAIN_CHAIN, "bandit", "", NULL, NULL, "pgbench explain chain");
  refused(c, PGB_EXPLAIN_BANDIT, "bandit:means=[1,2]", "", NULL, NULL, "mean");
  refused(c, PGB_EXPLAIN_GAUSSIAN, "gaussian:dim=3", "", NULL, NULL, "dim");
  refused(c, PGB_EXPLAIN_GAUSSIAN, "gaussian:context=normal", "", NULL, NULL, "context=none");
  refused(c, PGB_EXPLAIN_GAUSSIAN, "", "gaussian-linear:learn_sigma=true", NULL, NULL, "learn_sigma");
  refused(c, PGB_EXPLAIN_CHAIN, "chain:horizon=40", "", NULL, NULL, "horizon");
  refused(c, PGB_EXPLAIN_BANDIT, "", "", "mean", NULL, "use one of value");
  refused(c, PGB_EXPLAIN_BANDIT, "", "", NULL, "2000000000", "lower --batch");
}

int main(void) {
  checks c = {0};
  random_problems(&c);
  no_error_left(&c);
  screens(&c);
  refusals(&c);
  return check_end(&c, "explain");
}
