/* SPDX-License-Identifier: MIT */
#ifndef PGB_ROLLOUT_RUNNER_H
#define PGB_ROLLOUT_RUNNER_H

#include "rollout/rollout.h"

/* Working memory of the rollout loop, private to this layer. */
struct pgb_runner {
  pgb_batch *batch;
  uint32_t *act_words,
      *step_words;       /* [2*word rows][L]: whole Philox blocks, then the words picked from them  */
  uint32_t *reset_words; /* [reset words, rounded up to whole blocks]                         */
  uint32_t replicate[PGB_LANES], number[PGB_LANES]; /* address of the lane's episode                       */
  int32_t episode[PGB_LANES];                       /* its index in the rollout                            */
  uint8_t busy[PGB_LANES];                          /* 1 while an episode runs                             */
  uint32_t next_replicate;                          /* address of the next episode to start */
  uint64_t next_number, left;                       /* and how many are left to start       */
};

/* Words of n per step, in whole Philox blocks of four. */
static inline size_t pgb_word_rows(size_t n) {
  return (n + 3) / 4 * 4;
}

#endif
