/* SPDX-License-Identifier: MIT */
/* Policies: scores of real rollouts against central differences of log pi, small cases by hand, what is
 * sampled against log pi, and contraction as a sum. */
#include "policy/softmax.h"

#include "reference_episode.h"

static float *weight_row(checks *c, const pgb_rollout *r) {
  float *w = malloc(r->capacity * PGB_LANES * sizeof *w);
  CHECK(c, w != NULL);
  return w;
}

/* sum over the steps of episode e of w_t d log pi(a_t|s_t) / d theta_k, by central differences in double;
 * scale: the sum of the terms' magnitudes. */
static double difference(const pgb_actor *a, const ref_episode *e, const double *w, double *theta, size_t k,
                         double *scale) {
  const double h = 1e-5, at = theta[k];
  double sum = 0;
  *scale = 0;
  for (size_t t = 0; t < e->length; t++) {
    const double *obs = e->obs + t * a->space.n_obs, *act = e->act + t * a->space.n_act;
    theta[k] = at + h;
    const double up = a->policy->logp(a->policy_params, theta, obs, act);
    theta[k] = at - h;
    const double down = a->policy->logp(a->policy_params, theta, obs, act);
    sum += w[t] * (up - down) / (2 * h);
    *scale += fabs(w[t] * (up - down) / (2 * h)) + fabs(w[t]);
  }
  theta[k] = at;
  return sum;
}

/* Two weight rows of arbitrary numbers, one of them 0 on idle lanes as estimators write it. */
static void contract_twice(const pgb_actor *a, const pgb_rollout *r, float *const row[2], float *out) {
  float *acc = kernel_scratch(&a->shape, 2);
  const float *rows[2] = {row[0], row[1]};
  for (uint32_t at = 0; at < r->rows * PGB_LANES; at++)
    for (uint32_t w = 0; w < 2; w++)
      row[w][at] = w == 0 && r->end[at] == PGB_IDLE ? 0.0f : (float)kernel_noise(w, at);
  if (acc != NULL)
    a->policy->contract(a->policy_params, a->theta, r, 0, r->n_episodes, 2, rows, acc, out);
  free(acc);
}

static size_t episode_errors(const pgb_actor *a, const pgb_rollout *r, float *const row[2], const float *out,
                             size_t i, ref_episode *e, double *weight, double *theta) {
  size_t wrong = 0;
  const size_t d = a->shape.n_theta;
  ref_view(a, r, i, e);
  for (size_t w = 0; w < 2; w++) {
    for (size_t t = 0; t < e->length; t++)
      weight[t] = (double)row[w][(size_t)r->origin[i] + t * PGB_LANES];
    for (size_t k = 0; k < d; k++) {
      double scale = 0;
      const double want = difference(a, e, weight, theta, k, &scale);
      const double got = (double)out[(i * 2 + w) * d + k];
      wrong += !check_close(got, want, 0, 3e-6 * scale + 1e-7);
      if (!check_close(got, want, 0, 3e-6 * scale + 1e-7) && wrong == 1)
        fprintf(stderr, "%s/%s: episode %zu row %zu parameter %zu: %.9g against %.9g (scale %.3g)\n",
                a->env->name, a->policy->name, i, w, k, got, want, scale);
    }
  }
  return wrong;
}

