/* SPDX-License-Identifier: MIT */
#ifndef PGB_ENV_ENDS_H
#define PGB_ENV_ENDS_H

#include "env/env.h"

#include <string.h>

/* Sets of lanes as bits, so that what happens to few lanes of a row costs no look at all of them. */
_Static_assert(PGB_LANES == 64, "a set of lanes is one 64-bit word");
_Static_assert((PGB_LIVE | PGB_IDLE) == 3 && (PGB_TERMINAL ^ PGB_TRUNCATED) == 3, "pgb_ended_lanes");

/* Lanes whose end is PGB_TERMINAL or PGB_TRUNCATED: the values of two bits that differ. Eight lanes at a
 * time; the product moves bit 8 k of the eight to bit 56 + k. */
static inline uint64_t pgb_ended_lanes(const uint8_t *end) {
  uint64_t lanes = 0;
  for (unsigned i = 0; i < PGB_LANES; i += 8) {
    uint64_t eight;
    memcpy(&eight, end + i, sizeof eight);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    eight = __builtin_bswap64(eight);
#endif
    const uint64_t differ = (eight ^ eight >> 1) & 0x0101010101010101u;
    lanes |= (differ * 0x0102040810204080u >> 56) << i;
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
