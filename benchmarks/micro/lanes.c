/* SPDX-License-Identifier: MIT */
/* Functions of the lane loops and the machine's limits, compiled once per instruction set. */
#include "lanes.h"

#include "core/philox_lanes.h"
#include "core/vmath.h"

#include <math.h>
#if defined(__FMA__) && !defined(PGB_SCALAR)
#include <immintrin.h>
#endif

/* Sixteen Philox blocks for every lane, by the product's function and by its plain twin. */
static void philox_of(void *room, void (*blocks)(uint64_t, uint32_t, const uint32_t *, const uint32_t *,
                                                 const uint32_t *, uint32_t *)) {
  uint32_t *out = (uint32_t *)room + 3 * PGB_LANES;
  const uint32_t *in = room;
  for (uint32_t k = 0; k < 16; k++)
    blocks(1, k, in, in + PGB_LANES, in + (size_t)2 * PGB_LANES, out + (size_t)k % 4 * 4 * PGB_LANES);
}

static void philox(void *room) {
  philox_of(room, pgb_philox_lanes);
}

static void philox_plain(void *room) {
  philox_of(room, pgb_philox_lanes_plain);
}

/* One lane after the other, as a program without lanes would. */
static void philox_scalar(void *room) {
  uint32_t *out = (uint32_t *)room + 3 * PGB_LANES;
  for (uint32_t k = 0; k < 16 * PGB_LANES; k++)
    pgb_words(1, PGB_USE_ACTION, 0, 0, k / 4, k % 4, out + (size_t)k % 256 * 4);
}

enum { N = 1024 };

static void exponential(void *room) {
  float *x = room;
  PGB_LANE_LOOP
  for (int i = 0; i < N; i++)
    x[N + i] = pgb_exp(x[i]);
}

static void logarithm(void *room) {
  float *x = room;
  PGB_LANE_LOOP
  for (int i = 0; i < N; i++)
    x[N + i] = pgb_log(1.0f + x[i]);
}

static void sine_and_cosine(void *room) {
  float *x = room;
  PGB_LANE_LOOP
  for (int i = 0; i < N; i++)
    pgb_sincos(x[i], &x[N + i], &x[2 * N + i]);
}

static void normal_pair(void *room) {
  const uint32_t *w = room;
  float *z = (float *)room + 2 * N;
  PGB_LANE_LOOP
  for (int i = 0; i < N; i++)
    pgb_normal_pair(w[i], w[N + i], &z[i], &z[N + i]);
}

/* Twins: the mathematical library, one value at a time. */
static void exponential_twin(void *room) {
  float *x = room;
  for (int i = 0; i < N; i++)
    x[N + i] = expf(x[i]);
}

static void logarithm_twin(void *room) {
  float *x = room;
  for (int i = 0; i < N; i++)
    x[N + i] = logf(1.0f + x[i]);
}

static void sine_and_cosine_twin(void *room) {
  float *x = room;
  for (int i = 0; i < N; i++) {
    x[N + i] = sinf(x[i]);
    x[2 * N + i] = cosf(x[i]);
  }
}

static void tangent_twin(void *room) {
  float *x = room;
  for (int i = 0; i < N; i++)
    x[N + i] = tanhf(x[i]);
}

static void normal_pair_twin(void *room) {
  const uint32_t *w = room;
  float *z = (float *)room + 2 * N;
  for (int i = 0; i < N; i++) {
    const float radius = sqrtf(-2 * logf(pgb_uniform_fine(w[i])));
    const float angle = 6.28318531f * pgb_uniform(w[N + i]);
    z[i] = radius * cosf(angle);
    z[N + i] = radius * sinf(angle);
  }
}

/* Vectors of the copy's width, and its multiply-add: one instruction where the set has it. */
#ifdef PGB_SCALAR
typedef float vec;
#elif defined(__AVX512F__)
typedef float vec __attribute__((vector_size(64)));
#elif defined(__AVX__)
typedef float vec __attribute__((vector_size(32)));
#else
typedef float vec __attribute__((vector_size(16)));
#endif

static inline vec fused(vec a, vec b, vec c) {
#if defined(PGB_SCALAR) || !defined(__FMA__)
  return a * b + c;
#elif defined(__AVX512F__)
  return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#else
  return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#endif
}

