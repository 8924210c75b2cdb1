/* SPDX-License-Identifier: MIT */
#include "study/study.h"

#include "check.h"
#include "core/rng.h"
#include "envs/lqr.h"
#include "envs/mdp.h"
#include "io/store.h"
#include "policy/gaussian_linear.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define BANDIT      "env: {name: bandit, mean: [1, 2, 3, 5], noise: [.5, 0, 1, .25]}\n"
#define GAUSS       "env: gaussian\n"
#define COUNT(list) (sizeof(list) / sizeof *(list))

static pgb_status resolve_text(const char *text, pgb_study **out) {
  const pgb_request request = {.study = "t", .text = text};
  return pgb_study_resolve(&request, out);
}

/* The status alone. */
static pgb_status outcome(const pgb_request *request) {
  pgb_study *study = NULL;
  pgb_status s = pgb_study_resolve(request, &study);
  if ((s.code == PGB_OK) != (study != NULL))
    s = pgb_fail(PGB_RUNTIME, "the status and the study disagree");
  pgb_study_destroy(study);
  return s;
}

/* The resolved text resolves to itself, with the same bits of theta. */
static void check_round(checks *c, const pgb_study *s) {
  pgb_study *again = NULL;
  CHECK_OK(c, resolve_text(s->config, &again));
  if (again == NULL)
    return;
  CHECK(c, strcmp(s->config, again->config) == 0);
  CHECK(c, s->n_cells == again->n_cells && s->seed == again->seed && s->gamma == again->gamma);
  CHECK(c,
        s->replicates == again->replicates && s->pilot == again->pilot && s->n_batches == again->n_batches);
  CHECK(c, s->n_estimators == again->n_estimators && s->n_baselines == again->n_baselines);
  for (size_t i = 0; i < s->n_cells && i < again->n_cells; i++) {
    const size_t n = s->cells[i].actor.shape.n_theta;
    CHECK(c, n == again->cells[i].actor.shape.n_theta);
    CHECK(c, memcmp(s->cells[i].theta, again->cells[i].theta, n * sizeof(double)) == 0);
    CHECK(c, memcmp(s->cells[i].actor.theta, again->cells[i].actor.theta, n * sizeof(float)) == 0);
    CHECK(c, strcmp(s->cells[i].group, again->cells[i].group) == 0 && s->cells[i].env == again->cells[i].env);
  }
  for (size_t i = 0; i < s->n_estimators; i++)
    CHECK(c, strcmp(s->estimators[i].label, again->estimators[i].label) == 0);
  pgb_study_destroy(again);
}

static void check_round_text(checks *c, const char *text) {
  pgb_study *s = NULL;
  CHECK_OK(c, resolve_text(text, &s));
  if (s != NULL)
    check_round(c, s);
  pgb_study_destroy(s);
}

