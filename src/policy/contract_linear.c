/* SPDX-License-Identifier: MIT */
/* Sums of weighted scores with the sums in registers: a tile is up to two rows of delta times up to four
 * features and the bias, over one or two vectors of lanes and a few rows of steps, for one weight row: two
 * would share loads, but their sums of every row would not stay in the first-level cache. Where episodes end
 * among these rows, the sums of every row are stored and those that count picked out afterwards: which lanes
 * end is a guess that a branch in the loop would lose. */
#include "policy/contract_linear.h"

#include <string.h>

/* One vector of lanes as the compiler's own type: the sums of a tile stay in registers only as such. */
#ifdef PGB_SCALAR
typedef float vec;
typedef int32_t ivec;
#else
#if defined(__AVX512F__)
#define VEC_BYTES 64
#elif defined(__AVX__)
#define VEC_BYTES 32
#else
#define VEC_BYTES 16
#endif
typedef float vec __attribute__((vector_size(VEC_BYTES)));
typedef int32_t ivec __attribute__((vector_size(VEC_BYTES)));
#endif

enum {
  WIDTH = sizeof(vec) / sizeof(float),
  CHUNK = 8,                     /* rows of steps */
  FEATURES = 4,                  /* at the most, of a tile */
  DELTAS = 2,                    /* rows of delta of a tile */
  SUMS = DELTAS * (FEATURES + 1) /* or of one row of delta and two vectors */
};
_Static_assert(CHUNK % PGB_ENDING_ROWS == 0, "endings come in the order of the chunks");
_Static_assert(PGB_LANES % (2 * WIDTH) == 0, "lanes are whole pairs of vectors");

/* What a tile works on. */
typedef struct tile {
  const pgb_rollout *r;
  const linear_part *part;  /* [n_deltas]                       */
  const float *weight;      /* [T][lanes]                       */
  size_t from, to;          /* rows of steps                     */
  size_t feature;           /* the part's first feature of it    */
  size_t n_w, n_theta;      /* of the whole contraction          */
  int32_t place[SUMS];      /* of each sum, where it goes in an episode's part of out */
  float *acc, *out;         /* its sums [lanes/WIDTH][n][WIDTH]; out of its weight row */
  const pgb_ending *ending; /* [n_endings] those of the chunk        */
  size_t n_endings;
  float *rows; /* [CHUNK][lanes/WIDTH][n][WIDTH] the sums after each row, if some episode ends */
} tile;

static inline vec load(const float *from) {
  vec v;
  memcpy(&v, from, sizeof v);
  return v;
}

/* to: at the start of a vector. */
static inline void store(vec v, float *to) {
#ifdef PGB_SCALAR
  *to = v;
#else
  typedef vec __attribute__((may_alias)) alias;
  *(alias *)to = v;
#endif
}

/* All bits set where an episode is under way, so that its sum is kept; none at its first step. */
static inline ivec kept(const int32_t *step) {
  ivec s;
  memcpy(&s, step, sizeof s);
#ifdef PGB_SCALAR
  return -(s != 0);
#else
  return s != 0;
#endif
}

static inline vec keep(vec sum, ivec mask) {
  ivec bits;
  memcpy(&bits, &sum, sizeof bits);
  bits &= mask;
  memcpy(&sum, &bits, sizeof sum);
  return sum;
}

/* Sums of the episodes that end in the chunk, n of each. */
static void pick_ends(const tile *x, size_t n) {
  const size_t size = x->n_w * x->n_theta;
  for (size_t e = 0; e < x->n_endings; e++) {
    const size_t at = (size_t)x->ending[e].at - x->from * PGB_LANES;
    float *to = x->out + (size_t)x->ending[e].episode * size;
    const float *sum = x->rows + at / WIDTH * n * WIDTH + at % WIDTH;
#pragma GCC unroll 5
    for (size_t k = 0; k < n; k++)
      to[x->place[k]] = sum[k * WIDTH];
  }
}

/* n_v vectors of lanes. n_v, n_d, n_f, bias and keeps (the sums of every row) are constants wherever this is
 * expanded. */
static inline __attribute__((always_inline)) void sum_lanes(const tile *x, size_t lane0, size_t n_v,
                                                            size_t n_d, size_t n_f, bool bias, bool keeps) {
  const pgb_rollout *r = x->r;
  const size_t n = n_f + (bias ? 1 : 0);
  const size_t all = n_d * n;
  const size_t obs_stride = r->n_obs * PGB_LANES;
  const size_t delta_stride = r->n_delta * PGB_LANES;
  const uint64_t here = n_v * WIDTH < 64 ? ((uint64_t)1 << n_v * WIDTH) - 1 : ~(uint64_t)0;
  const float *obs = r->obs + x->from * obs_stride + x->feature * PGB_LANES + lane0;
  const float *delta0 = r->delta + x->from * delta_stride + (size_t)x->part[0].row * PGB_LANES + lane0;
  const ptrdiff_t other = n_d > 1 ? (x->part[1].row - x->part[0].row) * PGB_LANES : 0;
  const float *weights = x->weight + lane0;
  float *acc = x->acc + lane0 * all;
  float *rows = x->rows + lane0 * all;
  vec sum[SUMS];
#pragma GCC unroll 32
  for (size_t k = 0; k < n_v * all; k++)
    sum[k] = load(acc + k * WIDTH);
  for (size_t t = x->from; t < x->to; t++, obs += obs_stride, delta0 += delta_stride) {
    const size_t row = t * PGB_LANES;
    const bool begins = (r->starts[t] >> lane0 & here) != 0;
#pragma GCC unroll 2
    for (size_t v = 0; begins && v < n_v; v++) {
      const ivec mask = kept(r->step + row + lane0 + v * WIDTH);
#pragma GCC unroll 32
      for (size_t k = v * all; k < (v + 1) * all; k++)
        /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): loaded above */
        sum[k] = keep(sum[k], mask);
    }
#pragma GCC unroll 2
    for (size_t v = 0; v < n_v; v++) {
      const vec weight = load(weights + row + v * WIDTH);
#pragma GCC unroll 2
      for (size_t d = 0; d < n_d; d++) {
        const vec common = weight * load((d == 0 ? delta0 : delta0 + other) + v * WIDTH);
        vec *to = sum + v * all + d * n;
#pragma GCC unroll 4
        for (size_t f = 0; f < n_f; f++)
          /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): loaded above */
          to[f] += common * load(obs + f * PGB_LANES + v * WIDTH);
        if (bias)
          /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) */
          to[n_f] += common;
      }
    }
    if (keeps) {
#pragma GCC unroll 32
      for (size_t k = 0; k < n_v * all; k++)
        store(sum[k], rows + k * WIDTH);
      rows += all * PGB_LANES;
    }
  }
