/* SPDX-License-Identifier: MIT */
/* The law of pgb_normal_pair over 2^26 draws, each value of a pair by itself: tails at |z| = 1 to 5.5 against
 * the exact normal, moments to the eighth, histogram, and independence of the two; then every word at the
 * ends of its range, where the logarithm and the largest values are. */
#include "check.h"
#include "core/rng.h"
#include "core/vmath.h"
#include "rng_lanes.h"

enum { L = PGB_LANES, BLOCKS = 1 << 18, PAIRS = 2 * L, TAILS = 10, MOMENTS = 8, BINS = 200 };
#define ROOT_HALF 0.70710678118654752
/* Bounds are in standard errors; 5.3 of them is one in ten million, the planned failure of one check. */
#define ERRORS 5.3

typedef struct one_value {
  double beyond[TAILS][2];   /* counts of z < -level, z > level */
  double power[MOMENTS + 1]; /* sums of z^k */
  double bin[BINS];          /* of the probability integral, of every 16th block */
} one_value;

typedef struct law {
  one_value of[2];
  double pairs, binned;
  double product, squares, angle, both_far; /* of a pair: z0 z1, and so on */
  double neighbour;                         /* z0 of one lane, z0 of the next */
} law;

static double level(int k) {
  return 1 + 0.5 * k;
}

static void add_values(one_value *v, const float *z) {
  for (int k = 0; k < TAILS; k++) {
    const float far = (float)level(k);
    int below = 0;
    int above = 0;
    for (size_t i = 0; i < PAIRS; i++) {
      below += z[i] < -far;
      above += z[i] > far;
    }
    v->beyond[k][0] += below;
    v->beyond[k][1] += above;
  }
  for (size_t i = 0; i < PAIRS; i++) {
    double p = 1;
    for (int k = 0; k <= MOMENTS; k++) {
      v->power[k] += p;
      p *= (double)z[i];
    }
  }
}

static void add_bins(one_value *v, const float *z) {
  for (size_t i = 0; i < PAIRS; i++) {
    const double u = 0.5 * erfc(-(double)z[i] * ROOT_HALF) * BINS;
    v->bin[u < BINS ? (size_t)u : BINS - 1]++;
  }
}

static void add_pairs(law *s, const float *z0, const float *z1) {
  for (size_t i = 0; i < PAIRS; i++) {
    const double a = (double)z0[i];
    const double b = (double)z1[i];
    s->product += a * b;
    s->squares += (a * a - 1) * (b * b - 1);
    s->angle += a * b * (a * a - b * b); /* the angle of the pair in units of pi / 4 */
    s->both_far += fabs(a) > 2 && fabs(b) > 2;
    s->neighbour += a * (double)z0[i ^ 1];
  }
  s->pairs += PAIRS;
}

static void sample(law *s) {
  static rng_philox_fn *const philox[PGB_ISA_COUNT] = PGB_DISPATCH(rng_philox);
  static rng_normal_fn *const normal[PGB_ISA_COUNT] = PGB_DISPATCH(rng_normal);
  pgb_isa isa = PGB_ISA_NONE;
  const pgb_status parsed = pgb_isa_parse("auto", &isa);
  if (parsed.code != PGB_OK)
    isa = PGB_ISA_NONE;
  uint32_t replicate[L], number[L], block[L], words[4 * L];
  float z0[PAIRS], z1[PAIRS];
  for (uint32_t b = 0; b < BLOCKS; b++) {
    for (uint32_t i = 0; i < L; i++) {
      replicate[i] = b;
      number[i] = i;
      block[i] = i / 8;
    }
    philox[isa](77, (uint32_t)PGB_USE_ACTION << PGB_STREAM_BITS, replicate, number, block, words);
    normal[isa](L, words, words + L, z0, z1);
    normal[isa](L, words + 2 * L, words + 3 * L, z0 + L, z1 + L);
    add_values(&s->of[0], z0);
    add_values(&s->of[1], z1);
    add_pairs(s, z0, z1);
    if (b % 16 == 0) {
      add_bins(&s->of[0], z0);
      add_bins(&s->of[1], z1);
      s->binned += PAIRS;
    }
  }
}

/* Probability that a Poisson count of this mean is at most k. */
static double poisson_to(double mean, double k) {
  double term = exp(-mean);
  double sum = term;
  for (int i = 1; i <= (int)k; i++) {
    term *= mean / i;
    sum += term;
  }
  return sum;
}

/* A count of n trials of chance p: its exact law while few are expected, else standard errors. */
static void check_count(checks *c, double count, double n, double p) {
  const double mean = n * p;
  if (mean > 200) {
    CHECK_NEAR(c, count, mean, 0, ERRORS * sqrt(mean * (1 - p)));
    return;
  }
  const int likely = poisson_to(mean, count) > 1e-7 && 1 - poisson_to(mean, count - 1) > 1e-7;
  CHECK(c, likely);
  if (!likely)
    (void)fprintf(stderr, "  %g counted where %g are expected\n", count, mean);
}

