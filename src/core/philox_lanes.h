/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_CORE_PHILOX_LANES_H
#define PGB_CORE_PHILOX_LANES_H

#include "core/rng.h"
#include "core/simd.h"

#include <stddef.h>

/* Philox4x32-10 (core/rng.h) for all lanes at once: one block of four words per lane, out[4][PGB_LANES], word
 * j of lane i at out[j * PGB_LANES + i]. Lane i's counter is {block[i], number[i], replicate[i], tag}, the
 * key is seed. Bit for bit what pgb_philox gives, in every copy; out may not overlap the inputs.
 *
 * The plain loop serves every machine; where the copy is compiled for AVX2 or AVX-512, intrinsics do. */
static inline void pgb_philox_lanes_plain(uint64_t seed, uint32_t tag, const uint32_t *replicate,
                                          const uint32_t *number, const uint32_t *block, uint32_t *out) {
  const uint32_t key0 = (uint32_t)seed;
  const uint32_t key1 = (uint32_t)(seed >> 32);
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++) {
    uint32_t c0 = block[i], c1 = number[i], c2 = replicate[i], c3 = tag, k0 = key0, k1 = key1;
#pragma GCC unroll 10
    for (int round = 0; round < PGB_PHILOX_ROUNDS; round++) {
      const uint64_t p0 = (uint64_t)c0 * PGB_PHILOX_M0;
      const uint64_t p1 = (uint64_t)c2 * PGB_PHILOX_M1;
      c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
      c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
      c1 = (uint32_t)p1;
      c3 = (uint32_t)p0;
      k0 += PGB_PHILOX_W0;
      k1 += PGB_PHILOX_W1;
    }
    out[i] = c0;
    out[PGB_LANES + i] = c1;
    out[2 * PGB_LANES + i] = c2;
    out[3 * PGB_LANES + i] = c3;
  }
}

#if !defined(PGB_SCALAR) && (defined(__AVX2__) || defined(__AVX512F__))
#include <immintrin.h>

/* What v holds is not to be taken apart: without this the compiler regroups the exclusive-ors, which puts one
 * more on the chain of every round, and makes each key from a constant of its own. */
#define PHILOX_HOLD(v) __asm__("" : "+v"(v))

/* The few instructions that differ by width. An element is 64 bits; the multiplication reads its low half. */
#ifdef __AVX512F__
typedef __m512i philox_vec;

static inline philox_vec philox_load(const uint32_t *x) {
  return _mm512_loadu_si512(x);
}

static inline void philox_store(uint32_t *x, philox_vec v) {
  _mm512_storeu_si512(x, v);
}

static inline philox_vec philox_all(uint32_t x) {
  return _mm512_set1_epi32((int)x);
}

static inline philox_vec philox_add(philox_vec a, philox_vec b) {
  return _mm512_add_epi32(a, b);
}

static inline philox_vec philox_multiply(philox_vec a, philox_vec b) {
  return _mm512_mul_epu32(a, b);
}

static inline philox_vec philox_high(philox_vec v) {
  return _mm512_shuffle_epi32(v, _MM_PERM_DDBB);
}

/* a ^ b ^ c, where c is what comes last. */
static inline philox_vec philox_xor3(philox_vec a, philox_vec b, philox_vec c) {
  return _mm512_ternarylogic_epi32(a, b, c, 0x96);
}

/* Low (high) halves of the even and of the odd lanes, woven into all lanes in order. */
static inline philox_vec philox_weave_low(philox_vec even, philox_vec odd) {
  return _mm512_mask_shuffle_epi32(even, 0xAAAA, odd, _MM_PERM_CCAA);
}

static inline philox_vec philox_weave_high(philox_vec even, philox_vec odd) {
  return _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
}
#else
typedef __m256i philox_vec;

static inline philox_vec philox_load(const uint32_t *x) {
  return _mm256_loadu_si256((const __m256i *)(const void *)x);
}

static inline void philox_store(uint32_t *x, philox_vec v) {
  _mm256_storeu_si256((__m256i *)(void *)x, v);
}

static inline philox_vec philox_all(uint32_t x) {
  return _mm256_set1_epi32((int)x);
}

static inline philox_vec philox_add(philox_vec a, philox_vec b) {
  return _mm256_add_epi32(a, b);
}

static inline philox_vec philox_multiply(philox_vec a, philox_vec b) {
  return _mm256_mul_epu32(a, b);
}

static inline philox_vec philox_high(philox_vec v) {
  return _mm256_shuffle_epi32(v, 0xF5);
}

