/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "core/rng.h"
#include "stats/stats.h"

#include <stdlib.h>

static pgb_blocks dense(const double *first, size_t n, size_t d) {
  return (pgb_blocks){first, n, pgb_block_size(d), d};
}

/* The 95 % intervals and z-scores on distributions whose variance is known, by simulation with fixed seeds:
 * coverage must be the stated one within its binomial error, z-scores must keep their tails. */
enum { MAX_D = 10, MAX_BATCH = 16 };

/* Random numbers for one sample, from addresses; normals by Box and Muller in double. */
typedef struct source {
  uint32_t stream, run;
  uint32_t next;
  double spare;
  int has_spare;
} source;

static double uniform(source *s) {
  uint32_t w[4];
  pgb_words(2026, 1, s->stream, s->run, 0, s->next++, w);
  return ((double)w[0] + 0.5) * 0x1p-32;
}

static double normal(source *s) {
  if (s->has_spare) {
    s->has_spare = 0;
    return s->spare;
  }
  uint32_t w[4];
  pgb_words(2026, 2, s->stream, s->run, 0, s->next++, w);
  const double r = sqrt(-2 * log(((double)w[0] + 0.5) * 0x1p-32)),
               angle = 6.283185307179586 * (double)w[1] * 0x1p-32;
  s->spare = r * sin(angle);
  s->has_spare = 1;
  return r * cos(angle);
}

/* One-step Gaussian problem, h = 1.7, m = 0.8, sigma = 0.6, nu = 0.4: return R = alpha + beta e + g2 e^2 +
 * noise, score of the mean e/sigma. Its variance (Gaussian moments): ((alpha-b)^2 + 6 (alpha-b) g2 + 2 beta^2
 * + 15 g2^2 + nu^2)/sigma^2. */
static const double h = 1.7, m = 0.8, sigma = 0.6, nu = 0.4;

static void two_baselines(source *s, double *g) {
  const double e = normal(s), r = -0.5 * h * (m + sigma * e) * (m + sigma * e) + nu * normal(s);
  g[0] = r * e / sigma;
  g[1] = (r + 0.5 * h * (m * m + sigma * sigma)) * e / sigma; /* b = V */
}

static void gauss_value(source *s, double *g) {
  double both[2];
  two_baselines(s, both);
  g[0] = both[1];
}

/* The score of log sigma, e^2 - 1, with b = V. */
static void gauss_log_sigma(source *s, double *g) {
  const double e = normal(s), r = -h * m * sigma * e - 0.5 * h * sigma * sigma * (e * e - 1) + nu * normal(s);
  g[0] = r * (e * e - 1);
}

/* Observation x ~ N(0, 1), a = theta x + sigma e, target (theta - 0.5) x, b = V(x): kurtosis about 270. */
static void gauss_context(source *s, double *g) {
  const double x = normal(s), e = normal(s);
  const double r = -h * 0.5 * x * sigma * e - 0.5 * h * sigma * sigma * (e * e - 1) + nu * normal(s);
  g[0] = r * e * x / sigma;
}

/* Four arms, softmax of 0, .5, 1, 1.5, b = J. */
static void bandit(source *s, double *g) {
  static const double p[4] = {0.10153632, 0.16740509, 0.27600434, 0.45505425};
  static const double mean[4] = {1, 2, 3, 5}, noise[4] = {0.5, 0, 1, 0.25};
  const double u = uniform(s);
  size_t a = 0;
  for (double c = p[0]; a < 3 && u > c; c += p[a])
    a++;
  const double w = mean[a] + noise[a] * normal(s) - 3.539630722385276;
  for (size_t k = 0; k < 4; k++)
    g[k] = w * ((k == a) - p[k]);
}

static void gauss_vector(source *s, double *g) {
  for (size_t k = 0; k < 10; k++)
    g[k] = normal(s);
}

static void rare(source *s, double *g) {
  g[0] = uniform(s) < 0.01;
}

/* Equal distance from the mean almost always: the jackknife alone sees no spread. */
static void signs(source *s, double *g) {
  g[0] = uniform(s) < 0.5 ? 1 : -1;
}

