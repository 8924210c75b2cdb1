/* SPDX-License-Identifier: MIT */
/* Philox in lanes, in every instruction set that runs here: the published answers in every lane, then word
 * for word what the scalar function gives, for intrinsics and for the plain loop. Normals likewise. */
#include "check.h"
#include "core/rng.h"
#include "core/vmath.h"
#include "rng_lanes.h"

enum { L = PGB_LANES };

/* Random123's kat_vectors, philox4x32 10; the lanes take c3 from the tag, so one answer a call. */
static void test_known_answers(checks *c, rng_philox_fn *philox) {
  static const struct {
    uint32_t counter[4];
    uint64_t seed;
    uint32_t out[4];
  } known[] = {
      {{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       UINT64_MAX,
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       0x299f31d0a4093822,
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
    uint32_t in[3][L];
    uint32_t out[4 * L];
    for (size_t i = 0; i < L; i++)
      for (size_t j = 0; j < 3; j++)
        in[j][i] = known[k].counter[j];
    philox(known[k].seed, known[k].counter[3], in[2], in[1], in[0], out);
    for (size_t i = 0; i < L; i++)
      for (size_t j = 0; j < 4; j++)
        CHECK(c, out[j * L + i] == known[k].out[j]);
  }
}

/* Lanes, counters and keys that all differ; two words beyond out stay as they were, and out needs no more
 * alignment than a word has. */
static void test_against_scalar(checks *c, rng_philox_fn *philox) {
  size_t wrong = 0;
  for (uint32_t trial = 0; trial < 2000; trial++) {
    uint32_t in[3][L], key[4];
    uint32_t room[4 * L + 3];
    for (uint32_t i = 0; i < L; i++) {
      uint32_t w[4];
      pgb_words(1, PGB_USE_STEP, 2, 3, trial, i, w);
      for (size_t j = 0; j < 3; j++)
        in[j][i] = trial % 2 == 0 ? w[j] : w[j] >> 24;
    }
    pgb_words(2, PGB_USE_STEP, 2, 3, trial, 0, key);
    const uint64_t seed = trial % 3 == 0 ? key[0] % 100 : (uint64_t)key[1] << 32 | key[0];
    uint32_t *out = room + 1;
    room[0] = room[4 * L + 1] = 12345;
    philox(seed, key[2], in[0], in[1], in[2], out);
    for (size_t i = 0; i < L; i++) {
      const uint32_t counter[4] = {in[2][i], in[1][i], in[0][i], key[2]};
      const uint32_t keys[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
      uint32_t expect[4];
      pgb_philox(counter, keys, expect);
      for (size_t j = 0; j < 4; j++)
        wrong += out[j * L + i] != expect[j];
    }
    wrong += room[0] != 12345 || room[4 * L + 1] != 12345;
  }
  CHECK(c, wrong == 0);
}

static void test_normal_bits(checks *c, rng_normal_fn *normal) {
  enum { N = 4096 };
  static uint32_t w0[N], w1[N];
  static float z0[N], z1[N];
  size_t wrong = 0;
  for (uint32_t i = 0; i < N; i++) {
    uint32_t w[4];
    pgb_words(3, PGB_USE_STEP, 2, 3, 0, i, w);
    w0[i] = i < 8 ? i : w[0];
    w1[i] = w[1];
  }
  normal(N, w0, w1, z0, z1);
  for (size_t i = 0; i < N; i++) {
    float a;
    float b;
    pgb_normal_pair(w0[i], w1[i], &a, &b);
    wrong += pgb_float_bits(a) != pgb_float_bits(z0[i]) || pgb_float_bits(b) != pgb_float_bits(z1[i]);
  }
  CHECK(c, wrong == 0);
}

int main(void) {
  checks c = {0, 0};
  static rng_philox_fn *const philox[PGB_ISA_COUNT] = PGB_DISPATCH(rng_philox);
  static rng_philox_fn *const plain[PGB_ISA_COUNT] = PGB_DISPATCH(rng_philox_plain);
  static rng_normal_fn *const normal[PGB_ISA_COUNT] = PGB_DISPATCH(rng_normal);
  for (int isa = 0; isa < PGB_ISA_COUNT; isa++) {
    if (!pgb_isa_supported((pgb_isa)isa)) {
      printf("rng_lanes: %s does not run here\n", pgb_isa_name((pgb_isa)isa));
      continue;
    }
    const int before = c.failed;
    test_known_answers(&c, philox[isa]);
    test_known_answers(&c, plain[isa]);
    test_against_scalar(&c, philox[isa]);
    test_against_scalar(&c, plain[isa]);
    test_normal_bits(&c, normal[isa]);
    if (c.failed != before)
      (void)fprintf(stderr, "rng_lanes: these were of %s\n", pgb_isa_name((pgb_isa)isa));
  }
  return check_end(&c, "rng_lanes");
}
