/* SPDX-License-Identifier: MIT */
/* For authors of environments. */
#ifndef PGB_CORE_RNG_H
#define PGB_CORE_RNG_H

#include <stdint.h>

/* Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", SC'11).
 * Random numbers are addressed, not drawn: word (block, episode, replicate, use and stream) of key seed.
 * There is no state. */
enum { PGB_PHILOX_ROUNDS = 10 };
#define PGB_PHILOX_M0 0xD2511F53u /* multipliers */
#define PGB_PHILOX_M1 0xCD9E8D57u
#define PGB_PHILOX_W0 0x9E3779B9u /* Weyl increments of the key */
#define PGB_PHILOX_W1 0xBB67AE85u

/* What a word is for. The pilot sample has uses of its own, so that it is independent of the measured one. */
typedef enum pgb_use {
  PGB_USE_RESET = 1,  /* start state            */
  PGB_USE_ACTION = 2, /* policy's sampling      */
  PGB_USE_STEP = 3,   /* environment's noise    */
  PGB_USE_THETA = 4,  /* random parameters      */
  PGB_USE_PILOT = 8,  /* added to the first three */
} pgb_use;

enum { PGB_STREAM_BITS = 28 }; /* streams (cell and batch size) that fit beside the use in one counter word */

static inline void pgb_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
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
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/* The four words of one address. */
static inline void pgb_words(uint64_t seed, unsigned use, uint32_t stream, uint32_t replicate,
                             uint32_t episode, uint32_t block, uint32_t out[4]) {
  const uint32_t counter[4] = {block, episode, replicate, (uint32_t)use << PGB_STREAM_BITS | stream};
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  pgb_philox(counter, key, out);
}

/* A uniform in (0, 1] of 24 bits, and one in (0, 1] that keeps 31 bits near zero, for the logarithm. */
static inline float pgb_uniform(uint32_t word) {
  return ((float)(int32_t)(word >> 8) + 0.5f) * 0x1p-24f;
}

static inline float pgb_uniform_fine(uint32_t word) {
  return ((float)(int32_t)(word >> 1) + 0.5f) * 0x1p-31f;
}

#endif
