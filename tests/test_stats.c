/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "core/rng.h"
#include "stats/stats.h"

#include <stdlib.h>
#include <string.h>

static pgb_blocks dense(const double *first, size_t n, size_t d) {
  return (pgb_blocks){first, n, pgb_block_size(d), d};
}

/* Golden values: scipy 1.10.1, stats.norm cdf and ppf, stats.t cdf. Its t.ppf is off by up to 2e-9, so those
 * are roots of mpmath 1.2's betainc at 40 digits. */
static void test_normal(checks *c) {
  static const double cdf[][2] = {{-37, 5.7255712225239266e-300}, {-20, 2.7536241186061556e-89},
                                  {-8, 6.2209605742717405e-16},   {-3, 0.0013498980316300933},
                                  {-1, 0.15865525393145707},      {-0.1, 0.46017216272297101},
                                  {0.5, 0.69146246127401312},     {6, 0.9999999990134123}};
  static const double ppf[][2] = {
      {1e-300, -37.047096299361201}, {1e-100, -21.273453560965322}, {1e-30, -11.464024688443613},
      {1e-12, -7.0344838253011313},  {1e-6, -4.7534243088228987},   {0.01, -2.3263478740408408},
      {0.025, -1.9599639845400545},  {0.3, -0.52440051270804089},   {0.49, -0.02506890825871106},
      {0.6, 0.25334710313579972},    {0.975, 1.959963984540054},    {0.999, 3.0902323061678132}};
  for (size_t i = 0; i < sizeof cdf / sizeof *cdf; i++)
    CHECK_NEAR(c, pgb_normal_cdf(cdf[i][0]), cdf[i][1], 1e-12, 0);
  for (size_t i = 0; i < sizeof ppf / sizeof *ppf; i++)
    CHECK_NEAR(c, pgb_normal_quantile(ppf[i][0]), ppf[i][1], 1e-11, 0);
  CHECK(c, pgb_normal_quantile(0.5) == 0);
  CHECK(c, isinf(pgb_normal_quantile(0)) && isinf(pgb_normal_quantile(1)));
  CHECK(c, isnan(pgb_normal_quantile(NAN)) && isnan(pgb_normal_quantile(-1)) && isnan(pgb_normal_cdf(NAN)));
  CHECK_NEAR(c, pgb_z_bound(1e-6, 10000), -pgb_normal_quantile(5e-11), 1e-12, 0);
  CHECK(c, pgb_z_bound(1e-6, 0) == pgb_z_bound(1e-6, 1));
}

static void test_student(checks *c) {
  static const double cdf[][3] = {{-1, 1, 0.25},
                                  {-0.01, 1, 0.49681700723509176},
                                  {-1e6, 1, 3.1830988618368455e-07},
                                  {-2.5, 2, 0.064805860110755398},
                                  {-12, 3, 0.00062250790039466801},
                                  {-40, 9, 9.4914992246699174e-12},
                                  {-1.96, 19, 0.032414489644484637},
                                  {-6, 99.5, 1.6044211817927941e-08},
                                  {-0.3, 255, 0.382210781750845},
                                  {-30, 255, 6.3911124323375038e-86},
                                  {-6, 1e4, 1.0208092364613102e-09},
                                  {-5, 1e7, 2.8665640375042664e-07},
                                  {-5, 1e9, 2.8665162019758112e-07},
                                  {2, 7.3, 0.95802948033294855},
                                  {-1e9, 2.5, 2.2747519237285154e-23}};
  static const double ppf[][3] = {{1e-12, 1, -318309886183.79067},   {1e-12, 2.7, -26172.084821932831},
                                  {1e-12, 19, -15.884838733726815},  {1e-12, 255, -7.3978059720850894},
                                  {1e-12, 1e6, -7.0345726084112566}, {0.025, 1, -12.706204736174705},
                                  {0.025, 4, -2.7764451051977944},   {0.025, 255, -1.9693105698498752},
                                  {0.3, 19, -0.53331388164220494},   {0.49, 3, -0.027211467049117996},
                                  {1e-30, 9, -5149.4402801632154},   {1e-100, 255, -35.407272710647403},
                                  {0.975, 12, 2.1788128296634177}};
  for (size_t i = 0; i < sizeof cdf / sizeof *cdf; i++)
    CHECK_NEAR(c, pgb_student_cdf(cdf[i][0], cdf[i][1]), cdf[i][2], 1e-10, 0);
  for (size_t i = 0; i < sizeof ppf / sizeof *ppf; i++)
    CHECK_NEAR(c, pgb_student_quantile(ppf[i][0], ppf[i][1]), ppf[i][2], 1e-10, 0);
  for (double dof = 0.5; dof < 3e6; dof *= 1.7)
    for (double p = 1e-13; p < 0.49; p *= 3)
      CHECK_NEAR(c, pgb_student_cdf(pgb_student_quantile(p, dof), dof), p, 1e-10, 0);
  CHECK(c, isnan(pgb_student_cdf(NAN, 3)) && isnan(pgb_student_quantile(0.1, NAN)));
  CHECK(c, pgb_student_cdf(-INFINITY, 3) == 0 && pgb_student_cdf(INFINITY, 3) == 1);
  CHECK(c, pgb_student_quantile(0.5, 3) == 0 && isinf(pgb_student_quantile(0, 3)));
}

