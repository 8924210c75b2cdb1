/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ENVS_MDP_H
#define PGB_ENVS_MDP_H

#include "core/option.h"

/* Finite states and actions, horizon steps: s_0 ~ start, r_t = reward[s][a] + noise * N(0, 1), s' ~
 * transition[s][a][.]. */
typedef struct pgb_mdp {
  pgb_array transition; /* [S][A][S] rows sum to 1 */
  pgb_array reward;     /* [S][A]                  */
  pgb_array start;      /* [S], or absent: uniform */
  double noise;
  int64_t horizon;
  size_t states, actions;
  const double *start_p;           /* [S] start distribution                                */
  const uint32_t *next_threshold;  /* [S][A][S] cumulative probabilities times 2^31 */
  const uint32_t *start_threshold; /* [S] the same of start                                 */
  const float *reward_lane;        /* [S][A] */
} pgb_mdp;

#endif