typedef struct setting {
  const char *name;
  void (*sample)(source *, double *);
  size_t d, replicates, batch, runs;
  double trace;    /* exact, of one sample                                    */
  double mean[4];  /* exact, where not 0                                      */
  double coverage; /* per cent, found with 3750 to 20000 runs of other numbers */
} setting;

static const setting settings[] = {
    {"gaussian, value", gauss_value, 1, 20, 1, 2000, 6.744644444444444, {-1.36}, 89.8},
    {"gaussian, value", gauss_value, 1, 256, 1, 1500, 6.744644444444444, {-1.36}, 96.8},
    {"gaussian, value", gauss_value, 1, 1000, 1, 700, 6.744644444444444, {-1.36}, 96.2},
    {"gaussian, value", gauss_value, 1, 100, 16, 500, 6.744644444444444, {-1.36}, 96.1},
    {"log sigma, value", gauss_log_sigma, 1, 256, 1, 1500, 12.222176, {-0.612}, 96.4},
    {"normal context", gauss_context, 1, 20, 1, 2000, 8.825444444444444, {-0.85}, 91.6},
    {"normal context", gauss_context, 1, 256, 1, 1500, 8.825444444444444, {-0.85}, 95.5},
    {"normal context", gauss_context, 1, 2000, 1, 400, 8.825444444444444, {-0.85}, 95.2},
    {"bandit", bandit, 4, 20, 1, 2000, 1.241031402679, {0}, 91.2},
    {"bandit", bandit, 4, 1000, 1, 500, 1.241031402679, {0}, 95.4},
    {"normal vector", gauss_vector, 10, 20, 1, 2000, 10, {0}, 95.5},
    {"normal vector", gauss_vector, 10, 1000, 1, 300, 10, {0}, 94.9},
    {"rare value", rare, 1, 1000, 1, 700, 0.0099, {0.01}, 97.5},
    {"rare value", rare, 1, 20, 1, 1000, 0.0099, {0.01}, 16.8}, /* never seen in four of five runs */
    {"signs", signs, 1, 100, 1, 1000, 1, {0}, 100},
};

/* Blocks too large for more than 32 of them. */
static const setting few[] = {
    {"gaussian, value", gauss_value, 1, 1000, 1, 700, 6.744644444444444, {-1.36}, 95.4},
    {"normal context", gauss_context, 1, 2000, 1, 400, 8.825444444444444, {-0.85}, 94.2},
    {"bandit", bandit, 4, 1000, 1, 500, 1.241031402679, {0}, 95.8},
    {"normal vector", gauss_vector, 10, 1000, 1, 300, 10, {0}, 95.0},
};

/* One run of a setting with blocks of `room` doubles: its summary, and the z-scores' largest magnitude. */
static double run(const setting *t, size_t room, uint32_t stream, uint32_t number, double *blocks,
                  pgb_summary *out) {
  source s = {.stream = stream, .run = number};
  double g[MAX_D], sum[MAX_D], mean[MAX_D], variance[MAX_D];
  const size_t count = pgb_block_count(t->replicates, room), size = pgb_block_size(t->d);
  memset(blocks, 0, count * size * sizeof *blocks);
  for (size_t b = 0; b < count; b++) {
    uint64_t first, end;
    pgb_block_range(t->replicates, room, b, &first, &end);
    for (; first < end; first++) {
      memset(sum, 0, sizeof sum);
      for (size_t i = 0; i < t->batch; i++) {
        t->sample(&s, g);
        for (size_t k = 0; k < t->d; k++)
          sum[k] += g[k] / (double)t->batch;
      }
      pgb_block_add(PGB_ISA_NONE)(blocks + b * size, t->d, sum);
    }
  }
  pgb_summarise(dense(blocks, count, t->d), mean, variance, out);
  const double exact[MAX_D] = {t->mean[0]}, batch = (double)t->batch, known[1] = {t->trace / batch};
  double worst = fabs(pgb_z_trace(out, t->trace / batch, batch, 0));
  if (t->sample != bandit) {
    worst = fmax(worst, fabs(pgb_z_mean(out, mean, variance, t->d, exact, NULL, batch, 0)));
    worst = fmax(worst, fabs(pgb_z_joint(dense(blocks, count, t->d), variance, exact, NULL, batch, 0)));
  }
  if (t->d == 1)
    worst = fmax(worst, fabs(pgb_z_mean(out, mean, variance, 1, exact, known, batch, 0)));
  return worst;
}