#pragma GCC unroll 32
  for (size_t k = 0; k < n_v * all; k++)
    store(sum[k], acc + k * WIDTH);
}

/* All lanes, two vectors at a time where their sums fit the registers: what a row costs besides its sums is
 * then paid half as often. n_d, n_f and bias are constants wherever this is expanded. */
static inline __attribute__((always_inline)) void sum_tile(const tile *x, size_t n_d, size_t n_f, bool bias) {
  const size_t n_v = n_d == 1 ? 2 : 1;
  if (x->n_endings == 0) {
    for (size_t lane0 = 0; lane0 < PGB_LANES; lane0 += n_v * WIDTH)
      sum_lanes(x, lane0, n_v, n_d, n_f, bias, false);
    return;
  }
  for (size_t lane0 = 0; lane0 < PGB_LANES; lane0 += n_v * WIDTH)
    sum_lanes(x, lane0, n_v, n_d, n_f, bias, true);
  pick_ends(x, n_d * (n_f + (bias ? 1 : 0)));
}

/* The tile for so many features. */
static inline __attribute__((always_inline)) void pick_tile(const tile *x, size_t n_d, size_t n_f,
                                                            bool bias) {
  switch (n_f) {
  case 0:
    sum_tile(x, n_d, 0, true);
    break;
  case 1:
    bias ? sum_tile(x, n_d, 1, true) : sum_tile(x, n_d, 1, false);
    break;
  case 2:
    bias ? sum_tile(x, n_d, 2, true) : sum_tile(x, n_d, 2, false);
    break;
  case 3:
    bias ? sum_tile(x, n_d, 3, true) : sum_tile(x, n_d, 3, false);
    break;
  default:
    bias ? sum_tile(x, n_d, 4, true) : sum_tile(x, n_d, 4, false);
  }
}

static void run_tile(const tile *x, size_t n_d, size_t n_f, bool bias) {
  if (n_d == 2)
    pick_tile(x, 2, n_f, bias);
  else
    pick_tile(x, 1, n_f, bias);
}

/* Where the sums of a tile go. */
static void aim(tile *x, size_t n_d, size_t n_f, bool bias) {
  size_t k = 0;
  for (size_t d = 0; d < n_d; d++) {
    const linear_part *p = &x->part[d];
    for (size_t f = 0; f < n_f + (bias ? 1 : 0); f++, k++)
      x->place[k] = (int32_t)(f < n_f ? (size_t)p->first + x->feature + f : (size_t)p->bias);
  }
}

/* All tiles of one or two parts of the same size; they leave their sums one behind the other in acc. */
static void sum_parts(tile *x, size_t n_d) {
  const size_t features = (size_t)x->part->n_features;
  const bool bias = x->part->bias >= 0;
  size_t at = 0;
  do {
    const size_t left = features - at;
    const size_t n_f = left < FEATURES ? left : FEATURES;
    const bool last = at + n_f == features;
    x->feature = at;
    aim(x, n_d, n_f, bias && last);
    run_tile(x, n_d, n_f, bias && last);
    x->acc += n_d * (n_f + (bias && last ? 1 : 0)) * PGB_LANES;
    at += n_f;
  } while (at < features);
}

static bool alike(const linear_part *a, const linear_part *b) {
  return a->n_features == b->n_features && (a->bias < 0) == (b->bias < 0);
}

void PGB_KERNEL(pgb_linear_contract)(const linear_part *parts, size_t n_parts, size_t n_theta,
                                     const pgb_rollout *r, size_t n_w, const float *const *weight, float *acc,
                                     float *out) {
  _Alignas(64) float rows[CHUNK * SUMS * PGB_LANES];
  tile x = {.r = r, .n_w = n_w, .n_theta = n_theta, .rows = rows};
  memset(acc, 0, n_w * n_theta * PGB_LANES * sizeof *acc);
  for (size_t ended = 0; x.from < r->rows; x.from = x.to) {
    x.to = x.from + CHUNK < r->rows ? x.from + CHUNK : r->rows;
    x.acc = acc;
    x.n_endings = 0;
    while (ended + x.n_endings < r->n_episodes &&
           (size_t)r->ending[ended + x.n_endings].at < x.to * PGB_LANES)
      x.n_endings++;
    x.ending = r->ending + ended;
    ended += x.n_endings;
    for (size_t w = 0; w < n_w; w++) {
      x.weight = weight[w];
      x.out = out + w * n_theta;
      for (size_t p = 0, n_d = 0; p < n_parts; p += n_d) {
        n_d = p + DELTAS <= n_parts && alike(&parts[p], &parts[p + 1]) ? DELTAS : 1;
        x.part = &parts[p];
        sum_parts(&x, n_d);
      }
    }
  }
}
