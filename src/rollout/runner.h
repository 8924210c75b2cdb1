/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ROLLOUT_RUNNER_H
#define PGB_ROLLOUT_RUNNER_H

#include "rollout/rollout.h"

/* Which episode each lane draws its random words for. */
typedef struct lane_episodes {
  uint32_t replicate[PGB_LANES], number[PGB_LANES];
} lane_episodes;

/* Working memory of the rollout loop, private to this layer. */
struct pgb_runner {
  pgb_batch *batch; /* the lanes' states; all other rows are the rollout's */
  pgb_batch *fresh; /* first states of the next episodes, one in each lane, made in one go */
  uint32_t *act_words,
      *step_words;             /* [2*word rows][L]: whole Philox blocks, then the words picked from them */
  uint32_t *reset_words;       /* [reset words, in whole blocks][L]                        */
  lane_episodes now, next;     /* of batch, of fresh                                       */
  size_t used;                 /* lanes of fresh that are taken                            */
  int32_t episode[PGB_LANES];  /* index in the rollout of the lane's episode               */
  uint8_t ran[PGB_LANES];      /* rows that it ran since lanes could begin */
  uint8_t idle[PGB_LANES];     /* 0 while an episode runs, else PGB_IDLE                   */
  size_t running, ended;       /* episodes                                                 */
  size_t limit_row;            /* no episode reaches the time limit before this row        */
  uint64_t next_episode, left; /* episode of the stream to start next, how many are left to start */
};

/* Words of n per step, in whole Philox blocks of four. */
static inline size_t pgb_word_rows(size_t n) {
  return (n + 3) / 4 * 4;
}

#endif