static void check_scores(checks *c, pgb_isa isa, const kernel_problem *p) {
  enum { SOME = 130 };
  pgb_study *study = kernel_study(c, p->text, isa);
  kernel_run k = {NULL, NULL};
  ref_episode e = {0};
  if (study == NULL)
    return;
  const pgb_actor *a = &study->cells[0].actor;
  const size_t d = a->shape.n_theta;
  if (kernel_open(c, a, pgb_rollout_capacity(&a->space), &k) && ref_open(c, a, &e)) {
    float *row[2] = {weight_row(c, k.r), weight_row(c, k.r)};
    float *out = malloc(k.r->max_episodes * 2 * d * sizeof *out);
    double *weight = malloc((a->space.horizon + d) * sizeof *weight), *theta = malloc(d * sizeof *theta);
    CHECK(c, out != NULL && weight != NULL && theta != NULL);
    if (row[0] != NULL && row[1] != NULL && out != NULL && weight != NULL && theta != NULL) {
      for (size_t i = 0; i < d; i++)
        theta[i] = (double)a->theta[i];
      kernel_roll(&k, isa, a, (pgb_address){.seed = 5, .stream = 3}, 7, 11, SOME);
      memset(out, 0xff, k.r->max_episodes * 2 * d * sizeof *out);
      contract_twice(a, k.r, row, out);
      size_t wrong = 0;
      for (size_t i = 0; i < k.r->n_episodes; i++)
        wrong += episode_errors(a, k.r, row, out, i, &e, weight, theta);
      if (wrong != 0)
        fprintf(stderr, "%s, %s: %zu scores differ\n", p->name, pgb_isa_name(isa), wrong);
      CHECK(c, wrong == 0 && k.r->n_episodes >= PGB_LANES);
      CHECK(c, (a->policy->expand == NULL) == (a->policy->contract_raw == NULL));
      if (a->shape.n_raw > 0)
        CHECK(c, kernel_raw_errors(a, k.r, k.r->n_episodes, 2, (const float *const *)row, out) == 0);
    }
    free(row[0]);
    free(row[1]);
    free(out);
    free(weight);
    free(theta);
  }
  free(e.room);
  kernel_close(&k);
  pgb_study_destroy(study);
}

/* One sampled step of 64 lanes of equal observation. */
typedef struct sampled {
  float obs[REF_MAX * PGB_LANES], act[REF_MAX * PGB_LANES], delta[2 * REF_MAX * PGB_LANES];
} sampled;

static void sample(const pgb_actor *a, const double *obs, uint32_t draw, sampled *s) {
  static uint32_t words[4 * REF_MAX * PGB_LANES];
  for (uint32_t i = 0; i < PGB_LANES; i++) {
    for (size_t k = 0; k < a->space.n_obs; k++)
      s->obs[k * PGB_LANES + i] = (float)obs[k];
    for (uint32_t b = 0; b * 4 < a->shape.words; b++) {
      uint32_t w[4];
      pgb_words(31, PGB_USE_ACTION, 0, draw, i, b, w);
      for (size_t j = 0; j < 4; j++)
        words[(b * 4 + j) * PGB_LANES + i] = w[j];
    }
  }
  a->policy->sample(a->policy_params, a->theta, s->obs, words, ~(uint64_t)0, s->act, s->delta, NULL);
}

/* How often each choice falls against exp(log pi), over 64000 draws: chi-square at six standard deviations.
 */
static void check_frequencies(checks *c, const pgb_actor *a, const double *theta, const double *obs) {
  enum { DRAWS = 1000 };
  static sampled s;
  double count[REF_MAX] = {0}, chi2 = 0, total = 0;
  size_t wrong = 0;
  for (uint32_t draw = 0; draw < DRAWS; draw++) {
    sample(a, obs, draw, &s);
    for (size_t i = 0; i < PGB_LANES; i++) {
      const size_t choice = (size_t)s.act[i];
      if (choice >= a->space.n_choices) {
        wrong++;
        continue;
      }
      count[choice]++;
    }
  }
  CHECK(c, wrong == 0);
  for (size_t k = 0; k < a->space.n_choices; k++) {
    const double act = (double)k;
    const double p = exp(a->policy->logp(a->policy_params, theta, obs, &act));
    const double expected = p * DRAWS * PGB_LANES;
    total += p;
    chi2 += (count[k] - expected) * (count[k] - expected) / expected;
    for (size_t i = 0; i < PGB_LANES;
         i++) { /* delta = 1{a} - pi of the last draw; of two choices one row may do */
      const double want = (s.act[i] == (float)k ? 1 : 0) - p;
      const double got = (double)s.delta[k < a->shape.n_delta ? k * PGB_LANES + i : i];
      wrong += !check_close(k < a->shape.n_delta ? got : -got, want, 0, 1e-6);
    }
  }
  CHECK(c, wrong == 0);
  CHECK_NEAR(c, total, 1, 0, 1e-12);
  const double dof = (double)a->space.n_choices - 1;
  CHECK(c, chi2 < dof + 6 * sqrt(2 * dof) + 12);
}