/* The example of the user manual, figure by figure. */
static void test_example(checks *c) {
  const char *text = "seed: 7\n"
                     "gamma: 0.9\n"
                     "env:\n"
                     "  name: mdp\n"
                     "  horizon: 3\n"
                     "  transition: [[[0.8, 0.2], [0.3, 0.7]], [[0.5, 0.5], [0.1, 0.9]]]\n"
                     "  reward: [[1, 0], [-1, 2]]\n"
                     "  noise: 0.5\n"
                     "  start: [0.6, 0.4]\n"
                     "policy: {name: softmax-tabular, theta: [0.2, -0.3, 0.5, 0.0]}\n"
                     "estimators: [reinforce, gpomdp, {name: gae, lambda: 0.5}]\n"
                     "baselines: [none, mean, loo, optimal, value]\n"
                     "batch: [1, 16, 64]\n"
                     "replicates: 10000\n";
  pgb_study *s = NULL;
  CHECK_OK(c, resolve_text(text, &s));
  if (s == NULL)
    return;
  CHECK(c, s->seed == 7 && s->gamma == 0.9 && s->replicates == 10000 && s->pilot == 4096);
  CHECK(c, s->n_envs == 1 && s->n_cells == 1 && s->n_estimators == 3 && s->n_baselines == 5 &&
               s->n_batches == 3);
  CHECK(c, s->batches[0] == 1 && s->batches[1] == 16 && s->batches[2] == 64);
  CHECK(c,
        strcmp(s->estimators[2].label, "gae") == 0 && strcmp(s->estimators[1].class_->name, "gpomdp") == 0);
  CHECK(c, strcmp(s->baselines[2]->name, "loo") == 0 && s->baseline_from[2] != NULL);
  const pgb_cell *cell = &s->cells[0];
  const pgb_mdp *mdp = cell->actor.env_params;
  CHECK(c, strcmp(cell->group, "/mdp/softmax-tabular") == 0);
  CHECK(c, mdp->states == 2 && mdp->horizon == 3 && mdp->noise == 0.5 && mdp->start.data[0] == 0.6);
  CHECK(c, cell->actor.space.n_contexts == 2 && cell->actor.space.n_choices == 2 &&
               cell->actor.space.horizon == 3);
  CHECK(c, cell->actor.shape.n_theta == 4 && cell->actor.gamma == 0.9);
  CHECK(c, cell->actor.theta[0] == 0.2f && cell->theta[0] == (double)0.2f && cell->theta[3] == 0);
  CHECK(c, cell->label[3][0] != '\0' && strcmp(cell->policy_config, "{name: softmax-tabular}") == 0);
  CHECK(c, strstr(s->config, "theta: [0.2, -0.3, 0.5, 0]") != NULL);
  check_round(c, s);
  pgb_study_destroy(s);
}

/* What a study leaves away. */
static void test_defaults(checks *c) {
  pgb_study *s = NULL;
  CHECK_OK(c, resolve_text("env: [bandit, gaussian, cartpole]\n", &s));
  if (s == NULL)
    return;
  size_t n = 0;
  while (pgb_baseline_table[n] != NULL)
    n++;
  CHECK(c, s->seed == 1 && s->gamma == 0.99 && s->replicates == 1000 && s->n_baselines == n);
  CHECK(c, s->n_batches == 2 && s->batches[0] == 1 && s->batches[1] == 16);
  CHECK(c, s->estimators[0].from == NULL && s->baseline_from[0] == NULL && s->n_cells == 3);
  CHECK(c, strcmp(s->cells[0].group, "/bandit/softmax-tabular") == 0);
  CHECK(c, strcmp(s->cells[1].group, "/gaussian/gaussian-linear") == 0);
  CHECK(c, strcmp(s->cells[2].group, "/cartpole/softmax-linear") == 0);
  CHECK(c, s->cells[2].theta[0] == 0 && strcmp(s->name, "t") == 0);
  check_round(c, s);
  pgb_study_destroy(s);
}

static void test_named(checks *c) {
  pgb_study *s = NULL;
  const pgb_request request = {0};
  CHECK_OK(c, pgb_study_resolve(&request, &s));
  if (s == NULL)
    return;
  CHECK(c, strcmp(s->name, "default") == 0 && s->n_cells == 5);
  CHECK(c, s->cells[1].theta[0] == (double)0.8f);
  CHECK_NEAR(c, s->cells[1].theta[1], log(0.6), 1e-7, 0); /* left out of the list: the option sigma */
  const pgb_lqr *lqr = s->cells[3].actor.env_params;
  CHECK(c, lqr->n == 2 && lqr->m == 1);
  check_round(c, s);
  pgb_study_destroy(s);
  CHECK(c, pgb_named_studies[0].name != NULL);
  for (const pgb_named_study *named = pgb_named_studies; named->name != NULL; named++) {
    const pgb_request each = {.study = named->name};
    CHECK(c, named->title[0] != '\0' && named->title[0] != '#' && strstr(named->title, "SPDX") == NULL);
    CHECK(c, strncmp(named->text, "# SPDX-License-Identifier: MIT\n", 31) == 0);
    CHECK_OK(c, outcome(&each));
  }
}