static void test_tails(checks *c, const law *s) {
  for (int k = 0; k < TAILS; k++) {
    const double chance = 0.5 * erfc(level(k) * ROOT_HALF);
    for (int value = 0; value < 2; value++)
      for (int side = 0; side < 2; side++)
        check_count(c, s->of[value].beyond[k][side], s->pairs, chance);
    const double(*a)[2] = s->of[0].beyond;
    const double(*b)[2] = s->of[1].beyond;
    const double all = a[k][0] + a[k][1] + b[k][0] + b[k][1];
    check_count(c, all, 4 * s->pairs, chance);
    printf("|z| > %.1f: %.0f, expected %.1f\n", level(k), all, 4 * s->pairs * chance);
  }
}

/* E[z^k] is 1 * 3 * ... * (k - 1) for even k. */
static double normal_moment(int k) {
  double m = k % 2 == 0 ? 1 : 0;
  for (int i = 1; i < k; i += 2)
    m *= i;
  return m;
}

static void test_moments(checks *c, const law *s) {
  for (int value = 0; value < 2; value++)
    for (int k = 1; k <= MOMENTS; k++) {
      const double mean = normal_moment(k);
      const double spread = sqrt((normal_moment(2 * k) - mean * mean) / s->pairs);
      CHECK_NEAR(c, s->of[value].power[k] / s->pairs, mean, 0, ERRORS * spread);
    }
}

static void test_histogram(checks *c, const law *s) {
  const double expected = s->binned / BINS;
  for (int value = 0; value < 2; value++) {
    double chi2 = 0;
    for (size_t i = 0; i < BINS; i++)
      chi2 += pow(s->of[value].bin[i] - expected, 2) / expected;
    CHECK_NEAR(c, chi2, BINS - 1, 0, 6 * sqrt(2 * (BINS - 1.0)));
  }
}

static void test_independence(checks *c, const law *s) {
  const double n = s->pairs;
  CHECK_NEAR(c, s->product / n, 0, 0, ERRORS / sqrt(n));
  CHECK_NEAR(c, s->squares / n, 0, 0, ERRORS * 2 / sqrt(n));
  CHECK_NEAR(c, s->angle / n, 0, 0, ERRORS * sqrt(24 / n));    /* E[a^2 b^2 (a^2 - b^2)^2] = 24 */
  CHECK_NEAR(c, s->neighbour / n, 0, 0, ERRORS * sqrt(2 / n)); /* each pair of lanes counts twice */
  check_count(c, s->both_far, n, pow(erfc(2 * ROOT_HALF), 2));
}

/* The radius takes the first word's upper 31 bits and the angle the second's upper 24: all words at both ends
 * of the first, where the radius is largest and smallest, and every angle at the largest radius. */
static void test_extremes(checks *c) {
  const float bound = 6.6604f; /* sqrt(-2 ln 2^-32) = 6.66044 */
  int wrong = 0;
  float largest = 0;
  for (uint32_t angle = 0; angle < 1u << 24; angle++) {
    float z[2];
    pgb_normal_pair(angle & 1, angle << 8 | (angle & 0xff), &z[0], &z[1]);
    for (size_t j = 0; j < 2; j++) {
      wrong += !(fabsf(z[j]) <= bound + 1e-3f);
      largest = fmaxf(largest, fabsf(z[j]));
    }
    if (angle % 61 == 0) {
      const double turn = 6.283185307179586 * ((angle + 0.5) * 0x1p-24 - 0.5);
      const double radius = sqrt(-2 * log(0x1p-32));
      wrong +=
          !(fabs((double)z[0] - radius * cos(turn)) < 4e-6 && fabs((double)z[1] - radius * sin(turn)) < 4e-6);
    }
  }
  CHECK(c, wrong == 0 && largest > bound - 1e-3f);
  static const uint32_t angles[] = {0,          1,          0xff,       0x3fffffff, 0x40000000, 0x7fffffff,
                                    0x80000000, 0xbfffffff, 0xc0000000, 0xfffffeff, 0xffffffff};
  for (uint32_t k = 0; k < 1u << 20; k++) {
    const uint32_t ends[] = {k, UINT32_MAX - k};
    for (size_t e = 0; e < 2; e++) {
      float z[2];
      pgb_normal_pair(ends[e], angles[k % (sizeof angles / sizeof *angles)], &z[0], &z[1]);
      const float radius2 = -2 * logf(((float)(ends[e] >> 1) + 0.5f) * 0x1p-31f);
      wrong += !(fabsf(z[0] * z[0] + z[1] * z[1] - radius2) <= 1e-5f * radius2 + 1e-9f);
    }
  }
  CHECK(c, wrong == 0);
  for (size_t a = 0; a < sizeof angles / sizeof *angles; a++) {
    float z[2];
    pgb_normal_pair(UINT32_MAX, angles[a], &z[0], &z[1]); /* a uniform of 1: radius 0 */
    CHECK(c, z[0] == 0 && z[1] == 0);
  }
  printf("largest |z|: %.7f\n", (double)largest);
}

int main(void) {
  checks c = {0, 0};
  static law s;
  sample(&s);
  test_tails(&c, &s);
  test_moments(&c, &s);
  test_histogram(&c, &s);
  test_independence(&c, &s);
  test_extremes(&c);
  return check_end(&c, "rng_normal");
}
