/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_POLICY_VEC_H
#define PGB_POLICY_VEC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One register of floats in each instruction set, for the matrix kernels alone: all that they need of
 * intrinsics. vec_fma(a, b, c) = a * b + c: rounded once in avx2 and avx512 builds, which so give the same
 * bits as each other; twice in sse2 and none builds, likewise. The `none` build, floats one by one, is the
 * plain twin that the tests compare the others with. vec_sum: sum of 16 floats in 16 / VEC registers, always
 * halves of eight, then of four, two and one. */
#if defined(__SSE2__) && !defined(PGB_SCALAR)
#include <immintrin.h>
static inline float vec_sum_4(__m128 a) {
  const __m128 two = _mm_add_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
#endif
#if defined(__AVX2__) && !defined(PGB_SCALAR)
static inline float vec_sum_8(__m256 a) {
  return vec_sum_4(_mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1)));
}
#endif

#if defined(__AVX512F__) && !defined(PGB_SCALAR)
typedef __m512 vec;
enum { VEC = 16 };
static inline vec vec_zero(void) {
  return _mm512_setzero_ps();
}
static inline vec vec_load(const float *p) {
  return _mm512_loadu_ps(p);
}
static inline void vec_store(float *p, vec a) {
  _mm512_storeu_ps(p, a);
}
static inline vec vec_all(float x) {
  return _mm512_set1_ps(x);
}
static inline vec vec_fma(vec a, vec b, vec c) {
  return _mm512_fmadd_ps(a, b, c);
}
static inline vec vec_mul(vec a, vec b) {
  return _mm512_mul_ps(a, b);
}
static inline vec vec_add(vec a, vec b) {
  return _mm512_add_ps(a, b);
}
static inline vec vec_sub(vec a, vec b) {
  return _mm512_sub_ps(a, b);
}
static inline vec vec_from(uint32_t whole, vec a) {
  return _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_set1_epi32((int)whole), _mm512_castps_si512(a)));
}
static inline vec vec_max(vec a, vec b) {
  return _mm512_max_ps(a, b);
}
static inline vec vec_min(vec a, vec b) {
  return _mm512_min_ps(a, b);
}
static inline float vec_sum(const vec *part) {
  const __m256 low = _mm512_castps512_ps256(part[0]);
  return vec_sum_8(_mm256_add_ps(low, _mm512_extractf32x8_ps(part[0], 1)));
}
#elif defined(__AVX2__) && defined(__FMA__) && !defined(PGB_SCALAR)
typedef __m256 vec;
enum { VEC = 8 };
static inline vec vec_zero(void) {
  return _mm256_setzero_ps();
}
static inline vec vec_load(const float *p) {
  return _mm256_loadu_ps(p);
}
static inline void vec_store(float *p, vec a) {
  _mm256_storeu_ps(p, a);
}
static inline vec vec_all(float x) {
  return _mm256_set1_ps(x);
}
static inline vec vec_fma(vec a, vec b, vec c) {
  return _mm256_fmadd_ps(a, b, c);
}
static inline vec vec_mul(vec a, vec b) {
  return _mm256_mul_ps(a, b);
}
static inline vec vec_add(vec a, vec b) {
  return _mm256_add_ps(a, b);
}
static inline vec vec_sub(vec a, vec b) {
  return _mm256_sub_ps(a, b);
}
static inline vec vec_from(uint32_t whole, vec a) {
  return _mm256_castsi256_ps(_mm256_sub_epi32(_mm256_set1_epi32((int)whole), _mm256_castps_si256(a)));
}
static inline vec vec_max(vec a, vec b) {
  return _mm256_max_ps(a, b);
}
static inline vec vec_min(vec a, vec b) {
  return _mm256_min_ps(a, b);
}
static inline float vec_sum(const vec *part) {
  return vec_sum_8(_mm256_add_ps(part[0], part[1]));
}
#elif defined(__SSE2__) && !defined(PGB_SCALAR)
typedef __m128 vec;
enum { VEC = 4 };
static inline vec vec_zero(void) {
  return _mm_setzero_ps();
}
static inline vec vec_load(const float *p) {
  return _mm_loadu_ps(p);
}
static inline void vec_store(float *p, vec a) {
  _mm_storeu_ps(p, a);
}
static inline vec vec_all(float x) {
  return _mm_set1_ps(x);
}
static inline vec vec_fma(vec a, vec b, vec c) {
  return _mm_add_ps(_mm_mul_ps(a, b), c);
}
static inline vec vec_mul(vec a, vec b) {
  return _mm_mul_ps(a, b);
}
static inline vec vec_add(vec a, vec b) {
  return _mm_add_ps(a, b);
}
static inline vec vec_sub(vec a, vec b) {
  return _mm_sub_ps(a, b);
}
static inline vec vec_from(uint32_t whole, vec a) {
  return _mm_castsi128_ps(_mm_sub_epi32(_mm_set1_epi32((int)whole), _mm_castps_si128(a)));
}
static inline vec vec_max(vec a, vec b) {
  return _mm_max_ps(a, b);
}
static inline vec vec_min(vec a, vec b) {
  return _mm_min_ps(a, b);
}
static inline float vec_sum(const vec *part) {
  return vec_sum_4(_mm_add_ps(_mm_add_ps(part[0], part[2]), _mm_add_ps(part[1], part[3])));
}
#else
typedef float vec;
enum { VEC = 1 };
static inline vec vec_zero(void) {
  return 0.0f;
}
static inline vec vec_load(const float *p) {
  return *p;
}
static inline void vec_store(float *p, vec a) {
  *p = a;
}
static inline vec vec_all(float x) {
  return x;
}
static inline vec vec_fma(vec a, vec b, vec c) {
  return a * b + c;
}
static inline vec vec_mul(vec a, vec b) {
  return a * b;
}
static inline vec vec_add(vec a, vec b) {
  return a + b;
}
static inline vec vec_sub(vec a, vec b) {
  return a - b;
}
static inline vec vec_from(uint32_t whole, vec a) {
  uint32_t bits;
  memcpy(&bits, &a, sizeof bits);
  bits = whole - bits;
  memcpy(&a, &bits, sizeof a);
  return a;
}
static inline vec vec_max(vec a, vec b) {
  return a > b ? a : b;
}
static inline vec vec_min(vec a, vec b) {
  return a < b ? a : b;
}
static inline float vec_sum(const vec *part) {
  float sum[16];
  for (size_t k = 0; k < 16; k++)
    sum[k] = part[k];
  for (size_t n = 8; n > 0; n /= 2)
    for (size_t k = 0; k < n; k++)
      sum[k] += sum[k + n];
  return sum[0];
}
#endif