/* Sends the same study around with every form that theta and lists have. */
static void test_round(checks *c) {
  check_round_text(c, "env: [mdp, mdp, {name: mdp, noise: 0.1}]\n"
                      "policy:\n"
                      "  - {name: softmax-tabular, env: 2, theta: [.1, .2, .3, 1e-7]}\n"
                      "  - {name: softmax-tabular, theta: random:0.3}\n");
  check_round_text(
      c, "env: [lqr, bandit]\npolicy: [{name: gaussian-linear, theta: random:2, sigma: [0.3], "
         "learn_sigma: true}, softmax-tabular]\ngamma: 0.3333333333333333\nseed: 18446744073709551615\n"
         "estimators: [{name: gae, lambda: 0.1}, gae, {name: gae, lambda: 1}, vpg]\nbaselines: grpo\n"
         "batch: 2147483647\nreplicates: 4294967295\npilot: 2\n");
  check_round_text(c, "env: {name: gaussian, dim: 2, target: [1e-5, 1], context: normal}\n"
                      "policy: {name: gaussian-linear, theta: [[1e-30], [3e38]]}\n");
}

/* Cells, their order and names where envs and policies cross. */
static void test_cells(checks *c) {
  pgb_study *s = NULL;
  CHECK_OK(c,
           resolve_text("env: [mdp, bandit, mdp, gaussian]\n"
                        "policy: [softmax-tabular, gaussian-linear, {name: softmax-tabular, env: 3, theta: "
                        "[1, 2, 3, 4]}, {name: softmax-tabular, env: bandit, theta: random:1}]\n",
                        &s));
  if (s == NULL)
    return;
  static const char *const groups[] = {"/mdp/softmax-tabular",      "/bandit/softmax-tabular",
                                       "/bandit/softmax-tabular_2", "/mdp/softmax-tabular_2",
                                       "/mdp/softmax-tabular_3",    "/gaussian/gaussian-linear"};
  static const size_t envs[] = {0, 1, 1, 2, 2, 3};
  CHECK(c, s->n_cells == 6);
  for (size_t i = 0; i < s->n_cells && i < 6; i++)
    CHECK(c, strcmp(s->cells[i].group, groups[i]) == 0 && s->cells[i].env == envs[i]);
  CHECK(c, s->cells[4].theta[3] == 4);
  CHECK(c,
        strstr(s->config, "env: bandit") != NULL && strstr(s->config, "env: 3, theta: [1, 2, 3, 4]") != NULL);
  check_round(c, s);
  pgb_study_destroy(s);
}

/* Philox by its address, Box and Muller in double. */
static void test_random(checks *c) {
  pgb_study *s = NULL;
  CHECK_OK(c, resolve_text("seed: 5\nenv: mdp\npolicy: {name: softmax-tabular, theta: random:0.5}\n", &s));
  if (s == NULL)
    return;
  for (uint32_t k = 0; k < 4; k++) {
    uint32_t w[4];
    pgb_words(5, PGB_USE_THETA, 0, 0, k / 2, 0, w);
    const double u = ((double)w[2 * (k % 2)] + 0.5) / 4294967296.0;
    const double v = ((double)w[2 * (k % 2) + 1] + 0.5) / 4294967296.0;
    CHECK_NEAR(c, s->cells[0].theta[k], 0.5 * sqrt(-2 * log(u)) * cos(2 * acos(-1) * v), 1e-6, 1e-7);
  }
  pgb_study_destroy(s);
}