static inline philox_vec philox_xor3(philox_vec a, philox_vec b, philox_vec c) {
  philox_vec ab = _mm256_xor_si256(a, b);
  PHILOX_HOLD(ab);
  return _mm256_xor_si256(ab, c);
}

static inline philox_vec philox_weave_low(philox_vec even, philox_vec odd) {
  return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
}

static inline philox_vec philox_weave_high(philox_vec even, philox_vec odd) {
  return _mm256_blend_epi32(philox_high(even), odd, 0xAA);
}
#endif

typedef struct philox_keys {
  philox_vec k0[PGB_PHILOX_ROUNDS], k1[PGB_PHILOX_ROUNDS];
} philox_keys;

/* Every second lane of a vector, in the low halves of the elements; what the high halves hold is never read,
 * so that nothing is woven before the last round. */
typedef struct philox_half {
  philox_vec c0, c1, c2, c3;
} philox_half;

static inline philox_half philox_round(philox_half x, philox_vec m0, philox_vec m1, philox_vec k0,
                                       philox_vec k1) {
  const philox_vec p0 = philox_multiply(x.c0, m0);
  const philox_vec p1 = philox_multiply(x.c2, m1);
  return (philox_half){.c0 = philox_xor3(x.c1, k0, philox_high(p1)),
                       .c1 = p1,
                       .c2 = philox_xor3(x.c3, k1, philox_high(p0)),
                       .c3 = p0};
}

/* The last round, woven first: so its exclusive-ors serve all lanes of out[4][...] at once. */
static inline void philox_end(philox_half even, philox_half odd, philox_vec m0, philox_vec m1, philox_vec k0,
                              philox_vec k1, uint32_t *out) {
  const philox_vec e0 = philox_multiply(even.c0, m0), e1 = philox_multiply(even.c2, m1);
  const philox_vec o0 = philox_multiply(odd.c0, m0), o1 = philox_multiply(odd.c2, m1);
  philox_store(out, philox_xor3(philox_weave_low(even.c1, odd.c1), k0, philox_weave_high(e1, o1)));
  philox_store(out + PGB_LANES, philox_weave_low(e1, o1));
  philox_store(out + 2 * PGB_LANES,
               philox_xor3(philox_weave_low(even.c3, odd.c3), k1, philox_weave_high(e0, o0)));
  philox_store(out + 3 * PGB_LANES, philox_weave_low(e0, o0));
}

static inline void pgb_philox_lanes(uint64_t seed, uint32_t tag, const uint32_t *replicate,
                                    const uint32_t *number, const uint32_t *block, uint32_t *out) {
  enum { WIDTH = sizeof(philox_vec) / sizeof(uint32_t) };
  philox_keys keys;
  keys.k0[0] = philox_all((uint32_t)seed);
  keys.k1[0] = philox_all((uint32_t)(seed >> 32));
  philox_vec w0 = philox_all(PGB_PHILOX_W0), w1 = philox_all(PGB_PHILOX_W1);
  PHILOX_HOLD(w0);
  PHILOX_HOLD(w1);
#pragma GCC unroll 10
  for (int r = 1; r < PGB_PHILOX_ROUNDS; r++) {
    keys.k0[r] = philox_add(keys.k0[r - 1], w0);
    keys.k1[r] = philox_add(keys.k1[r - 1], w1);
  }
  const philox_vec m0 = philox_all(PGB_PHILOX_M0), m1 = philox_all(PGB_PHILOX_M1), c3 = philox_all(tag);
  for (size_t i = 0; i < PGB_LANES; i += WIDTH) {
    philox_half even = {.c0 = philox_load(block + i),
                        .c1 = philox_load(number + i),
                        .c2 = philox_load(replicate + i),
                        .c3 = c3};
    philox_half odd = {
        .c0 = philox_high(even.c0), .c1 = philox_high(even.c1), .c2 = philox_high(even.c2), .c3 = c3};
#pragma GCC unroll 10
    for (int r = 0; r < PGB_PHILOX_ROUNDS - 1; r++) {
      even = philox_round(even, m0, m1, keys.k0[r], keys.k1[r]);
      odd = philox_round(odd, m0, m1, keys.k0[r], keys.k1[r]);
    }
    philox_end(even, odd, m0, m1, keys.k0[PGB_PHILOX_ROUNDS - 1], keys.k1[PGB_PHILOX_ROUNDS - 1], out + i);
  }
}
#else
static inline void pgb_philox_lanes(uint64_t seed, uint32_t tag, const uint32_t *replicate,
                                    const uint32_t *number, const uint32_t *block, uint32_t *out) {
  pgb_philox_lanes_plain(seed, tag, replicate, number, block, out);
}
#endif

#endif
