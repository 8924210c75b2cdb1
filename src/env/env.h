/* SPDX-License-Identifier: MIT */
/* For authors of environments. */
#ifndef PGB_ENV_ENV_H
#define PGB_ENV_ENV_H

#include "core/mem.h"
#include "core/option.h"
#include "core/simd.h"
#include "core/status.h"

#include <stdint.h>

/* How an episode stands after a step. The time limit of a problem that would go on is a truncation, never a
 * terminal state. */
enum { PGB_LIVE = 0, PGB_TERMINAL = 1, PGB_TRUNCATED = 2, PGB_IDLE = 3 };

/* The sizes of one problem, after its options are known. */
typedef struct pgb_space {
  size_t n_state, n_obs, n_act;   /* float rows of the batch                                            */
  size_t n_choices;               /* discrete actions 0..n_choices-1 in act row 0; 0: continuous actions  */
  size_t n_contexts;              /* discrete observations 0..n_contexts-1 in obs row 0; 0: continuous    */
  size_t horizon;                 /* steps after which every episode ends                               */
  size_t reset_words, step_words; /* 32-bit random words that one reset, one step takes               */
} pgb_space;

/* Structure of arrays: row k of [n][PGB_LANES] starts at k*PGB_LANES. All lanes are always stepped; what an
 * idle lane holds is finite and never used. The batch owns one allocation (pgb_batch_create). */
typedef struct pgb_batch {
  float *state, *obs, *act; /* [n_state][lanes], [n_obs][lanes], [n_act][lanes]           */
  float *reward;            /* [lanes] of the last step                                   */
  uint8_t *end;             /* [lanes] set by step: PGB_LIVE or PGB_TERMINAL              */
  int32_t *step;            /* [lanes] steps already taken in the lane's episode          */
  const uint32_t *words;    /* [step_words][lanes] random words of this step              */
} pgb_batch;

typedef struct pgb_field {
  const char *name, *unit;
  double low, high;
} pgb_field;

/* What an environment is. params points to the class's own struct, filled from `options`; it is read-only
 * after prepare. reset and step cannot fail: everything was checked in prepare. */
typedef struct pgb_env_class {
  const char *name, *title, *source; /* source: paper, DOI or repository@version                       */
  const pgb_option *options;
  size_t n_options, params_size;
  const pgb_field *obs_fields; /* NULL: a discrete observation or one row per option-given dimension    */
  size_t n_obs_fields;
  bool limit_truncates; /* the horizon cuts a problem that would go on (Gymnasium's TimeLimit)          */
  double policy_gain;   /* sign of a linear mean that the field uses here: -1 for u = -K x, else +1     */
  const char *given; /* options of which some need others: "A,B" reads "if any is given, all must be"; NULL */

  /* Checks what single options cannot, derives what step needs; may allocate from the arena. PGB_USAGE, text
   * "<option>: <why>; <what to do>". */
  pgb_status (*prepare)(void *params, pgb_arena *arena, pgb_space *space);
  /* Starts an episode in every lane: reads words, here [reset_words][lanes]; writes state, obs. */
  void (*reset)(const void *params, pgb_batch *batch);
  /* One step of all lanes: reads state, act, step, words; writes state, obs, reward, end. All but state may
   * be other memory at every call: nothing left in obs, reward or end can be read again. */
  void (*step)(const void *params, pgb_batch *batch);
} pgb_env_class;

/* The classes of envs.def in its order, compiled for one instruction set; NULL-terminated. */
const pgb_env_class *const *pgb_env_table(pgb_isa isa);
/* By name, or NULL. */
const pgb_env_class *pgb_env_find(pgb_isa isa, const char *name);

/* An environment from outside this build: of a plugin (env/plugins.h) or a class of the program that links
 * the library (pgb_env_check tells whether it keeps the contract). origin: what it is of, one line for the
 * resolved study, as "plugin, sha256 0123..."; a result is that of this origin. */
typedef struct pgb_env_extra {
  const pgb_env_class *class_;
  const char *origin;
} pgb_env_extra;

/* One aligned allocation for all rows; free with pgb_batch_destroy. */
pgb_status pgb_batch_create(const pgb_space *space, pgb_batch **out) PGB_MUST_CHECK;
void pgb_batch_destroy(pgb_batch *batch); /* accepts NULL */

#endif
