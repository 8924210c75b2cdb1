/* SPDX-License-Identifier: MIT */
/* The straight-line functions of core/vmath.h against libm in double, at the errors and over the ranges their
 * comments state, and the same bits from every copy of a kernel that uses them. */
#include "core/vmath.h"

#include "check.h"
#include "kernels.h"

/* |got - exact| in units in the last place of the float nearest to the exact value. */
static double ulps(float got, double exact) {
  int e;
  (void)frexp(exact, &e);
  const double unit = ldexp(1, e - 24);
  return fabs((double)got - exact) / unit;
}

/* Every stride-th float of [low, high] of one sign, by its bits. */
enum { STRIDE = 401 };

static void test_exp(checks *c) {
  double worst = 0;
  const int32_t top = pgb_float_bits(88.0f), least = pgb_float_bits(1e-30f);
  for (int32_t bits = least; bits <= top; bits += STRIDE) {
    const float x = pgb_bits_float(bits);
    worst = fmax(worst, ulps(pgb_exp(x), exp((double)x)));
    if (x <= 87.0f)
      worst = fmax(worst, ulps(pgb_exp(-x), exp(-(double)x)));
  }
  printf("exp: %.3f ulp\n", worst);
  CHECK(c, worst <= 1.11);
  CHECK(c, pgb_exp(0.0f) == 1.0f && pgb_exp(-0.0f) == 1.0f);
  CHECK(c, pgb_exp(-1000.0f) == pgb_exp(-87.0f) && pgb_exp(1000.0f) == pgb_exp(88.0f));
  CHECK(c, pgb_exp(-INFINITY) == pgb_exp(-87.0f) && pgb_exp(INFINITY) == pgb_exp(88.0f));
  CHECK(c, pgb_exp(-87.0f) > 0 && isfinite(pgb_exp(88.0f)));
}

static void test_exp2(checks *c) {
  double worst = 0;
  const int32_t top = pgb_float_bits(120.0f), least = pgb_float_bits(1e-30f);
  for (int32_t bits = least; bits <= top; bits += STRIDE) {
    const float x = pgb_bits_float(bits);
    worst = fmax(worst, ulps(pgb_exp2(x), exp2((double)x)));
    worst = fmax(worst, ulps(pgb_exp2(-x), exp2(-(double)x)));
  }
  printf("exp2: %.3f ulp\n", worst);
  CHECK(c, worst <= 1.16);
  CHECK(c, pgb_exp2(0.0f) == 1.0f && pgb_exp2(-0.0f) == 1.0f && pgb_exp2(-3.0f) == 0.125f);
  size_t wrong = 0;
  for (int32_t bits = top; bits < pgb_float_bits(INFINITY); bits += STRIDE)
    wrong += pgb_exp2(pgb_bits_float(bits)) != 0x1p120f || pgb_exp2(-pgb_bits_float(bits)) != 0x1p-120f;
  CHECK(c, wrong == 0);
  CHECK(c, pgb_exp2(INFINITY) == 0x1p120f && pgb_exp2(-INFINITY) == 0x1p-120f);
}

static void test_log(checks *c) {
  double worst = 0;
  const int32_t top = pgb_float_bits(3.4e38f), least = pgb_float_bits(0x1p-126f);
  for (int32_t bits = least; bits <= top; bits += STRIDE) {
    const float x = pgb_bits_float(bits);
    if (x != 1.0f)
      worst = fmax(worst, ulps(pgb_log(x), log((double)x)));
  }
  for (int32_t k = -100000; k <= 100000; k++) { /* the neighbours of 1, where the result is smallest */
    const float x = pgb_bits_float(pgb_float_bits(1.0f) + k);
    if (k != 0)
      worst = fmax(worst, ulps(pgb_log(x), log((double)x)));
  }
  printf("log: %.3f ulp\n", worst);
  CHECK(c, worst <= 0.96);
  CHECK(c, pgb_log(1.0f) == 0.0f);
}