/* Twelve sums hide the latency of multiply and add. */
enum { CHAINS = 12, ROUNDS = 1000 };

static void multiply_add(void *room) {
  vec *sum = room;
  const vec x = sum[CHAINS] * 1e-3f;
  vec a0 = sum[0], a1 = sum[1], a2 = sum[2], a3 = sum[3], a4 = sum[4], a5 = sum[5], a6 = sum[6], a7 = sum[7],
      a8 = sum[8], a9 = sum[9], a10 = sum[10], a11 = sum[11];
  for (int i = 0; i < ROUNDS; i++) {
    a0 = fused(a0, x, x);
    a1 = fused(a1, x, x);
    a2 = fused(a2, x, x);
    a3 = fused(a3, x, x);
    a4 = fused(a4, x, x);
    a5 = fused(a5, x, x);
    a6 = fused(a6, x, x);
    a7 = fused(a7, x, x);
    a8 = fused(a8, x, x);
    a9 = fused(a9, x, x);
    a10 = fused(a10, x, x);
    a11 = fused(a11, x, x);
  }
  sum[0] = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11;
}

static void read_all(void *room, size_t bytes) {
  const vec *x = room;
  vec a0 = x[0], a1 = x[1], a2 = x[2], a3 = x[3], a4 = x[4], a5 = x[5], a6 = x[6], a7 = x[7];
  for (size_t i = 8; i + 7 < bytes / sizeof(vec); i += 8) {
    a0 += x[i];
    a1 += x[i + 1];
    a2 += x[i + 2];
    a3 += x[i + 3];
    a4 += x[i + 4];
    a5 += x[i + 5];
    a6 += x[i + 6];
    a7 += x[i + 7];
  }
  *(vec *)room = (a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7) * 1e-9f;
}

/* The empty statement keeps the compiler from calling memset. */
static void write_all(void *room, size_t bytes) {
  vec *x = room;
  const vec one = x[0];
  for (size_t i = 0; i + 3 < bytes / sizeof(vec); i += 4) {
    x[i] = one;
    x[i + 1] = one;
    x[i + 2] = one;
    x[i + 3] = one;
    __asm__ volatile("");
  }
}

/* STREAM's triad (McCalpin 1995). */
static void triad(void *room, size_t bytes) {
  const size_t n = bytes / 3 / sizeof(vec);
  vec *a = room;
  const vec *b = a + n, *c = b + n;
  for (size_t i = 0; i < n; i++)
    a[i] = b[i] + 0.5f * c[i];
}

extern const lane_work PGB_KERNEL(lane_works)[];
const lane_work PGB_KERNEL(lane_works)[] = {
    {"multiply_add", "flops", 2.0 * CHAINS *ROUNDS * sizeof(vec) / sizeof(float), multiply_add},
    {"philox4x32_10", "words", 16.0 * 4 * PGB_LANES, philox},
    {"philox4x32_10_plain", "words", 16.0 * 4 * PGB_LANES, philox_plain},
    {"normal_pair", "values", 2.0 * N, normal_pair},
    {"exp", "values", N, exponential},
    {"log", "values", N, logarithm},
    {"sincos", "values", N, sine_and_cosine},
    {NULL, NULL, 0, NULL},
};

/* Of the scalar copy alone: what one value at a time gives. */
extern const lane_work PGB_KERNEL(lane_twins)[];
const lane_work PGB_KERNEL(lane_twins)[] = {
    {"philox4x32_10", "words", 16.0 * 4 * PGB_LANES, philox_scalar},
    {"normal_pair", "values", 2.0 * N, normal_pair_twin},
    {"exp", "values", N, exponential_twin},
    {"log", "values", N, logarithm_twin},
    {"sincos", "values", N, sine_and_cosine_twin},
    {"tanh", "values", N, tangent_twin},
    {NULL, NULL, 0, NULL},
};

extern const stream_work PGB_KERNEL(stream_works)[];
const stream_work PGB_KERNEL(stream_works)[] = {
    {"read", read_all},
    {"write", write_all},
    {"triad", triad},
    {NULL, NULL},
};