static void test_setting(checks *c, const setting *t, size_t room, uint32_t stream, double *blocks) {
  double covered = 0, worst = 0, false_alarms = 0;
  const double runs = (double)t->runs, p = t->coverage / 100;
  for (uint32_t i = 0; i < t->runs; i++) {
    pgb_summary s;
    const double z = run(t, room, stream, i, blocks, &s);
    worst = fmax(worst, z);
    false_alarms += z > 3.2905; /* 1e-3 of normal ones, four of them, d components */
    covered += s.low <= t->trace / (double)t->batch && t->trace / (double)t->batch <= s.high;
  }
  printf("%-18s R = %-5zu N = %-3zu covered %.1f %% (%.1f), largest |z| %.2f, %zu blocks\n", t->name,
         t->replicates, t->batch, 100 * covered / runs, t->coverage, worst,
         pgb_block_count(t->replicates, room));
  /* 3.5 standard errors, and half a run for the stated figure's own rounding */
  CHECK_NEAR(c, covered / runs, p, 0, 3.5 * sqrt(p * (1 - p) / runs) + 0.005);
  CHECK(c, worst < 5 && false_alarms <= 0.006 * runs + 2);
}

/* Paired ratio of two baselines on the same samples, tr(value)/tr(none). */
static void test_ratio(checks *c, double *blocks, size_t replicates, size_t runs, double coverage) {
  const double exact = 6.744644444444444 / 11.641588888888889;
  const size_t count = pgb_block_count(replicates, 1), size = pgb_block_size(1);
  double *other = blocks + PGB_MAX_BLOCKS * size, covered = 0, width = 0, unpaired = 0;
  for (uint32_t i = 0; i < runs; i++) {
    source s = {.stream = 100, .run = i};
    memset(blocks, 0, 2 * PGB_MAX_BLOCKS * size * sizeof *blocks);
    for (size_t b = 0; b < count; b++) {
      uint64_t first, end;
      pgb_block_range(replicates, 1, b, &first, &end);
      for (; first < end; first++) {
        double g[2];
        two_baselines(&s, g);
        pgb_block_add(PGB_ISA_NONE)(other + b * size, 1, g);
        pgb_block_add(PGB_ISA_NONE)(blocks + b * size, 1, g + 1);
      }
    }
    double ratio, low, high, mean, variance;
    pgb_summary one;
    pgb_ratio(dense(blocks, count, 1), dense(other, count, 1), &ratio, &low, &high);
    pgb_summarise(dense(blocks, count, 1), &mean, &variance, &one);
    covered += low <= exact && exact <= high;
    width += log(high / low);
    unpaired += log(one.high / one.low);
  }
  const double n = (double)runs, p = coverage / 100;
  printf("ratio              R = %-5zu       covered %.1f %% (%.1f), log width %.2f, of one trace %.2f\n",
         replicates, 100 * covered / n, coverage, width / n, unpaired / n);
  CHECK_NEAR(c, covered / n, p, 0, 3.5 * sqrt(p * (1 - p) / n) + 0.005);
}

int main(void) {
  checks c = {0, 0};
  double *blocks = calloc(PGB_MAX_BLOCKS * pgb_block_size(MAX_D), sizeof *blocks);
  if (blocks == NULL)
    return 1;
  for (uint32_t i = 0; i < sizeof settings / sizeof *settings; i++)
    test_setting(&c, &settings[i], 1, i, blocks);
  for (uint32_t i = 0; i < sizeof few / sizeof *few; i++)
    test_setting(&c, &few[i], SIZE_MAX / 2, 300 + i, blocks);
  test_ratio(&c, blocks, 100, 2000, 89.8);
  test_ratio(&c, blocks, 1000, 1000, 96.5);
  free(blocks);
  return check_end(&c, "test_intervals");
}