static void test_softmax_draws(checks *c, pgb_isa isa) {
  static const double theta_tabular[] = {0, .5, 1, 1.5, -2};
  static const double theta_linear[] = {.3, -.2, .5, 1, -1, 0, .4, .8, .1, -.3};
  static const double observations[][4] = {{0, 0, 0, 0}, {1, -2, .5, .25}, {-.05, 3, 1, -1}};
  pgb_study *study = kernel_study(c,
                                  "env: {name: bandit, mean: [1, 2, 3, 4, 5]}\n"
                                  "policy: {name: softmax-tabular, theta: [0, .5, 1, 1.5, -2]}\n",
                                  isa);
  if (study != NULL)
    check_frequencies(c, &study->cells[0].actor, theta_tabular, observations[0]);
  pgb_study_destroy(study);
  study = kernel_study(c,
                       "env: cartpole\n"
                       "policy: {name: softmax-linear, theta: [.3, -.2, .5, 1, -1, 0, .4, .8, .1, -.3]}\n",
                       isa);
  for (size_t i = 0; i < 3 && study != NULL; i++)
    check_frequencies(c, &study->cells[0].actor, theta_linear, observations[i]);
  pgb_study_destroy(study);
}

/* Mean, variance and correlation of Gaussian actions, theta [3][1] and log sigma [3] on one observation. */
static void test_gaussian_draws(checks *c, pgb_isa isa) {
  enum { DRAWS = 2000 };
  static const double mean[3] = {.5 * 1.5, -1 * 1.5, 2 * 1.5}, sd[3] = {.5, 1, 2}, obs = 1.5;
  static sampled s;
  double sum[3] = {0}, square[3] = {0}, cross[3] = {0};
  pgb_study *study = kernel_study(c,
                                  "env: {name: gaussian, dim: 3}\n"
                                  "policy: {name: gaussian-linear, learn_sigma: true, theta: [.5, -1, 2, "
                                  "-0.69314718, 0, 0.69314718]}\n",
                                  isa);
  if (study == NULL)
    return;
  for (uint32_t draw = 0; draw < DRAWS; draw++) {
    sample(&study->cells[0].actor, &obs, draw, &s);
    for (size_t i = 0; i < PGB_LANES; i++) {
      double z[3];
      for (size_t k = 0; k < 3; k++) {
        z[k] = ((double)s.act[k * PGB_LANES + i] - mean[k]) / sd[k];
        sum[k] += z[k];
        square[k] += z[k] * z[k];
      }
      for (size_t k = 0; k < 3; k++)
        cross[k] += z[k] * z[(k + 1) % 3];
    }
  }
  const double n = DRAWS * PGB_LANES;
  for (size_t k = 0; k < 3; k++) {
    CHECK_NEAR(c, sum[k] / n, 0, 0, 6 / sqrt(n));
    CHECK_NEAR(c, square[k] / n, 1, 0, 6 * sqrt(2 / n));
    CHECK_NEAR(c, cross[k] / n, 0, 0, 6 / sqrt(n));
  }
  pgb_study_destroy(study);
}