static void test_store(checks *c) {
  char folder[] = "test_study_XXXXXX";
  char file[64];
  char study[64];
  pgb_store *store = NULL;
  const double theta[] = {0.25, 0.5, 0.75, 1.5};
  static const char *const labels[] = {"a", "b", "c", "d"};
  CHECK(c, mkdtemp(folder) != NULL);
  (void)snprintf(file, sizeof file, "%s/x.h5", folder);
  (void)snprintf(study, sizeof study, "%s/s.yaml", folder);
  CHECK_OK(c, pgb_store_create(file, true, &store));
  if (store == NULL)
    return;
  CHECK_OK(c, pgb_store_axis_text(store, "/mdp/softmax-tabular", "parameter", 4, labels, "parameter"));
  CHECK_OK(c, pgb_store_array(store, "/mdp/softmax-tabular", "theta", "parameter", theta, "1", "theta"));
  CHECK_OK(c, pgb_store_close(store));
  FILE *f = fopen(study, "w");
  CHECK(c,
        f != NULL && fputs("env: [mdp, bandit]\npolicy:\n- {name: softmax-tabular, env: mdp, theta: x.h5}\n"
                           "- {name: softmax-tabular, env: bandit}\n",
                           f) >= 0);
  CHECK(c, f != NULL && fclose(f) == 0);
  pgb_study *s = NULL;
  const pgb_request request = {.study = study};
  CHECK_OK(c, pgb_study_resolve(&request, &s)); /* x.h5 lies beside the study */
  if (s != NULL) {
    CHECK(c, strcmp(s->name, "s") == 0 && s->cells[0].theta[0] == 0.25 && s->cells[0].theta[3] == 1.5);
    check_round(c, s);
  }
  pgb_study_destroy(s);
  char option[100];
  const char *policy = option;
  const char *env = "mdp";
  pgb_request typed = {.env = &env, .n_env = 1, .policy = &policy, .n_policy = 1};
  (void)snprintf(option, sizeof option, "softmax-tabular:theta=%s", file);
  CHECK_OK(c, outcome(&typed));
  env = "chain";
  CHECK_REFUSED(c, outcome(&typed), PGB_USAGE, "--policy softmax-tabular: theta: ");
  (void)snprintf(option, sizeof option, "softmax-tabular:theta=missing.h5");
  CHECK_REFUSED(c, outcome(&typed), PGB_USAGE, "missing.h5");
  CHECK(c, remove(study) == 0 && remove(file) == 0 && rmdir(folder) == 0);
}

static void check_refusals(checks *c, const char *const cases[][2], size_t n) {
  for (size_t i = 0; i < n; i++) {
    const pgb_request request = {.study = "t", .text = cases[i][0]};
    CHECK_REFUSED(c, outcome(&request), PGB_USAGE, cases[i][1]);
  }
}

static void test_refused_top(checks *c) {
  static const char *const cases[][2] = {
      {"", "t:1:1: missing key 'env'"},
      {"seed: 1\n", "t:1:1: missing key 'env'"},
      {"[1]\n", "t:1:1: a list stands where a study is due"},
      {BANDIT "sede: 1\n",
       "t:2:1: unknown key 'sede': did you mean 'seed'?; valid: gamma, replicates, pilot, seed"},
      {BANDIT "gamma: 0.9\ngamma: 0.8\n", "t:3:1: duplicate key 'gamma'"},
      {BANDIT "seed: -1\n", "t:2:7: seed: '-1' is no whole number in [0, 18446744073709551615]"},
      {BANDIT "seed: 1.5\n", "seed: '1.5'"},
      {BANDIT "seed: [1]\n", "t:2:7: seed: 'a list'"},
      {BANDIT "gamma: 0\n", "t:2:8: gamma: 0 is out of range; give a number above 0 and at most 1"},
      {BANDIT "gamma: [0.9]\n", "gamma: a list stands here"},
      {BANDIT "replicates: 1\n", "t:2:13: replicates: 1 is out of range; give a number in [2, 4294967295]"},
      {BANDIT "replicates: 1e4\n", "'1e4' is not a whole number"},
      {BANDIT "pilot: 1\n", "pilot: 1 is out of range"},
      {BANDIT "batch: 0\n", "t:2:8: batch: 0 is out of range; give a number in [1, 2147483647]"},
      {BANDIT "batch: [1, 2147483648]\n", "t:2:12: batch: 2147483648 is out of range"},
      {BANDIT "batch: [1, 16, 1]\n", "t:2:16: batch: 1 stands there twice"},
      {BANDIT "batch: []\n", "t:2:8: batch: the list is empty"},
      {BANDIT "batch: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]\n", "batch: 17 sizes; give at most 16"},
      {BANDIT "estimators: [reinforce, gopmdp]\n",
       "t:2:25: unknown estimator 'gopmdp': did you mean 'gpomdp'?"},
      {BANDIT "estimators: [gpomdp, reinforce, vpg]\n", "t:2:33: duplicate estimator 'vpg': gpomdp"},
      {BANDIT "estimators: [gae, {name: gae, lambda: 0.95}]\n", "t:2:19: duplicate estimator 'gae'"},
      {BANDIT "estimators: [{name: gae, lamda: 0.5}]\n",
       "t:2:26: unknown key 'lamda': did you mean 'lambda'?"},
      {BANDIT "estimators: [{name: gae, lambda: 1.5}]\n", "t:2:34: lambda: 1.5 is out of range"},
      {BANDIT "estimators: [{lambda: 0.5}]\n", "t:2:14: estimator: missing key 'name'"},
      {BANDIT "estimators: [[gae]]\n", "t:2:14: estimator: a list in the list"},
      {BANDIT "estimators: {reinforce: 1}\n", "missing key 'name'"},
      {BANDIT "baselines: [none, optmal]\n", "t:2:19: unknown baseline 'optmal': did you mean 'optimal'?"},
      {BANDIT "baselines: [loo, none, rloo]\n", "t:2:24: duplicate baseline 'rloo': loo"},
      {BANDIT "baselines: [{name: loo}]\n", "t:2:13: baseline: a map stands here"},
      {BANDIT "baselines:\n", "unknown baseline ''"},
  };
  check_refusals(c, cases, COUNT(cases));
}