/* tanh by the rational function of pgb_tanh (core/vmath.h) as far as 7.85, 6.3 ulp, never beyond 1. Division
 * is slow: 1/q comes from the difference of bit patterns that negates the exponent, off by an eighth at the
 * most, in two steps r + r (e + e^2), e = 1 - q r, which each leave the cube of the error. n = -q. */
static inline vec vec_tanh(vec x) {
  const vec one = vec_all(1.0f);
  x = vec_min(vec_all(7.85f), vec_max(vec_all(-7.85f), x)); /* a NaN stays one */
  const vec z = vec_mul(x, x);
  vec p = vec_fma(z, vec_all(1.52306487e-08f), vec_all(2.1894617e-05f));
  vec n = vec_fma(z, vec_all(-8.52242977e-07f), vec_all(-0.000341128558f));
  p = vec_fma(z, p, vec_all(0.00357159134f));
  n = vec_fma(z, n, vec_all(-0.0261644069f));
  p = vec_fma(z, p, vec_all(0.134444878f));
  n = vec_fma(z, n, vec_all(-0.467778116f));
  p = vec_fma(z, p, one);
  n = vec_fma(z, n, vec_all(-1.0f));
  vec r = vec_from(0xfef311c7u, n);
  vec e = vec_fma(n, r, one);
  r = vec_fma(r, vec_fma(e, e, e), r);
  e = vec_fma(n, r, one);
  r = vec_fma(r, vec_fma(e, e, e), r);
  return vec_mul(vec_mul(x, p), r);
}

#endif
