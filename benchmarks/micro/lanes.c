/* SPDX-License-Identifier: MIT */
/* Functions of the lane loops and the machine's limits, compiled once per instruction set. */
#include "lanes.h"

#include "core/vmath.h"
#include "rollout/words.h"

/* One Philox block for every lane: 256 words. */
static void philox(void *room) {
  const lane_episodes *of = room;
  uint32_t *out = (uint32_t *)room + sizeof *of / sizeof *out;
  const pgb_address address = {.seed = 1};
  uint32_t block[PGB_LANES];
  for (uint32_t i = 0; i < PGB_LANES; i++)
    block[i] = i;
  for (int k = 0; k < 16; k++)
    lane_blocks(address, PGB_USE_ACTION, of, block, out + k * 4 * PGB_LANES);
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

#ifdef PGB_SCALAR
typedef float vec;
#elif defined(__AVX512F__)
typedef float vec __attribute__((vector_size(64)));
#elif defined(__AVX__)
typedef float vec __attribute__((vector_size(32)));
#else
typedef float vec __attribute__((vector_size(16)));
#endif

/* Twelve sums hide the latency of multiply and add; this file alone may contract them to one instruction. */
enum { CHAINS = 12, ROUNDS = 1000 };

static void multiply_add(void *room) {
  vec *sum = room;
  const vec x = sum[CHAINS] * 1e-3f;
  vec a0 = sum[0], a1 = sum[1], a2 = sum[2], a3 = sum[3], a4 = sum[4], a5 = sum[5], a6 = sum[6], a7 = sum[7],
      a8 = sum[8], a9 = sum[9], a10 = sum[10], a11 = sum[11];
  for (int i = 0; i < ROUNDS; i++) {
    a0 = a0 * x + x;
    a1 = a1 * x + x;
    a2 = a2 * x + x;
    a3 = a3 * x + x;
    a4 = a4 * x + x;
    a5 = a5 * x + x;
    a6 = a6 * x + x;
    a7 = a7 * x + x;
    a8 = a8 * x + x;
    a9 = a9 * x + x;
    a10 = a10 * x + x;
    a11 = a11 * x + x;
  }
  sum[0] = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11;
}

enum { READ_BYTES = LANE_ROOM / 4 }; /* beyond the first-level cache, within the second */

static void read_cache(void *room) {
  const vec *x = room;
  vec a0 = x[0], a1 = x[1], a2 = x[2], a3 = x[3];
  for (size_t i = 4; i < READ_BYTES / sizeof(vec); i += 4) {
    a0 += x[i];
    a1 += x[i + 1];
    a2 += x[i + 2];
    a3 += x[i + 3];
  }
  *((vec *)room + READ_BYTES / sizeof(vec)) = a0 + a1 + a2 + a3;
}

extern const lane_work PGB_KERNEL(lane_works)[];
const lane_work PGB_KERNEL(lane_works)[] = {
    {"philox4x32_10", "words", 16.0 * 4 * PGB_LANES, philox},
    {"exp", "values", N, exponential},
    {"log", "values", N, logarithm},
    {"sincos", "values", N, sine_and_cosine},
    {"normal_pair", "values", 2.0 * N, normal_pair},
    {"multiply_add", "flops", 2.0 * CHAINS *ROUNDS * sizeof(vec) / sizeof(float), multiply_add},
    {"read_L2", "bytes", READ_BYTES, read_cache},
    {NULL, NULL, 0, NULL},
};