static void test_ranges(checks *c) {
  static const uint64_t sizes[] = {1,   2,   10,  31,  32,  33,   40,    63,         64,        100,
                                   255, 256, 257, 511, 513, 1000, 10000, 1000000007, UINT64_MAX};
  CHECK(c, pgb_block_count(0, 1) == 0);
  for (size_t k = 0; k < 4 * (sizeof sizes / sizeof *sizes); k++) {
    static const size_t rooms[] = {1, 4096, 100000, 1000000000}; /* doubles of a block */
    static const size_t most[] = {PGB_MAX_BLOCKS, PGB_MAX_BLOCKS, 41, 32};
    const size_t i = k / 4, room = rooms[k % 4];
    const size_t count = pgb_block_count(sizes[i], room);
    uint64_t next = 0, first, end, width = 0;
    CHECK(c, count > 0 && count <= (sizes[i] < 1000 && most[k % 4] < 62 ? 62 : most[k % 4]));
    CHECK(c, count >= (sizes[i] < 32 ? sizes[i] : 32));
    for (size_t b = 0; b < count; b++) {
      pgb_block_range(sizes[i], room, b, &first, &end);
      CHECK(c, first == next && end > first && (b == 0 || end - first <= width));
      width = b == 0 ? end - first : width;
      next = end;
    }
    CHECK(c, next == sizes[i]);
  }
  CHECK(c,
        pgb_block_count(256, 1) == 256 && pgb_block_count(257, 1) == 129 && pgb_block_count(10000, 1) == 250);
  CHECK(c, pgb_block_count(1000000, 16385) == 255 && pgb_block_count(3200, 1000000000) == 32);
}

/* Skewed samples with correlated components, by address. */
static void sample(uint32_t stream, uint64_t replicate, size_t d, double shift, double *g) {
  uint32_t w[4];
  for (size_t k = 0; k < d; k++) {
    pgb_words(11, 1, stream, (uint32_t)replicate, 0, (uint32_t)k, w);
    const double u = (double)pgb_uniform(w[0]), v = (double)pgb_uniform_fine(w[1]);
    g[k] = shift + (u - 0.5) - log(v) * (double)(k + 1) + (k > 0 ? 0.5 * (g[k - 1] - shift) : 0);
  }
}

static double *fill(uint32_t stream, uint64_t n, size_t d, double shift, double **kept) {
  double *blocks = calloc(PGB_MAX_BLOCKS * pgb_block_size(d), sizeof *blocks), *g = calloc(n * d, sizeof *g);
  if (blocks == NULL || g == NULL)
    exit(1);
  for (size_t b = pgb_block_count(n, 1); b-- > 0;) { /* any order of filling */
    uint64_t first, end;
    pgb_block_range(n, 1, b, &first, &end);
    for (uint64_t i = first; i < end; i++) {
      sample(stream, i, d, shift, g + i * d);
      pgb_block_add(PGB_ISA_NONE)(blocks + b * pgb_block_size(d), d, g + i * d);
    }
  }
  if (kept != NULL)
    *kept = g;
  else
    free(g);
  return blocks;
}

