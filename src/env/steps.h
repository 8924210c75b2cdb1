/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_ENV_STEPS_H
#define PGB_ENV_STEPS_H

#include "core/simd.h"
#include "env/env.h"

#include <stdint.h>

/* The last step of an episode: at = row * PGB_LANES + lane. */
typedef struct pgb_ending {
  int32_t at, episode;
} pgb_ending;
enum { PGB_ENDING_ROWS = 4 }; /* rows within which endings stand in no order */

/* Plain data: some rows of steps of PGB_LANES lanes, each lane a sequence of whole episodes, one after the
 * other. An episode never straddles two rollouts. Letters: T rows, L = PGB_LANES. */
typedef struct pgb_rollout {
  size_t rows, capacity; /* rows in use, rows allocated */
  size_t n_obs, n_act, n_delta, n_kept, horizon;
  float *obs;     /* [T][n_obs][L]                                                                       */
  float *act;     /* [T][n_act][L]                                                                       */
  float *delta;   /* [T][n_delta][L]                                                                     */
  float *kept;    /* [kept_steps][n_kept] what the policy keeps of the steps of busy lanes, row by row; n_kept
                   * may be 0, and the five that follow have no meaning then                                  */
  uint64_t *busy; /* [T] lanes in which an episode runs                        */
  size_t *kept_row;                        /* [T] first of a row's steps in kept                        */
  size_t kept_steps, kept_wish, kept_room; /* in use; no episode begins beyond; allocated               */
  float *reward;    /* [T][L]                                                                              */
  int32_t *step;    /* [T][L] steps since the episode began; 0 at its first                                */
  uint8_t *end;     /* [T][L] PGB_LIVE, PGB_TERMINAL, PGB_TRUNCATED; PGB_IDLE where no episode runs        */
  uint64_t *starts; /* [T] sets of lanes whose episode begins at this row                                  */
  size_t n_episodes, max_episodes;
  pgb_ending *ending; /* [n_episodes] by blocks of PGB_ENDING_ROWS rows from 0 on, within one in any order */
  double *ret;      /* [n_episodes] discounted return G_0                                                  */
  int32_t *length;  /* [n_episodes] steps                                                                  */
  int32_t *origin;  /* [n_episodes] where its first step is: row * L + lane; the next is L further         */
  double *togo;     /* [T][L] discounted reward-to-go G_t, 0 on idle lanes                                 */
  double *discount; /* [horizon] gamma^t                                                                   */
} pgb_rollout;

/* Where what is kept of step `at` = row * PGB_LANES + lane, of an episode, begins. */
static inline size_t pgb_kept_at(const pgb_rollout *r, size_t at) {
  if (r->n_kept == 0)
    return 0;
  const size_t t = at / PGB_LANES;
  const uint64_t before = r->busy[t] & (((uint64_t)1 << at % PGB_LANES) - 1);
  return (r->kept_row[t] + (size_t)__builtin_popcountll(before)) * r->n_kept;
}

#endif
