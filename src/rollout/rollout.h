/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_ROLLOUT_ROLLOUT_H
#define PGB_ROLLOUT_ROLLOUT_H

#include "core/mem.h"
#include "core/simd.h"
#include "env/env.h"
#include "env/steps.h"
#include "policy/policy.h"

#include <stdint.h>

/* Where the random numbers of an episode come from (core/rng.h): nothing else does. */
typedef struct pgb_address {
  uint64_t seed;
  uint32_t stream; /* cell and batch size                                     */
  bool pilot;      /* the pilot sample is independent of the measured one     */
} pgb_address;

/* A problem ready to run: who acts in what. theta float32 [n_theta]. */
typedef struct pgb_actor {
  const pgb_env_class *env;
  const void *env_params;
  pgb_space space;
  const pgb_policy_class *policy;
  const void *policy_params;
  pgb_policy_shape shape;
  const float *theta;
  double gamma;
} pgb_actor;

enum { PGB_KEPT_BYTES = 1 << 20 };

typedef struct pgb_runner pgb_runner; /* batch, random words and lane bookkeeping of one rank */

/* capacity: rows; at least the horizon. */
pgb_status pgb_rollout_create(const pgb_actor *actor, size_t capacity, pgb_rollout **out) PGB_MUST_CHECK;
/* A rollout takes no more episodes once what the policy keeps of its steps has reached so many bytes, at
 * first PGB_KEPT_BYTES, which stay in the second-level cache until they are contracted. What was kept is
 * lost. PGB_RUNTIME without memory. */
pgb_status pgb_rollout_keep(pgb_rollout *rollout, size_t bytes) PGB_MUST_CHECK;
/* Steps that it then has room to keep. */
size_t pgb_rollout_kept_room(size_t n_kept, size_t horizon, size_t capacity, size_t bytes);
void pgb_rollout_destroy(pgb_rollout *rollout); /* accepts NULL */
pgb_status pgb_runner_create(const pgb_actor *actor, pgb_runner **out) PGB_MUST_CHECK;
void pgb_runner_destroy(pgb_runner *runner); /* accepts NULL */

/* Runs episodes first, first+1, ... (count of them at the most) of a stream until the rollout is full;
 * episode e is replicate e / batch, episode e % batch of it. Fills everything; rollout->n_episodes says how
 * many, all whole. A pure function of (actor, address, batch, first): which lane ran an episode shows in no
 * figure of it. */
typedef void pgb_rollout_run_fn(const pgb_actor *actor, pgb_runner *runner, pgb_address address,
                                uint64_t batch, uint64_t first, uint64_t count, pgb_rollout *rollout);
pgb_rollout_run_fn *pgb_rollout_run(pgb_isa isa);

/* Rows to allocate so that short episodes fill the lanes and the block stays in cache. */
size_t pgb_rollout_capacity(const pgb_space *space);

#endif
