/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ENV_ENDS_H
#define PGB_ENV_ENDS_H

#include "env/env.h"

#include <string.h>

/* Sets of lanes as bits, so that what happens to few lanes of a row costs no look at all of them. */
_Static_assert(PGB_LANES == 64, "a set of lanes is one 64-bit word");
_Static_assert((PGB_LIVE | PGB_IDLE) == 3 && (PGB_TERMINAL ^ PGB_TRUNCATED) == 3, "pgb_ended_lanes");

/* The lanes of eight whose bytes are odd: the product moves bit 8 k to bit 56 + k. */
static inline uint64_t pgb_odd_of_eight(uint64_t eight) {
  return (eight & 0x0101010101010101u) * 0x0102040810204080u >> 56;
}

static inline uint64_t pgb_eight_lanes(const uint8_t *from) {
  uint64_t eight;
  memcpy(&eight, from, sizeof eight);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  eight = __builtin_bswap64(eight);
#endif
  return eight;
}

/* Lanes whose byte is odd. */
static inline uint64_t pgb_odd_lanes(const uint8_t *byte) {
  uint64_t lanes = 0;
  for (unsigned i = 0; i < PGB_LANES; i += 8)
    lanes |= pgb_odd_of_eight(pgb_eight_lanes(byte + i)) << i;
  return lanes;
}

/* Lanes whose end is PGB_TERMINAL or PGB_TRUNCATED: the values of two bits that differ. */
static inline uint64_t pgb_ended_lanes(const uint8_t *end) {
  uint64_t lanes = 0;
  for (unsigned i = 0; i < PGB_LANES; i += 8) {
    const uint64_t eight = pgb_eight_lanes(end + i);
    lanes |= pgb_odd_of_eight(eight ^ eight >> 1) << i;
  }
  return lanes;
}

/* Takes the lowest lane out of a set that is not empty. */
static inline size_t pgb_take_lane(uint64_t *lanes) {
  const size_t lane = (size_t)__builtin_ctzll(*lanes);
  *lanes &= *lanes - 1;
  return lane;
}

#endif
