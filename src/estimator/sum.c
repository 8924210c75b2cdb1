/* SPDX-License-Identifier: MIT */
/* Compiled once per instruction set: sums over episodes. */
#include "estimator/estimator.h"

#include <string.h>

pgb_episode_sum_fn PGB_KERNEL(pgb_episode_sum);

/* A register of doubles, and as many floats that become one: of a plain loop gcc 12 loads whole registers of
 * floats and takes them apart, at half the speed. fuse: factor * x + sum. */
#if defined(PGB_SCALAR) || !defined(__SSE2__)
typedef double wide;
static inline wide widen(const float *x) {
  return (double)*x;
}
static inline wide fuse(double factor, const float *x, wide sum) {
  return sum + factor * widen(x);
}
#else
#include <immintrin.h>
#if defined(__AVX512F__)
typedef __m512d wide;
static inline wide widen(const float *x) {
  return _mm512_cvtps_pd(_mm256_loadu_ps(x));
}
static inline wide fuse(double factor, const float *x, wide sum) {
  return _mm512_fmadd_pd(_mm512_set1_pd(factor), widen(x), sum);
}
#elif defined(__AVX2__) && defined(__FMA__)
typedef __m256d wide;
static inline wide widen(const float *x) {
  return _mm256_cvtps_pd(_mm_loadu_ps(x));
}
static inline wide fuse(double factor, const float *x, wide sum) {
  return _mm256_fmadd_pd(_mm256_set1_pd(factor), widen(x), sum);
}
#else
typedef __m128d wide;
static inline wide widen(const float *x) {
  double both;
  memcpy(&both, x, sizeof both);
  return _mm_cvtps_pd(_mm_castpd_ps(_mm_set_sd(both)));
}
static inline wide fuse(double factor, const float *x, wide sum) {
  return sum + factor * widen(x);
}
#endif
#endif
enum { WIDE = sizeof(wide) / sizeof(double), PARTS = PGB_SUM_COLUMNS / WIDE };

/* Some columns of n episodes, their sums in registers. */
static inline __attribute__((always_inline)) void
sum_columns(const float *x, size_t stride, const double *factor, bool fused, size_t n, double *sum) {
  wide all[PARTS];
#pragma GCC unroll 8
  for (size_t v = 0; v < PARTS; v++)
    memcpy(&all[v], sum + v * WIDE, sizeof all[v]);
  for (size_t e = 0; e < n; e++, x += stride) {
#pragma GCC unroll 8
    for (size_t v = 0; v < PARTS; v++)
      if (factor == NULL)
        all[v] += widen(x + v * WIDE);
      else if (!fused)
        all[v] += factor[e] * widen(x + v * WIDE);
      else
        all[v] = fuse(factor[e], x + v * WIDE, all[v]);
  }
#pragma GCC unroll 8
  for (size_t v = 0; v < PARTS; v++)
    memcpy(sum + v * WIDE, &all[v], sizeof all[v]);
}

/* Of many columns, some of all episodes at a time, whose sums stay in the first-level cache, and of four
 * episodes in one pass over them; of few, all episodes at once. Each sum is taken in the order of the
 * episodes. */
enum { FEW = 64, SOME = 512, FOUR = 4 };

static inline __attribute__((always_inline)) void sum_pass(const float *x, size_t stride, size_t size,
                                                           const double *factor, bool fused, size_t n,
                                                           double *sum) {
  for (size_t k = 0; k < size; k += PGB_SUM_COLUMNS)
    sum_columns(x + k, stride, factor, fused, n, sum + k);
}

static inline __attribute__((always_inline)) void sum_passes(const float *x, size_t stride, size_t size,
                                                             const double *factor, bool fused, size_t n,
                                                             double *sum) {
  size_t e = 0;
  for (; size > FEW && e + FOUR <= n; e += FOUR)
    sum_pass(x + e * stride, stride, size, factor == NULL ? NULL : factor + e, fused, FOUR, sum);
  if (e < n)
    sum_pass(x + e * stride, stride, size, factor == NULL ? NULL : factor + e, fused, n - e, sum);
}

void PGB_KERNEL(pgb_episode_sum)(const float *x, size_t stride, size_t size, const double *factor, bool fused,
                                 size_t n, double *sum) {
  for (size_t from = 0; from < size; from += SOME) {
    const size_t some = size - from < SOME ? size - from : SOME;
    if (factor == NULL)
      sum_passes(x + from, stride, some, NULL, false, n, sum + from);
    else if (!fused)
      sum_passes(x + from, stride, some, factor, false, n, sum + from);
    else
      sum_passes(x + from, stride, some, factor, true, n, sum + from);
  }
}