/* The same figures by two plain passes over all samples. */
static void test_against_plain(checks *c, uint64_t n, size_t d, double shift) {
  double *g, *blocks = fill(1, n, d, shift, &g);
  double *mean = calloc(2 * d, sizeof *mean), *variance = mean + d, direction[64] = {0};
  pgb_summary s;
  pgb_summarise(dense(blocks, pgb_block_count(n, 1), d), mean, variance, &s);
  const double count = (double)n;
  double trace = 0, norm2 = 0, m[64], unit[64] = {0}, fourth = 0, second = 0, peak = 0, along = 0, norm_c = 0;
  for (size_t k = 0; k < d; k++) {
    double sum = 0, square = 0;
    for (uint64_t i = 0; i < n; i++)
      sum += g[i * d + k] - shift;
    m[k] = shift + sum / count;
    for (uint64_t i = 0; i < n; i++)
      square += (g[i * d + k] - m[k]) * (g[i * d + k] - m[k]);
    CHECK_NEAR(c, mean[k], m[k], 1e-12, 0);
    CHECK_NEAR(c, variance[k], square / (count - 1), 1e-9, 0);
    trace += square / (count - 1);
    norm2 += m[k] * m[k];
    direction[k] = (double)k - 0.7;
    norm_c += direction[k] * direction[k];
  }
  for (uint64_t i = 0; i < n; i++) {
    double q = 0, length = 0, dot = 0;
    for (size_t k = 0; k < d; k++) {
      const double x = g[i * d + k];
      q += (x - m[k]) * (x - m[k]);
      length += x * x;
      dot += x * direction[k];
    }
    for (size_t k = 0; k < d; k++)
      unit[k] += g[i * d + k] / sqrt(length);
    along += dot / sqrt(length * norm_c) / count;
    fourth += q * q / count;
    second += q / count;
    peak = fmax(peak, q);
  }
  double pairs = -count;
  for (size_t k = 0; k < d; k++)
    pairs += unit[k] * unit[k];
  CHECK_NEAR(c, s.trace, trace, 1e-9, 0);
  CHECK_NEAR(c, s.norm2, norm2, 1e-12, 0);
  CHECK_NEAR(c, s.signal2, norm2 - trace / count, 1e-9, 0);
  CHECK_NEAR(c, s.snr, (norm2 - trace / count) / trace, 1e-9, 0);
  CHECK_NEAR(c, s.cosine_pairwise, pairs / (count * (count - 1)), 1e-9, 1e-12);
  CHECK_NEAR(c, pgb_cosine_to(dense(blocks, pgb_block_count(n, 1), d), direction), along, 1e-9, 1e-12);
  CHECK_NEAR(c, s.kurtosis - 1, fourth / (second * second) - 1, n <= PGB_MAX_BLOCKS ? 1e-8 : 0.3, 1e-12);
  CHECK_NEAR(c, s.peak, peak, n <= PGB_MAX_BLOCKS ? 1e-8 : 0.55, 0); /* a bound within a factor 2 */
  CHECK(c, s.n == count && s.low < trace && trace < s.high && s.dof >= 1);
  CHECK(c, s.overlap > 1. / (double)d - 1e-12 && s.overlap <= 1);
  free(g);
  free(blocks);
  free(mean);
}

/* No bias of the kurtosis from blocks against that of the samples: the mean over many runs. */
static void test_kurtosis_blocks(checks *c) {
  double ratio = 0;
  enum { RUNS = 60, N = 2000 };
  for (uint32_t run = 0; run < RUNS; run++) {
    double *g, *blocks = fill(100 + run, N, 2, 0, &g), mean[2], variance[2], fourth = 0, second = 0;
    pgb_summary s;
    pgb_summarise(dense(blocks, pgb_block_count(N, 1), 2), mean, variance, &s);
    for (size_t i = 0; i < N; i++) {
      const double a = g[2 * i] - mean[0], b = g[2 * i + 1] - mean[1], q = a * a + b * b;
      fourth += q * q / N;
      second += q / N;
    }
    ratio += (s.kurtosis - 1) / (fourth / (second * second) - 1) / RUNS;
    free(g);
    free(blocks);
  }
  CHECK_NEAR(c, ratio, 1, 0.04, 0); /* 9 % / sqrt(60) is 1.2 % */
}

