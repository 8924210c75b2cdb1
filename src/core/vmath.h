/* SPDX-License-Identifier: MIT */
/* For authors of environments. */
#ifndef PGB_CORE_VMATH_H
#define PGB_CORE_VMATH_H

#include "core/rng.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Straight-line float32 functions for lane loops: no branch, no table, no errno, so that the compiler turns
 * them into vector code, and the same bits in every lane, vector width and compiler (only correctly rounded
 * operations; build with -ffp-contract=off). Coefficients: weighted minimax fits of our own (Lawson iteration
 * in double); the errors stated are the largest over every float of the ranges stated; tests/test_vmath.c
 * samples them. */

static inline float pgb_bits_float(int32_t bits) {
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

static inline int32_t pgb_float_bits(float f) {
  int32_t bits;
  memcpy(&bits, &f, sizeof bits);
  return bits;
}

/* Nearest integer of |x| < 2^22 as a float: adding 1.5 * 2^23 leaves no bits for a fraction. */
static inline float pgb_round(float x) {
  return (x + 12582912.0f) - 12582912.0f;
}

/* e^x, 1.11 ulp; x below -87 gives e^-87, above 88 gives e^88. */
static inline float pgb_exp(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  const float n = pgb_round(x * 1.44269504f);
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f; /* ln 2 in two parts (Cody and Waite 1980) */
  const float p = 0.5f + r * (0.16666521f + r * (0.04166839f + r * (0.00836872f + r * 0.00138146f)));
  return (1.0f + (r + r * r * p)) * pgb_bits_float(((int32_t)n + 127) * (1 << 23));
}

/* 2^x, 1.16 ulp; x beyond +-120 counts as +-120. The last bits of x + 1.5 * 2^23 are the nearest integer,
 * which goes into the exponent's bits. The clamp is one of integers, for floats of one sign are in the order
 * of their bits: gcc 12 makes poor vector code of what follows a clamped float. */
static inline float pgb_exp2(float x) {
  const int32_t sign = pgb_float_bits(x) & INT32_MIN;
  int32_t size = pgb_float_bits(x) & INT32_MAX;
  size = size < 0x42F00000 ? size : 0x42F00000; /* 120 */
  x = pgb_bits_float(size | sign);
  const float t = x + 12582912.0f;
  const float r = x - (t - 12582912.0f);
  const float z = r * r;
  const float p = (0.055503324f + r * 0.009618437f) + z * (0.0013398875f + r * 0.00015353362f);
  const float fraction = 1.0f + (0.6931472f * r + z * (0.24022648f + r * p));
  return pgb_bits_float(pgb_float_bits(fraction) + (pgb_float_bits(t) - 0x4B400000) * (1 << 23));
}

/* ln x, 0.96 ulp, for normal x > 0. */
static inline float pgb_log(float x) {
  const int32_t bits = pgb_float_bits(x) - 0x3F3504F3; /* so that the mantissa lies in [sqrt(1/2), sqrt(2)) */
  const int32_t e = bits >> 23;
  const float z = pgb_bits_float((bits & 0x007FFFFF) + 0x3F3504F3) - 1.0f;
  const float z2 = z * z;
  const float low = (0.33333332f + z * -0.25000821f) + z2 * (0.20001227f + z * -0.16623356f);
  const float high = (0.14201762f + z * -0.13160196f) + z2 * (0.12761553f + z * -0.07634432f);
  const float p = low + (z2 * z2) * high;
  const float fe = (float)e;
  return fe * 0.693359375f + (z + (z2 * (z * p - 0.5f) + fe * -2.12194440e-4f));
}

/* x within [low, high]; NaN stays NaN. */
static inline float pgb_clip(float x, float low, float high) {
  const float above = x < low ? low : x;
  return above > high ? high : above;
}

/* An angle less the whole turns nearest to it, error 1.9e-7 for |x| < 8192: within pi + 1e-7 (1 + |x|), and
 * what lies within pi keeps its bits. 2 pi is in two parts, of which the first times a number of turns is
 * exact. */
static inline float pgb_wrap(float x) {
  const float turns = pgb_round(x * 0.159154943f);
  return (x - turns * 6.28125f) - turns * 1.93530717e-3f;
}

/* Sine and cosine, absolute error 9.5e-8 for |x| < 8192. */
static inline void pgb_sincos(float x, float *sine, float *cosine) {
  const float n = pgb_round(x * 0.636619772f);
  const float r = ((x - n * 1.5703125f) - n * 4.837512969970703e-4f) - n * 7.549789948768648e-8f;
  const float z = r * r;
  const float s = r + r * z * (-0.16666655f + z * (0.00833216f + z * -0.00019515f));
  const float c = 1.0f - 0.5f * z + z * z * (4.16666467e-02f + z * (-1.38873614e-03f + z * 2.44377291e-05f));
  const int32_t q = (int32_t)n;
  const float a = (q & 1) != 0 ? c : s;
  const float b = (q & 1) != 0 ? s : c;
  *sine = (q & 2) != 0 ? -a : a;
  *cosine = ((q + 1) & 2) != 0 ? -b : b;
}

/* Sine of |x| <= pi/2 + 1e-6, 2.4 ulp. */
static inline float pgb_sin_quarter(float x) {
  const float z = x * x;
  const float p = (-0.1666666f + z * 0.0083330665f) + (z * z) * (-0.00019809602f + z * 2.6057803e-06f);
  return x + (x * z) * p;
}

/* -x where `like` has a minus sign. */
static inline float pgb_flip(float x, float like) {
  return pgb_bits_float(pgb_float_bits(x) ^ (pgb_float_bits(like) & INT32_MIN));
}

/* Sine and cosine of an angle that pgb_wrap left, |x| <= pi + 1e-6, absolute error 1.5e-7: each is the sine
 * of one angle within a quarter turn, so no quadrant is looked up. Pi and its half are in two parts. */
static inline void pgb_sincos_wrapped(float x, float *sine, float *cosine) {
  const float size = fabsf(x);
  const float rest = (3.14159274f - size) - 8.74227766e-8f;
  *sine = pgb_flip(pgb_sin_quarter(size < rest ? size : rest), x);
  *cosine = pgb_sin_quarter((1.57079637f - size) - 4.37113883e-8f);
}

/* The same near zero, without reduction: absolute error 4.6e-8 for |x| <= 0.25; beyond, finite and wrong. */
static inline void pgb_sincos_near(float x, float *sine, float *cosine) {
  const float z = x * x;
  *sine = x + x * z * (-0.16666633f + z * 0.00831608f);
  *cosine = 1.0f + z * (-0.49999768f + z * 0.04154596f);
}

/* tanh x, 4.9 ulp, never beyond 1: x times a rational function of x^2; |x| above 8 gives that of 8. */
static inline float pgb_tanh(float x) {
  x = x < -8.0f ? -8.0f : x;
  x = x > 8.0f ? 8.0f : x;
  const float z = x * x;
  const float p =
      1.0f + z * (0.134444878f + z * (0.00357159134f + z * (2.1894617e-05f + z * 1.52306487e-08f)));
  const float q =
      1.0f + z * (0.467778116f + z * (0.0261644069f + z * (0.000341128558f + z * 8.52242977e-07f)));
  return x * p / q;
}

/* Normal number k of a series of the seed, for parameters: in double, half of a Philox block each. */
static inline double pgb_normal_exact(uint64_t seed, uint32_t series, size_t k) {
  uint32_t words[4];
  pgb_words(seed, PGB_USE_THETA, 0, series, (uint32_t)(k / 2), 0, words);
  const uint32_t *w = words + 2 * (k % 2);
  const double u = ((double)w[0] + 0.5) * 0x1p-32;
  const double v = ((double)w[1] + 0.5) * 0x1p-32;
  return sqrt(-2 * log(u)) * cos(6.28318530717958647693 * v);
}

/* N(0, 1) of two random words, z0, and a second one independent of it, z1 (Box and Muller 1958): a radius,
 * which takes 31 bits (tails to 6.6), and the cosine and the sine of a part of a turn. */
static inline float pgb_normal_radius(uint32_t w0) {
  return sqrtf(-2.0f * pgb_log(pgb_uniform_fine(w0)));
}

static inline void pgb_normal_turned(float radius, uint32_t w1, float *z0, float *z1) {
  const float turn = pgb_uniform(w1) - 0.5f;
  const float fold = 0.25f - fabsf(turn);
  *z0 = radius * pgb_sin_quarter(6.28318531f * fold);
  *z1 = radius * pgb_flip(pgb_sin_quarter(6.28318531f * (0.25f - fabsf(fold))), turn);
}

static inline void pgb_normal_pair(uint32_t w0, uint32_t w1, float *z0, float *z1) {
  pgb_normal_turned(pgb_normal_radius(w0), w1, z0, z1);
}

#endif
