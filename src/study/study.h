/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STUDY_STUDY_H
#define PGB_STUDY_STUDY_H

#include "baseline/baseline.h"
#include "core/mem.h"
#include "core/simd.h"
#include "core/yaml.h"
#include "estimator/estimator.h"
#include "rollout/rollout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A study is written in YAML (benchmarks/studies/default.yaml is an example). Keys of the top level:
 *   seed        0..2^64-1                                                                       1
 *   gamma       (0, 1], the discount                                                            0.99
 *   env         NAME, {name: NAME, options...}, or a list of them                               required
 *   policy      the same, with the three keys below beside the class's options                  natural for
 * each env estimators  NAME, {name: NAME, options...}, or a list of them                               all
 *   baselines   NAME or a list of them                                                          all
 *   batch       one or a list of up to 16 sizes 1..2^31-1                                       [1, 16]
 *   replicates  2..2^32-1                                                                       1000
 *   pilot       2..2^31-1, episodes of the pilot sample                                         4096
 * Every env with every policy that fits is one cell, in the order env by env, policy by policy. A policy may
 * carry env    limits it to the env entries of that name, or to the entry of that number (from 1): since
 * theta is a matter of one env with one policy, this is how a study with several envs gives it; the resolved
 * study (pgb_study.config) always does. theta  a list of n_theta numbers or nested rows that flatten to it,
 * in the order of the labels (log_sigma at the end may be left out: it starts at the option sigma); `zero`
 * (log sigma at its option), where a network's gradient vanishes but for its last biases; not given: zero
 * too, but a network's orthogonal start from the seed; `random:SCALE`, what not giving it means plus SCALE
 * times normal numbers of the seed; FILE.h5, dataset `theta` or `<group>/theta` of it, a relative name in a
 * study file being relative to that file. Rounded to float32. name   the class Where an option --env takes
 * the place of the study's envs, the study's policies stay if they are all without env and theta (zero and
 * random are no such theta) and fit the new envs; else each env gets its natural policy. */

/* What the user asked for, before it is resolved: the study and the options that override it. Texts as typed;
 * NULL or 0 where not given. */
struct pgb_study;
typedef struct pgb_request {
  const char *study; /* FILE or named study; NULL: "default"                      */
  const char
      *text; /* the study itself as YAML (a resolved one, sent by rank 0); `study` is then its name only */
  const char *const *env; /* n_env texts NAME[:key=value,...]                          */
  size_t n_env;
  const char *const *policy; /* n_policy texts                                            */
  size_t n_policy;
  const char *estimator, *baseline, *batch; /* comma-separated lists                         */
  const char *replicates, *gamma, *seed;
  pgb_isa isa;
  /* Asked once all sizes are known and before theta is made; what it fails with is the outcome. Estimators
   * and baselines that no cell can use are still in the study. NULL: everything is admitted. */
  pgb_status (*admit)(void *admitting, const struct pgb_study *study);
  void *admitting;
  const pgb_env_extra *extra; /* n_extra environments besides those built in, under names of their own; they
                                 outlive the study */
  size_t n_extra;
} pgb_request;

typedef struct pgb_study_estimator {
  const pgb_estimator_class *class_;
  const void *params;
  const char
      *label; /* the class's name, with its options where the study holds the class twice: gae:lambda=0.5 */
  const pgb_yaml *from; /* where the user named it, for pgb_yaml_fail; NULL: one of "all" */
} pgb_study_estimator;

/* One env with one policy. */
typedef struct pgb_cell {
  pgb_actor actor;
  size_t env;               /* entry of pgb_study.env_config                                               */
  const char *group;        /* "/mdp/softmax-tabular", with _2, _3 for the next of the same names          */
  const double *theta;      /* [n_theta], exactly the float32 values in actor.theta                        */
  const char *const *label; /* [n_theta] names of the parameters                                           */
  const char *env_config, *policy_config; /* resolved options as YAML flow maps, with name                 */
} pgb_cell;

/* A resolved study: everything a result depends on but the code. Read-only, owned by its arena. */
typedef struct pgb_study {
  pgb_arena *arena;
  const char *name;   /* of the named study or the file's stem: names the output                         */
  const char *config; /* the resolved study as YAML; read back, it gives the same numbers bit for bit    */
  uint64_t seed;
  double gamma;
  size_t n_envs, n_cells, n_estimators, n_baselines, n_batches;
  const char *const *env_config; /* [n_envs] */
  const char *const
      *env_origin; /* [n_envs] pgb_env_extra.origin, "" where built in; told in config's comments */
  const pgb_cell *cells;
  const pgb_study_estimator *estimators;
  const pgb_baseline_class *const *baselines;
  const pgb_yaml *const *baseline_from; /* [n_baselines] as pgb_study_estimator.from */
  const uint64_t *batches;
  uint64_t replicates;
  uint64_t pilot; /* episodes of the independent sample that constants and linear values are fitted on */
} pgb_study;

/* Reads, checks and resolves. Not collective: rank 0 reads the files, and its `config` is the others' `text`.
 * PGB_USAGE with file:line:column. */
pgb_status pgb_study_resolve(const pgb_request *request, pgb_study **out) PGB_MUST_CHECK;
void pgb_study_destroy(pgb_study *study); /* accepts NULL */

/* What some cell can use: NULL for it in estimator [n_estimators], baseline [n_baselines], else why none can;
 * either may be NULL for all. An entry of "all" that no cell can use leaves the study and its config; one
 * that the user named is PGB_USAGE with the reason. */
pgb_status pgb_study_keep(pgb_study *study, const char *const *estimator,
                          const char *const *baseline) PGB_MUST_CHECK;

/* The named studies of benchmarks/studies, compiled in: name, first comment line, text; ends with name NULL.
 */
typedef struct pgb_named_study {
  const char *name, *title, *text;
} pgb_named_study;
extern const pgb_named_study pgb_named_studies[];

#endif