static void test_degenerate(checks *c) {
  double block[4 * 12] = {0}, mean[3], variance[3];
  const double g[3] = {0.1, -3, 1e8}, zero[3] = {0, 0, 0}, bad[3] = {1, NAN, 2},
               infinite[3] = {1, INFINITY, 2};
  pgb_summary s;
  pgb_summarise(dense(block, 4, 3), mean, variance, &s);
  CHECK(c, s.n == 0 && isnan(s.trace) && isnan(mean[0]) && isnan(s.low) && isnan(s.cosine_pairwise));
  pgb_block_add(PGB_ISA_NONE)(block, 3, g);
  pgb_summarise(dense(block, 1, 3), mean, variance, &s);
  CHECK(c,
        s.n == 1 && mean[2] == 1e8 && isnan(s.trace) && isnan(variance[1]) && isnan(s.low) && isnan(s.snr));
  for (int i = 0; i < 20; i++)
    pgb_block_add(PGB_ISA_NONE)(block + 12 * (i % 4), 3, g);
  pgb_summarise(dense(block, 4, 3), mean, variance, &s);
  CHECK(c, s.n == 21 && s.trace == 0 && s.low == 0 && s.high == 0 && isnan(s.kurtosis) && isinf(s.snr));
  CHECK_NEAR(c, s.cosine_pairwise, 1, 1e-12, 0);
  CHECK(c, pgb_z_trace(&s, 0, 1, 0) == 0 && pgb_z_mean(&s, mean, variance, 3, g, zero, 1, 0) == 0);
  for (int i = 0; i < 8; i++)
    pgb_block_add(PGB_ISA_NONE)(block + 12 * (i % 4), 3, zero);
  const double cosine = s.cosine_pairwise;
  pgb_summarise(dense(block, 4, 3), mean, variance, &s);
  CHECK_NEAR(c, s.cosine_pairwise, cosine, 1e-12, 0); /* zero vectors have no direction */
  CHECK(c, isinf(pgb_z_trace(&s, 0, 1, 0)) && isnan(pgb_cosine_to(dense(block, 4, 3), zero)));
  double other[4 * 12], ratio, low, high;
  memcpy(other, block, sizeof other);
  for (int i = 0; i < 2; i++) {
    pgb_block_add(PGB_ISA_NONE)(block + 12, 3, i == 0 ? bad : infinite);
    pgb_block_add(PGB_ISA_NONE)(other + 12, 3, g);
    pgb_summarise(dense(block, 4, 3), mean, variance, &s);
    CHECK(c, isnan(s.trace) && isnan(s.low) && isnan(s.high) && isnan(s.kurtosis) && isnan(s.norm2));
    CHECK(c, isnan(variance[1]) && isnan(s.cosine_pairwise) && !isnan(variance[0]) && mean[2] > 0);
    CHECK(c, isnan(pgb_z_trace(&s, 1, 1, 0)) && isnan(pgb_z_mean(&s, mean, variance, 3, g, NULL, 1, 0)));
    pgb_ratio(dense(block, 4, 3), dense(other, 4, 3), &ratio, &low, &high);
    CHECK(c, isnan(ratio) && isnan(low) && isnan(high));
    CHECK(c, isnan(pgb_cosine_to(dense(block, 4, 3), g)));
  }
  pgb_summarise(dense(other, 4, 3), mean, variance, &s);
  CHECK(c, isfinite(s.low) && isfinite(s.high));
}

