/* SPDX-License-Identifier: MIT */
/* Random numbers: Philox's known answers, addresses that never meet, and the law of uniforms over 1e7
 * draws, against bounds of six standard errors. */
#include "core/rng.h"

#include "check.h"

#include <stdlib.h>

enum { BLOCKS = 2500000, WORDS = 4 * BLOCKS };

/* Random123's kat_vectors, philox4x32 10. */
static void test_known_answers(checks *c) {
  static const struct {
    uint32_t counter[4], key[2], out[4];
  } known[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    uint32_t out[4];
    pgb_philox(known[i].counter, known[i].key, out);
    CHECK(c, memcmp(out, known[i].out, sizeof out) == 0);
  }
}

static int by_bytes(const void *a, const void *b) {
  return memcmp(a, b, 4 * sizeof(uint32_t));
}

/* Every coordinate of an address counts: no two addresses of a grid share their words. */
static void test_addresses(checks *c) {
  static const uint64_t seeds[] = {0, 1, (uint64_t)1 << 32, UINT64_MAX};
  static const unsigned uses[] = {PGB_USE_RESET,
                                  PGB_USE_ACTION,
                                  PGB_USE_STEP,
                                  PGB_USE_THETA,
                                  PGB_USE_RESET + PGB_USE_PILOT,
                                  PGB_USE_ACTION + PGB_USE_PILOT,
                                  PGB_USE_STEP + PGB_USE_PILOT};
  static const uint32_t streams[] = {0, 1, 256, (1u << PGB_STREAM_BITS) - 1};
  static const uint32_t numbers[] = {0, 1, 2, UINT32_MAX};
  enum { SIZE = 4 * 7 * 4 * 4 * 4 * 4 };
  uint32_t(*all)[4] = malloc(SIZE * sizeof *all);
  size_t n = 0;
  CHECK(c, all != NULL);
  if (all == NULL)
    return;
  for (size_t seed = 0; seed < 4; seed++)
    for (size_t use = 0; use < 7; use++)
      for (size_t stream = 0; stream < 4; stream++)
        for (size_t replicate = 0; replicate < 4; replicate++)
          for (size_t episode = 0; episode < 4; episode++)
            for (size_t block = 0; block < 4; block++)
              pgb_words(seeds[seed], uses[use], streams[stream], numbers[replicate], numbers[episode],
                        numbers[block], all[n++]);
  CHECK(c, n == SIZE);
  qsort(all, n, sizeof *all, by_bytes);
  size_t same = 0;
  for (size_t i = 1; i < n; i++)
    same += by_bytes(all[i - 1], all[i]) == 0;
  CHECK(c, same == 0);
  free(all);
}

static void test_uniform(checks *c) {
  enum { BINS = 256 };
  static double bin[BINS];
  double sum = 0, square = 0, neighbour = 0, next_block = 0, fine = 0, least = 1, most = 0;
  double before = 0.5;
  for (uint32_t b = 0; b < BLOCKS; b++) {
    uint32_t w[4];
    pgb_words(2024, PGB_USE_STEP, 3, 5, b, b % 7, w);
    double u[4];
    for (size_t j = 0; j < 4; j++) {
      u[j] = (double)pgb_uniform(w[j]);
      const double d = u[j] - 0.5;
      sum += d;
      square += d * d;
      least = fmin(least, u[j]);
      most = fmax(most, u[j]);
      fine += (double)pgb_uniform_fine(w[j]) - 0.5;
      bin[w[j] >> 24]++;
    }
    neighbour += (u[0] - 0.5) * (u[1] - 0.5) + (u[2] - 0.5) * (u[3] - 0.5);
    next_block += (before - 0.5) * (u[0] - 0.5);
    before = u[3];
  }
  const double n = WORDS;
  CHECK(c, least > 0 && most <= 1);
  CHECK_NEAR(c, sum / n, 0, 0, 6 / sqrt(12 * n));
  CHECK_NEAR(c, fine / n, 0, 0, 6 / sqrt(12 * n));
  CHECK_NEAR(c, square / n, 1.0 / 12, 0, 6 / sqrt(180 * n));
  CHECK_NEAR(c, neighbour / (n / 2), 0, 0, 6 / (12 * sqrt(n / 2)));
  CHECK_NEAR(c, next_block / (n / 4), 0, 0, 6 / (12 * sqrt(n / 4)));
  double chi2 = 0;
  for (size_t i = 0; i < BINS; i++)
    chi2 += (bin[i] - n / BINS) * (bin[i] - n / BINS) / (n / BINS);
  CHECK_NEAR(c, chi2, BINS - 1, 0, 6 * sqrt(2.0 * (BINS - 1)));
}

/* The ends of the ranges that rng.h states: the logarithm never sees 0. */
static void test_uniform_ends(checks *c) {
  CHECK(c, pgb_uniform(0) == 0x1p-25f);
  CHECK(c, pgb_uniform(UINT32_MAX) <= 1.0f && pgb_uniform(UINT32_MAX) > 1.0f - 0x1p-23f);
  CHECK(c, pgb_uniform(0x80000000u) >= 0.5f && pgb_uniform(0x80000000u) < 0.5f + 0x1p-23f);
  CHECK(c, pgb_uniform_fine(0) == 0x1p-32f && pgb_uniform_fine(UINT32_MAX) == 1.0f);
  for (uint32_t w = 0; w < 1000; w++) /* 31 bits near zero */
    CHECK(c, pgb_uniform_fine(2 * w + 1) == ((float)w + 0.5f) * 0x1p-31f);
}

int main(void) {
  checks c = {0, 0};
  test_known_answers(&c);
  test_addresses(&c);
  test_uniform(&c);
  test_uniform_ends(&c);
  return check_end(&c, "rng");
}