static double sincos_error(float x) {
  float s;
  float k;
  pgb_sincos(x, &s, &k);
  return fmax(fabs((double)s - sin((double)x)), fabs((double)k - cos((double)x)));
}

static void test_sincos(checks *c) {
  double worst = 0, unit = 0;
  const int32_t top = pgb_float_bits(8191.9f), least = pgb_float_bits(1e-30f);
  for (int32_t bits = least; bits <= top; bits += STRIDE) {
    const float x = pgb_bits_float(bits);
    worst = fmax(worst, fmax(sincos_error(x), sincos_error(-x)));
  }
  for (int32_t q = -5215; q <= 5215; q++) { /* multiples of pi/2, where the reduction cancels most */
    const int32_t centre = pgb_float_bits((float)(q * 1.5707963267948966));
    for (int32_t k = -20; k <= 20; k++)
      worst = fmax(worst, q == 0 ? 0 : sincos_error(pgb_bits_float(centre + k)));
  }
  for (int32_t k = 0; k < 1000000; k++) {
    float s;
    float r;
    pgb_sincos((float)(k * 8e-3), &s, &r);
    unit = fmax(unit, fabs((double)s * (double)s + (double)r * (double)r - 1));
  }
  printf("sincos: %.4g\n", worst);
  CHECK(c, worst <= 9.5e-8);
  CHECK(c, unit <= 3e-7);
  float s;
  float r;
  pgb_sincos(0.0f, &s, &r);
  CHECK(c, s == 0.0f && r == 1.0f);
}

static void test_sincos_near(checks *c) {
  double worst = 0;
  for (int32_t bits = pgb_float_bits(1e-30f); bits <= pgb_float_bits(0.25f); bits += STRIDE)
    for (int sign = -1; sign <= 1; sign += 2) {
      const float x = (float)sign * pgb_bits_float(bits);
      float s;
      float k;
      pgb_sincos_near(x, &s, &k);
      worst = fmax(worst, fmax(fabs((double)s - sin((double)x)), fabs((double)k - cos((double)x))));
    }
  printf("sincos_near: %.4g\n", worst);
  CHECK(c, worst <= 4.6e-8);
}

static void test_sincos_wrapped(checks *c) {
  const float pi = 3.14159265f;
  double quarter = 0, worst = 0;
  size_t odd = 0;
  for (int32_t bits = pgb_float_bits(1e-30f); bits <= pgb_float_bits(1.5707973f); bits += STRIDE) {
    const float x = pgb_bits_float(bits);
    quarter = fmax(quarter, ulps(pgb_sin_quarter(x), sin((double)x)));
    odd += pgb_sin_quarter(-x) != -pgb_sin_quarter(x);
  }
  for (int32_t bits = pgb_float_bits(1e-30f); bits <= pgb_float_bits(pi) + 4;
       bits += bits < pgb_float_bits(3.1415f) ? STRIDE : 1)
    for (int sign = -1; sign <= 1; sign += 2) {
      const float x = (float)sign * pgb_bits_float(bits);
      float s;
      float k;
      pgb_sincos_wrapped(x, &s, &k);
      worst = fmax(worst, fmax(fabs((double)s - sin((double)x)), fabs((double)k - cos((double)x))));
    }
  printf("sin_quarter: %.3f ulp, sincos_wrapped: %.4g\n", quarter, worst);
  CHECK(c, quarter <= 2.4 && worst <= 1.5e-7 && odd == 0);
  float s;
  float k;
  pgb_sincos_wrapped(0.0f, &s, &k);
  CHECK(c, s == 0.0f && k == 1.0f);
}