static void test_ratio(checks *c) {
  enum { N = 700, D = 5 };
  double *a = fill(2, N, D, 0, NULL), *b = fill(2, N, D, 3, NULL), *other = fill(3, N, D, 0, NULL);
  double *scaled = calloc(PGB_MAX_BLOCKS * pgb_block_size(D), sizeof *scaled), g[D], ratio, low, high;
  const size_t blocks = pgb_block_count(N, 1);
  for (size_t i = 0; i < N; i++) {
    sample(2, i, D, 0, g);
    for (size_t k = 0; k < D; k++)
      g[k] *= 2;
    pgb_block_add(PGB_ISA_NONE)(scaled + i / 3 * pgb_block_size(D), D, g);
  }
  pgb_ratio(dense(a, blocks, D), dense(a, blocks, D), &ratio, &low, &high);
  CHECK(c, ratio == 1 && low == 1 && high == 1);
  pgb_ratio(dense(scaled, blocks, D), dense(b, blocks, D), &ratio, &low,
            &high); /* an exact multiple, a shift apart: no doubt at all */
  CHECK_NEAR(c, ratio, 4, 1e-12, 0);
  CHECK_NEAR(c, high - low, 0, 0, 1e-9);
  double ra, la, ha;
  pgb_ratio(dense(a, blocks, D), dense(other, blocks, D), &ra, &la, &ha);
  pgb_ratio(dense(other, blocks, D), dense(a, blocks, D), &ratio, &low, &high);
  CHECK_NEAR(c, ra * ratio, 1, 1e-12, 0);
  CHECK_NEAR(c, la * high, 1, 1e-9, 0);
  CHECK_NEAR(c, ha * low, 1, 1e-9, 0);
  CHECK(c, la < 1 && 1 < ha && ha - la > 0.01);
  free(a);
  free(b);
  free(other);
  free(scaled);
}

/* Blocks of two pairs that lie between each other give the figures of the same blocks side by side. */
static void test_stride(checks *c) {
  enum { N = 60, D = 300 }; /* more components than are pooled at a time */
  const size_t size = pgb_block_size(D), stride = 2 * size + 5, n = pgb_block_count(N, 1);
  double *apart[2] = {fill(2, N, D, 0, NULL), fill(3, N, D, 1, NULL)};
  double *mixed = calloc(n * stride, sizeof *mixed), *out = calloc(4 * D, sizeof *out);
  pgb_summary s[2];
  for (size_t b = 0; b < n; b++)
    for (size_t i = 0; i < 2; i++)
      memcpy(mixed + b * stride + i * size, apart[i] + b * size, size * sizeof *mixed);
  const pgb_blocks own = {mixed + size, n, stride, D}, other = {mixed, n, stride, D};
  pgb_summarise(dense(apart[1], n, D), out, out + D, &s[0]);
  pgb_summarise(own, out + 2 * D, out + 3 * D, &s[1]);
  CHECK(c, memcmp(out, out + 2 * D, 2 * D * sizeof *out) == 0 && memcmp(&s[0], &s[1], sizeof s[0]) == 0);
  CHECK(c, pgb_cosine_to(dense(apart[1], n, D), out) == pgb_cosine_to(own, out));
  CHECK(c, pgb_z_joint(dense(apart[1], n, D), out + D, out + D, NULL, 1, 0) ==
               pgb_z_joint(own, out + D, out + D, NULL, 1, 0));
  double apart_ratio[3], ratio[3], same[3];
  pgb_ratio(dense(apart[1], n, D), dense(apart[0], n, D), &apart_ratio[0], &apart_ratio[1], &apart_ratio[2]);
  pgb_ratio(own, other, &ratio[0], &ratio[1], &ratio[2]);
  pgb_ratio(own, dense(apart[1], n, D), &same[0], &same[1], &same[2]);
  CHECK(c, memcmp(apart_ratio, ratio, sizeof ratio) == 0 && ratio[0] != 1);
  CHECK(c, same[0] == 1 && same[1] == 1 && same[2] == 1);
  free(apart[0]);
  free(apart[1]);
  free(mixed);
  free(out);
}