static void test_refused_cells(checks *c) {
  static const char *const cases[][2] = {
      {"env: bandid\n", "t:1:6: unknown env 'bandid': did you mean 'bandit'?; valid: bandit, gaussian"},
      {"env: {mean: [1, 2]}\n", "t:1:6: env: missing key 'name'"},
      {"env: {name: [bandit]}\n", "t:1:13: env: the name must be a word"},
      {"env: []\n", "t:1:6: env: the list is empty"},
      {"env:\n", "env: the name must be a word"},
      {"env: [[bandit]]\n", "t:1:7: env: a list in the list"},
      {"env:\n  name: bandit\n  maen: [1, 2]\n",
       "t:3:3: unknown key 'maen': did you mean 'mean'?; valid: mean, noise"},
      {"env: {name: bandit, mean: 3}\n", "t:1:21: env bandit: mean: "},
      {"env: {name: bandit, mean: [1, x]}\n", "t:1:31: mean: 'x' is not a number"},
      {"env: {name: bandit, mean: [1, 2], noise: [1, 2, 3]}\n",
       "t:1:35: env bandit: noise: has 3 values for 2 arms"},
      {"env: {name: bandit, mean: [1, 2], noise: -1}\n", "t:1:42: noise: -1 is out of range"},
      {"env: {name: mdp, transition: [[[0.8, 0.1], [0.3, 0.7]], [[0.5, 0.5], [0.1, 0.9]]], reward: [[1, 0], "
       "[0, 1]]}\n",
       "t:1:18: env mdp: transition: row 0 sums to 0.9"},
      {"env: {name: mdp, transition: [[[0.8, 0.2], [0.3]], [[0.5, 0.5], [0.1, 0.9]]]}\n",
       "t:1:44: transition: ragged"},
      {"env: [mdp, {name: mdp, reward: [[1, 0], [-1, 2]]}]\n",
       "t:1:12: env mdp: missing key 'transition': reward is given"},
      {"env: {name: mdp, horizon: 0}\n", "t:1:27: horizon: 0 is out of range"},
      {"env: {name: lqr, W: [[1, 2], [2, 1]]}\n", "t:1:18: env lqr: W: "},
      {"env: {name: lqr, S0: [[1, 0.5], [0.2, 1]]}\n", "t:1:18: env lqr: S0: "},
      {"env: {name: gaussian, context: sometimes}\n", "t:1:32: unknown context 'sometimes'"},
      {BANDIT "policy: softmax-tabluar\n",
       "t:2:9: unknown policy 'softmax-tabluar': did you mean 'softmax-tabular'?"},
      {BANDIT "policy: gaussian-linear\n",
       "t:2:9: policy gaussian-linear: fits no env that it is for: in bandit"},
      {BANDIT "policy: [softmax-tabular, gaussian-linear]\n", "t:2:27: policy gaussian-linear: fits no env"},
      {"env: [bandit, gaussian]\npolicy: softmax-tabular\n",
       "t:1:15: env gaussian: no policy of the study fits it; add one that does (gaussian-linear)"},
      {"env: [bandit, mdp]\npolicy: {name: softmax-tabular, env: 1}\n", "t:1:15: env mdp: no policy"},
      {"env: [bandit, gaussian]\npolicy: [softmax-tabular, {name: gaussian-linear, env: bandit}]\n",
       "t:2:27: policy gaussian-linear: fits no env that it is for: in bandit"},
      {BANDIT "policy: {name: softmax-tabular, env: 2}\n", "t:2:38: env: 2 is not an entry of the env list"},
      {BANDIT "policy: {name: softmax-tabular, env: badnit}\n",
       "t:2:38: unknown env of this study 'badnit': did you"},
      {BANDIT "policy: {name: softmax-tabular, env: [1]}\n", "t:2:38: env: a list stands here"},
      {BANDIT "policy: {name: softmax-tabular, sigma: 1}\n", "t:2:33: unknown key 'sigma'"},
      {BANDIT "policy: {name: softmax-tabular, theta: [1, 2]}\n",
       "t:2:40: theta: 2 values for the 4 parameters of softmax-tabular on bandit; give them in the order "
       "theta[0,0], "},
      {BANDIT "policy: {name: softmax-tabular, theta: [1, 2, 3, 1e39]}\n",
       "t:2:50: theta: 1e39 is out of range"},
      {BANDIT "policy: {name: softmax-tabular, theta: [1, 2, 3, nan]}\n", "theta: 'nan' is not a number"},
      {BANDIT "policy: {name: softmax-tabular, theta: {a: 1}}\n", "t:2:40: theta: a map stands here"},
      {BANDIT "policy: {name: softmax-tabular, theta: one}\n", "t:2:40: theta: 'one' is none of its forms"},
      {BANDIT "policy: {name: softmax-tabular, theta: }\n", "theta: '' is none of its forms"},
      {BANDIT "policy: {name: softmax-tabular, theta: \"random:\"}\n",
       "t:2:40: theta: 'random:' has no scale"},
      {BANDIT "policy: {name: softmax-tabular, theta: random:x}\n", "t:2:40: theta: 'random:x' has no scale"},
      {BANDIT "policy: {name: softmax-tabular, theta: missing.h5}\n", "t:2:40: theta: "},
      {GAUSS "policy: {name: gaussian-linear, sigma: 0}\n", "t:2:40: sigma: 0 is out of range"},
      {GAUSS "policy: {name: gaussian-linear, sigma: [1, 2]}\n",
       "t:2:33: policy gaussian-linear on gaussian: sigma: has 2 values"},
      {GAUSS "policy: {name: gaussian-linear, learn_sigma: 1}\n",
       "t:2:46: learn_sigma: '1' is neither true nor false"},
      {GAUSS "policy: {name: gaussian-linear, learn_sigma: true, theta: [1, 2, 3]}\n",
       "theta: 3 values for the 2 parameters"},
      {GAUSS "policy: []\n", "t:2:9: policy: the list is empty"},
  };
  check_refusals(c, cases, COUNT(cases));
}