static void test_tanh(checks *c) {
  double worst = 0;
  float last = 0;
  size_t wrong = 0;
  const int32_t top = pgb_float_bits(20.0f), least = pgb_float_bits(1e-30f);
  for (int32_t bits = least; bits <= top; bits += STRIDE) {
    const float x = pgb_bits_float(bits), y = pgb_tanh(x);
    worst = fmax(worst, ulps(y, tanh((double)x)));
    wrong += pgb_tanh(-x) != -y || y > 1.0f || y < last - 5e-7f * last;
    last = y;
  }
  printf("tanh: %.3f ulp\n", worst);
  CHECK(c, worst <= 4.9);
  CHECK(c, wrong == 0);
  CHECK(c, pgb_tanh(0.0f) == 0.0f && pgb_tanh(INFINITY) == pgb_tanh(9.0f) && pgb_tanh(9.0f) > 0.9999997f);
  CHECK(c, pgb_tanh(-INFINITY) == -pgb_tanh(9.0f));
}

static void test_round(checks *c) {
  size_t wrong = 0;
  for (int32_t k = -4000000; k <= 4000000; k += 7) {
    wrong += pgb_round((float)k) != (float)k;
    if (k > -1000000 && k < 1000000)
      wrong += pgb_round((float)k + 0.25f) != (float)k || pgb_round((float)k - 0.25f) != (float)k;
  }
  CHECK(c, wrong == 0);
}

static void test_wrap(checks *c) {
  const double turn = 6.28318530717958647693;
  double worst = 0, beyond = 0;
  const int32_t top = pgb_float_bits(8191.9f), least = pgb_float_bits(1e-3f);
  for (int32_t bits = least; bits <= top; bits += 51) {
    const float x = pgb_bits_float(bits), y = pgb_wrap(x);
    worst = fmax(worst, fabs(remainder((double)y - (double)x, turn)));
    beyond = fmax(beyond, fabs((double)y) - turn / 2 - 1e-7 * (double)x);
    worst = fmax(worst, fabs((double)pgb_wrap(-x) + (double)y)); /* odd */
  }
  printf("wrap: %.3g\n", worst);
  CHECK(c, worst <= 1.9e-7 && beyond <= 2e-7);
  for (int32_t k = -3141; k <= 3141; k++) /* what needs no turn keeps its bits */
    CHECK(c, pgb_wrap((float)k * 1e-3f) == (float)k * 1e-3f);
}

static void test_clip(checks *c) {
  CHECK(c, pgb_clip(-2.5f, -2.0f, 3.0f) == -2.0f && pgb_clip(3.5f, -2.0f, 3.0f) == 3.0f);
  CHECK(c, pgb_clip(-2.0f, -2.0f, 3.0f) == -2.0f && pgb_clip(0.25f, -2.0f, 3.0f) == 0.25f);
  CHECK(c, pgb_clip(-INFINITY, -2.0f, 3.0f) == -2.0f && pgb_clip(INFINITY, -2.0f, 3.0f) == 3.0f);
  CHECK(c, isnan(pgb_clip(NAN, -2.0f, 3.0f)));
}

/* Normal pairs against the same formula in double. */
static void test_normal_pair(checks *c) {
  double worst = 0;
  for (uint32_t i = 0; i < 200000; i++) {
    uint32_t w[4];
    float z0;
    float z1;
    pgb_words(9, 1, 0, 0, 0, i, w);
    pgb_normal_pair(w[0], w[1], &z0, &z1);
    const double radius = sqrt(-2 * log((double)pgb_uniform_fine(w[0])));
    const double angle = 2 * 3.14159265358979323846 * ((double)pgb_uniform(w[1]) - 0.5);
    worst = fmax(worst, fabs((double)z0 - radius * cos(angle)));
    worst = fmax(worst, fabs((double)z1 - radius * sin(angle)));
  }
  printf("normal pair: %.3g\n", worst);
  CHECK(c, worst < 2e-6);
  float z0;
  float z1;
  pgb_normal_pair(0, 0, &z0, &z1);
  CHECK(c, hypot((double)z0, (double)z1) > 6.5 && hypot((double)z0, (double)z1) < 6.7);
  pgb_normal_pair(UINT32_MAX, 0, &z0, &z1);
  CHECK(c, z0 == 0 && z1 == 0);
}

