/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ROLLOUT_WORDS_H
#define PGB_ROLLOUT_WORDS_H

#include "core/philox_lanes.h"
#include "rollout/runner.h"

/* The random words of all lanes. Word j of a step that takes n words is word (t*n + j) of the episode's
 * stream for n = 1 and 2 (one Philox block serves 4 or 2 steps), else word j of the step's own blocks. */
typedef struct words_plan {
  size_t n, steps; /* words per step; steps that one block serves (1 where a step takes whole blocks) */
  int shift;       /* log2 of steps */
  unsigned use;
  bool in_phase; /* every lane is at the same step of its block, so a block is made once for `steps` rows */
} words_plan;

static inline words_plan plan_words(size_t n, unsigned use, bool long_episodes) {
  const int shift = n == 1 ? 2 : n == 2 ? 1 : 0;
  const size_t steps = (size_t)1 << shift;
  return (words_plan){
      .n = n, .steps = steps, .shift = shift, .use = use, .in_phase = long_episodes || steps == 1};
}

/* One Philox block for every lane, block[i] of its episode: out[4][L]. */
static inline void lane_blocks(pgb_address address, unsigned use, const lane_episodes *of,
                               const uint32_t *block, uint32_t *out) {
  const uint32_t tag = (uint32_t)use << PGB_STREAM_BITS | address.stream;
  pgb_philox_lanes(address.seed, tag, of->replicate, of->number, block, out);
}

/* The words of n that a reset takes, for every lane: out [n in whole blocks][L]. */
static inline void reset_words(size_t n, pgb_address address, unsigned use, const lane_episodes *of,
                               uint32_t *out) {
  uint32_t block[PGB_LANES];
  for (size_t b = 0; b * 4 < n; b++) {
    for (size_t i = 0; i < PGB_LANES; i++)
      block[i] = (uint32_t)b;
    lane_blocks(address, use, of, block, out + b * 4 * PGB_LANES);
  }
}

/* The words of step[i] of lane i: returns [n][L], within room or room's second half. */
static inline const uint32_t *step_words(const words_plan *plan, pgb_address address, const lane_episodes *of,
                                         const int32_t *step, size_t row, uint32_t *room) {
  uint32_t block[PGB_LANES];
  if (plan->n == 0)
    return room;
  if (plan->steps == 1) {
    const int32_t per_step = (int32_t)(pgb_word_rows(plan->n) / 4);
    for (int32_t b = 0; b < per_step; b++) {
      for (size_t i = 0; i < PGB_LANES; i++)
        block[i] = (uint32_t)(step[i] * per_step + b);
      lane_blocks(address, plan->use, of, block, room + (size_t)b * 4 * PGB_LANES);
    }
    return room;
  }
  const size_t phase = row & (plan->steps - 1);
  const int32_t last = (int32_t)plan->steps - 1;
  if (!plan->in_phase || phase == 0) {
    for (size_t i = 0; i < PGB_LANES; i++)
      block[i] = (uint32_t)(step[i] >> plan->shift);
    lane_blocks(address, plan->use, of, block, room);
  }
  if (plan->in_phase)
    return room + phase * plan->n * PGB_LANES;
  uint32_t *picked = room + 4 * PGB_LANES;
  for (size_t j = 0; j < plan->n; j++)
    for (size_t i = 0; i < PGB_LANES; i++)
      picked[j * PGB_LANES + i] = room[((size_t)(step[i] & last) * plan->n + j) * PGB_LANES + i];
  return picked;
}

#endif