/* What a command line can say wrongly; the place is the option. */
static void test_refused_options(checks *c) {
  static const struct {
    const char *env, *policy;
    pgb_request rest;
    const char *word;
  } cases[] = {
      {"bandid", NULL, {0}, "--env bandid: unknown env 'bandid': did you mean 'bandit'?"},
      {"bandit:mean", NULL, {0}, "--env bandit: 'mean' is not key=value"},
      {"bandit:", NULL, {0}, "is not key=value"},
      {"bandit:mean=[1,2],", NULL, {0}, "--env bandit: '' is not key=value"},
      {"bandit:mean=", NULL, {0}, "--env bandit: mean= has no value"},
      {"bandit:maen=[1,2]", NULL, {0}, "--env bandit: unknown key 'maen': did you mean 'mean'?"},
      {"bandit:mean=[1,2],mean=[1,2]", NULL, {0}, "--env bandit: duplicate key 'mean'"},
      {"bandit:name=mdp", NULL, {0}, "--env bandit: duplicate key 'name'"},
      {"bandit:mean=[1,2", NULL, {0}, "--env bandit, mean:"},
      {"bandit:mean=3", NULL, {0}, "--env bandit: mean: "},
      {"bandit:noise=-1", NULL, {0}, "--env bandit: noise: -1 is out of range"},
      {"bandit", "gaussian-linear", {0}, "--policy gaussian-linear: fits no env"},
      {"bandit", "softmax-tabular:theta=[1,2]", {0}, "--policy softmax-tabular: theta: 2 values for the 4"},
      {NULL, "softmax-linear", {0}, "no policy of the study fits"},
      {NULL, NULL, {.gamma = "0"}, "--gamma: 0 is out of range"},
      {NULL, NULL, {.gamma = "x"}, "--gamma: 'x' is not a number"},
      {NULL, NULL, {.seed = "1e3"}, "--seed: '1e3'"},
      {NULL, NULL, {.batch = "1,0"}, "--batch: 0 is out of range"},
      {NULL, NULL, {.batch = "1,,2"}, "--batch: an empty place between commas"},
      {NULL, NULL, {.baseline = "none,lo"}, "--baseline: unknown baseline 'lo': did you mean 'loo'?"},
      {NULL, NULL, {.baseline = "none,rloo,loo"}, "--baseline: duplicate baseline 'loo'"},
      {NULL, NULL, {.estimator = "gae:lambda=2"}, "--estimator gae: lambda: 2 is out of range"},
      {NULL, NULL, {.estimator = "lambda=2"}, "unknown estimator 'lambda=2'"},
      {NULL, NULL, {.estimator = "gae:lambda"}, "--estimator gae: 'lambda' is not key=value"},
      {NULL, NULL, {.estimator = "gae,,gpomdp"}, "--estimator: the name is missing"},
      {NULL, NULL, {.study = "defualt"}, "'defualt': did you mean 'default'?"},
      {NULL, NULL, {.study = ""}, "--study: the name is empty"},
      {NULL, NULL, {.study = "missing.yaml"}, "missing.yaml: cannot be opened"},
      {NULL, NULL, {.study = "./"}, "./: a directory"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    pgb_request request = cases[i].rest;
    request.env = &cases[i].env;
    request.n_env = cases[i].env != NULL;
    request.policy = &cases[i].policy;
    request.n_policy = cases[i].policy != NULL;
    CHECK_REFUSED(c, outcome(&request), PGB_USAGE, cases[i].word);
  }
}

static void test_options(checks *c) {
  pgb_study *s = NULL;
  const char *const env[] = {"chain:mean=[1, 2, 3, 4],noise=[0, 0, .5, 0.5],horizon=7",
                             "gaussian:context='normal'"};
  const char *const policy[] = {"softmax-tabular:theta=[[1,2],[3,4]]",
                                "gaussian-linear:sigma=0.5,theta=zero"};
  const pgb_request request = {.env = env,
                               .n_env = 2,
                               .policy = policy,
                               .n_policy = 2,
                               .estimator = "reinforce,gae:lambda=0.5, gae,reward-to-go",
                               .baseline = "none,rloo",
                               .batch = "4, 2",
                               .replicates = "50",
                               .gamma = "1",
                               .seed = "9"};
  CHECK_OK(c, pgb_study_resolve(&request, &s));
  if (s == NULL)
    return;
  CHECK(c, s->n_cells == 2 && s->cells[0].actor.space.horizon == 7 && s->cells[0].theta[2] == 3);
  CHECK(c, s->n_batches == 2 && s->batches[0] == 4 && s->replicates == 50 && s->gamma == 1 && s->seed == 9);
  CHECK(c, s->n_estimators == 4 && strcmp(s->estimators[1].label, "gae:lambda=0.5") == 0);
  CHECK(c, strcmp(s->estimators[2].label, "gae:lambda=0.95") == 0);
  CHECK(c, strcmp(s->estimators[3].label, "gpomdp") == 0);
  CHECK(c, s->n_baselines == 2 && strcmp(s->baselines[1]->name, "loo") == 0);
  check_round(c, s);
  pgb_study_destroy(s);
}

/* --env with a study that has policies of its own. */
static void test_env_replaced(checks *c) {
  static const struct {
    const char *text, *env, *policy;
  } cases[] = {
      {BANDIT "policy: {name: softmax-tabular, theta: [1, 2, 3, 4]}\n", "cartpole", "softmax-linear"},
      {BANDIT "policy: {name: softmax-tabular, theta: [1, 2, 3, 4]}\n", "mdp", "theta: [0, 0, 0, 0]"},
      {BANDIT "policy: {name: softmax-tabular, theta: random:1}\n", "mdp", "softmax-tabular"},
      {"env: lqr\npolicy: {name: gaussian-linear, sigma: 0.125}\n", "gaussian", "sigma: 0.125"},
      {"env: lqr\npolicy: {name: gaussian-linear, sigma: 0.125, theta: zero}\n", "gaussian", "sigma: 0.125"},
      {"env: lqr\npolicy: {name: gaussian-linear, sigma: 0.125, theta: [1, 2]}\n", "gaussian", "sigma: 1"},
      {"env: lqr\npolicy: {name: gaussian-linear, sigma: 0.125}\n", "cartpole", "softmax-linear"},
      {"env: [lqr, mdp]\npolicy: [gaussian-linear, softmax-tabular]\n", "mdp", "softmax-tabular"},
      {"replicates: 20\n", "bandit", "softmax-tabular"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    pgb_study *s = NULL;
    const pgb_request request = {.text = cases[i].text, .env = &cases[i].env, .n_env = 1};
    CHECK_OK(c, pgb_study_resolve(&request, &s));
    CHECK(c, s != NULL && s->n_cells == 1 && strstr(s->config, cases[i].policy) != NULL);
    pgb_study_destroy(s);
  }
}

static void test_keep(checks *c) {
  pgb_study *s = NULL;
  CHECK_OK(c, resolve_text(BANDIT "estimators: [gpomdp, reinforce]\n", &s));
  if (s == NULL)
    return;
  const char *baseline[64];
  const char *const estimator[] = {NULL, NULL};
  const char *const lost[] = {NULL, "it is lost"};
  const size_t n = s->n_baselines;
  for (size_t i = 0; i < 64; i++)
    baseline[i] = i % 2 == 1 ? NULL : "it is even";
  CHECK_OK(c, pgb_study_keep(s, estimator, baseline));
  CHECK(c, s->n_estimators == 2 && s->n_baselines == n / 2 && s->baselines[0] == pgb_baseline_table[1]);
  check_round(c, s);
  CHECK_REFUSED(c, pgb_study_keep(s, lost, NULL), PGB_USAGE,
                "t:2:22: estimator reinforce: no cell of the study can use it: it is lost; ");
  pgb_study_destroy(s);
  CHECK_OK(c, resolve_text(BANDIT "baselines: [none, value]\n", &s));
  if (s == NULL)
    return;
  CHECK_REFUSED(c, pgb_study_keep(s, NULL, lost), PGB_USAGE,
                "t:2:19: baseline value: no cell of the study can use it: it is lost; ");
  pgb_study_destroy(s);
  pgb_study_destroy(NULL);
}

int main(void) {
  checks c = {0};
  test_example(&c);
  test_defaults(&c);
  test_named(&c);
  test_round(&c);
  test_cells(&c);
  test_random(&c);
  test_store(&c);
  test_refused_top(&c);
  test_refused_cells(&c);
  test_refused_options(&c);
  test_options(&c);
  test_env_replaced(&c);
  test_keep(&c);
  return check_end(&c, "study");
}