/* gaussian's reward noise is pgb_normal_pair alone where the curvature is 0. */
static void check_noise(checks *c, pgb_isa isa, const pgb_actor *actor) {
  pgb_batch *b = NULL;
  CHECK_OK(c, pgb_batch_create(&actor->space, &b));
  if (b == NULL)
    return;
  size_t wrong = 0;
  for (uint32_t round = 0; round < 500; round++) {
    uint32_t words[2][PGB_LANES];
    for (uint32_t i = 0; i < PGB_LANES; i++) {
      uint32_t w[4];
      pgb_words(1, 1, 0, round, 0, i, w);
      words[0][i] = w[0];
      words[1][i] = w[1];
    }
    b->words = &words[0][0];
    actor->env->step(actor->env_params, b);
    for (size_t i = 0; i < PGB_LANES; i++) {
      float z0;
      float z1;
      pgb_normal_pair(words[0][i], words[1][i], &z0, &z1);
      wrong += b->reward[i] != z0;
    }
  }
  if (wrong != 0)
    fprintf(stderr, "%s: %zu normals differ\n", pgb_isa_name(isa), wrong);
  CHECK(c, wrong == 0);
  pgb_batch_destroy(b);
}

/* With learn_sigma the policy draws mean + e^log_sigma z: exp, log, sqrt, sine and cosine. softmax: exp over
 * its range. */
static void check_exp(checks *c, pgb_isa isa, const pgb_actor *actor) {
  enum { ROUNDS = 200 };
  size_t wrong = 0;
  for (uint32_t round = 0; round < ROUNDS; round++) {
    float theta[2] = {0, 20.0f * (float)kernel_noise(5, round)};
    float obs[PGB_LANES] = {0}, act[PGB_LANES], delta[2 * PGB_LANES];
    uint32_t words[2][PGB_LANES];
    for (uint32_t i = 0; i < PGB_LANES; i++) {
      uint32_t w[4];
      pgb_words(2, 1, 0, round, 0, i, w);
      words[0][i] = w[0];
      words[1][i] = w[1];
    }
    actor->policy->sample(actor->policy_params, theta, obs, &words[0][0], ~(uint64_t)0, act, delta, NULL);
    for (size_t i = 0; i < PGB_LANES; i++) {
      float z0;
      float z1;
      pgb_normal_pair(words[0][i], words[1][i], &z0, &z1);
      wrong += act[i] != pgb_exp(theta[1]) * z0;
    }
  }
  if (wrong != 0)
    fprintf(stderr, "%s: %zu actions differ\n", pgb_isa_name(isa), wrong);
  CHECK(c, wrong == 0);
}

static void test_copies(checks *c) {
  for (int i = 0; i < PGB_ISA_COUNT; i++) {
    const pgb_isa isa = (pgb_isa)i;
    if (!pgb_isa_supported(isa))
      continue;
    pgb_study *study = kernel_study(c,
                                    "env: {name: gaussian, curvature: 0, noise: 1}\n"
                                    "policy: {name: gaussian-linear, learn_sigma: true}\n",
                                    isa);
    if (study == NULL)
      return;
    check_noise(c, isa, &study->cells[0].actor);
    check_exp(c, isa, &study->cells[0].actor);
    pgb_study_destroy(study);
  }
}

int main(void) {
  checks c = {0, 0};
  test_exp(&c);
  test_exp2(&c);
  test_log(&c);
  test_sincos(&c);
  test_sincos_near(&c);
  test_sincos_wrapped(&c);
  test_tanh(&c);
  test_round(&c);
  test_wrap(&c);
  test_clip(&c);
  test_normal_pair(&c);
  test_copies(&c);
  return check_end(&c, "vmath");
}