/* Gaussian-like summaries: what the z-scores must and must not see. */
static void test_judges(checks *c) {
  pgb_summary s = {.n = 2000, .trace = 1, .log_se = sqrt(2. / 2000), .dof = 249, .norm2 = 1, .peak = 12};
  CHECK(c, pgb_z_trace(&s, 1, 16, 0) == 0 && pgb_z_trace(&s, 1 + 9e-6, 16, 0) == 0);
  CHECK(c,
        pgb_z_trace(&s, 1 / 0.9, 16, 0) < -2.3 && pgb_z_trace(&s, 1 / 1.1, 16, 0) > 2.5); /* 3.2 unguarded */
  CHECK(c, isinf(pgb_z_trace(&s, 0, 16, 0)) && pgb_z_trace(&s, 0.5, 16, 0) > 8);
  CHECK(c, pgb_z_trace(&s, 2, 16, 0) < -8);
  CHECK(c, pgb_z_trace(&s, 2, 1, 0) > -4);      /* 2000 single episodes may have missed a rare one */
  CHECK(c, pgb_z_trace(&s, 1e4, 16, 0) > -1.5); /* as a nearly deterministic policy's do */
  s.n = 1e4;
  s.log_se = sqrt(2. / 1e4);
  CHECK(c, pgb_z_trace(&s, 1 / 0.88, 1, 0) < -6 && pgb_z_trace(&s, 1 / 1.12, 1, 0) > 6);
  s.trace = s.log_se = s.peak = 0;
  CHECK(c, pgb_z_trace(&s, 1, 64, 0) < -6); /* all replicates alike: a reused random number */
  s.trace = 1e-13;
  CHECK(c, pgb_z_trace(&s, 0, 1, 0) == 0 && pgb_z_trace(&s, 0, 1, 1e6) == 0); /* float32 rounding */
  s.trace = 1e-3;
  CHECK(c, isinf(pgb_z_trace(&s, 0, 1, 0)) && pgb_z_trace(&s, 0, 1, 1e8) == 0);

  const double exact[2] = {1, 2}, one[2] = {1, 1}, none[2] = {0, 0}, off[2] = {1, 1.9},
               near[2] = {1, 2 - 1e-5};
  s = (pgb_summary){.n = 1e4, .trace = 2, .log_se = 0.01, .dof = 249, .norm2 = 5, .peak = 20};
  CHECK(c, pgb_z_mean(&s, exact, one, 2, exact, one, 1, 0) == 0);
  CHECK(c, pgb_z_mean(&s, off, one, 2, exact, one, 1, 0) < -9 &&
               pgb_z_mean(&s, off, one, 2, exact, NULL, 1, 0) < -8);
  CHECK(c, pgb_z_mean(&s, near, one, 2, exact, none, 1, 0) == 0);
  CHECK(c, isinf(pgb_z_mean(&s, off, one, 2, exact, none, 1, 0)));
  CHECK(c, pgb_z_mean(&s, off, one, 2, exact, none, 1, 1e10) == 0);
  s.n = 20; /* zero measured variance of a rare event says nothing about the mean */
  CHECK(c, fabs(pgb_z_mean(&s, off, none, 2, exact, NULL, 1, 0)) < 0.2);
}

/* A bias of 1.5 standard errors in each of 200 components: no single one convicts, together they do. */
static void test_joint(checks *c) {
  enum { N = 4000, D = 200 };
  double *blocks = fill(7, N, D, 0, NULL), *mean = calloc(3 * D, sizeof *mean), *variance = mean + D,
         *exact = mean + 2L * D;
  const size_t count = pgb_block_count(N, 1);
  pgb_summary s;
  pgb_summarise(dense(blocks, count, D), mean, variance, &s);
  double true_mean = 0;
  for (size_t k = 0; k < D; k++)
    exact[k] = true_mean = (double)(k + 1) + 0.5 * true_mean;
  CHECK(c, pgb_z_joint(dense(blocks, count, D), variance, exact, NULL, 16, 0) < 3.5);
  for (size_t k = 0; k < D; k++)
    exact[k] += (k % 2 == 0 ? 2.5 : -2.5) * sqrt(variance[k] / N);
  CHECK(c, pgb_z_joint(dense(blocks, count, D), variance, exact, NULL, 16, 0) > 6);
  CHECK(c, pgb_z_joint(dense(blocks, 8, D), variance, exact, NULL, 1, 0) == 0);
  variance[3] = NAN;
  CHECK(c, isnan(pgb_z_joint(dense(blocks, count, D), variance, exact, NULL, 1, 0)));
  free(blocks);
  free(mean);
}

int main(void) {
  checks c = {0, 0};
  test_normal(&c);
  test_student(&c);
  test_ranges(&c);
  static const uint64_t n[] = {2, 10, 255, 256, 257, 1000, 3001};
  for (size_t i = 0; i < sizeof n / sizeof *n; i++)
    for (size_t d = 1; d < 14; d += 4) {
      test_against_plain(&c, n[i], d, 0);
      test_against_plain(&c, n[i], d, 1e6);
    }
  test_kurtosis_blocks(&c);
  test_degenerate(&c);
  test_ratio(&c);
  test_stride(&c);
  test_judges(&c);
  test_joint(&c);
  return check_end(&c, "test_stats");
}