/* Figures that paper gives: softmax(0, ln 3) = (1/4, 3/4); N(2, 1/2) at 3; u = -K x. */
static void test_by_hand(checks *c, pgb_isa isa) {
  static sampled s;
  const double zero = 0;
  pgb_study *study = kernel_study(c,
                                  "env: {name: bandit, mean: [1, 2]}\n"
                                  "policy: {name: softmax-tabular, theta: [0, 1.0986122886681098]}\n",
                                  isa);
  if (study == NULL)
    return;
  sample(&study->cells[0].actor, &zero, 1, &s);
  for (size_t i = 0; i < PGB_LANES; i++) {
    CHECK_NEAR(c, (double)s.delta[i], s.act[i] == 0 ? 0.75 : -0.25, 0, 2e-7);
    CHECK_NEAR(c, (double)s.delta[PGB_LANES + i], s.act[i] == 0 ? -0.75 : 0.25, 0, 2e-7);
  }
  pgb_study_destroy(study);
  study = kernel_study(c,
                       "env: {name: lqr, A: [[1]], B: [[1]], Q: [[1]], R: [[1]]}\n"
                       "policy: {name: gaussian-linear, sigma: .5, theta: [2]}\n",
                       isa);
  if (study == NULL)
    return;
  const pgb_actor *a = &study->cells[0].actor;
  const double theta = 2, x = -1,
               u = 3; /* mean -2 * -1 = 2, one above it: log N = -2 + ln 2 - ln sqrt(2 pi) */
  CHECK_NEAR(c, a->policy->logp(a->policy_params, &theta, &x, &u), -2 + log(2) - 0.9189385332046727, 1e-14,
             0);
  sample(a, &x, 2, &s);
  for (size_t i = 0; i < PGB_LANES; i++) /* delta = (a - mean) / sigma^2 */
    CHECK_NEAR(c, (double)s.delta[i], ((double)s.act[i] - 2) / 0.25, 0, 4e-6);
  pgb_study_destroy(study);
}

/* Two choices take a way of their own: softmax_pair against softmax_sample, which serves any number of them,
 * and against log pi in double where the policy is nearly deterministic. */
static void test_pair(checks *c) {
  size_t wrong = 0, seen[2] = {0, 0};
  for (uint32_t round = 0; round < 2000; round++) {
    uint32_t words[PGB_LANES];
    float margin[PGB_LANES], act[PGB_LANES], delta[2 * PGB_LANES];
    for (uint32_t i = 0; i < PGB_LANES; i++) {
      words[i] = (round * PGB_LANES + i) * 2654435761u;
      margin[i] = (float)(kernel_noise(8, round * PGB_LANES + i) * (i % 2 != 0 ? 2 : 40));
      delta[i] = margin[i];
      delta[PGB_LANES + i] = 0;
    }
    softmax_sample(2, words, act, delta);
    for (size_t i = 0; i < PGB_LANES; i++) {
      float score;
      const float choice = softmax_pair(pgb_exp2(1.44269504f * margin[i]), words[i], &score);
      const double logits[2] = {(double)margin[i], 0};
      const double pi0 = exp(softmax_logp(logits, 2, 0)), pi1 = exp(softmax_logp(logits, 2, 1));
      const bool close = fabs((double)pgb_uniform(words[i]) - pi0) < 1e-6;
      wrong += choice != act[i] && !close;
      wrong += !check_close((double)score, choice == 0 ? pi1 : -pi0, 4e-6, 0);
      wrong += choice == act[i] && !check_close((double)score, (double)delta[i], 4e-6, 1e-7);
      seen[choice == 0 ? 0 : 1]++;
    }
  }
  CHECK(c, wrong == 0);
  CHECK(c, seen[0] > 1000 && seen[1] > 1000);
}

int main(void) {
  checks c = {0, 0};
  test_pair(&c);
  for (int i = 0; i < PGB_ISA_COUNT; i++) {
    const pgb_isa isa = (pgb_isa)i;
    if (!pgb_isa_supported(isa))
      continue;
    for (size_t k = 0; k < KERNEL_PROBLEMS; k++)
      check_scores(&c, isa, &kernel_problems[k]);
    test_softmax_draws(&c, isa);
    test_gaussian_draws(&c, isa);
    test_by_hand(&c, isa);
  }
  return check_end(&c, "policy");
}
