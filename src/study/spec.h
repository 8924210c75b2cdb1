/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_STUDY_SPEC_H
#define PGB_STUDY_SPEC_H

#include "core/mem.h"
#include "core/option.h"
#include "core/yaml.h"
#include "study/study.h"

#include <stddef.h>

/* Inside of pgb_study_resolve, for the spec_*.c files alone. The options of the command line become nodes of
 * the study's tree first (spec_arg.c); after that there is one source, and every message takes its place from
 * a node. */

enum { PGB_SPEC_MAX_CELLS = 65535, PGB_SPEC_MAX_BATCHES = 16 };

/* One entry of the env list, ready to run. */
typedef struct pgb_spec_env {
  const pgb_yaml *entry;
  const pgb_env_class *class_;
  const void *params;
  const char *origin; /* pgb_study.env_origin */
  pgb_space space;
} pgb_spec_env;

typedef struct pgb_spec {
  const pgb_request *request;
  pgb_arena *arena;   /* the study's */
  pgb_yaml *root;     /* the study's tree, options put in */
  const char *folder; /* of the study file with a slash at its end, or "" */
  pgb_study *study;   /* being filled */
  pgb_spec_env *envs; /* [study->n_envs] */
} pgb_spec;

/* spec_arg.c: puts the request's options in the place of the study's keys. */
pgb_status pgb_spec_override(pgb_spec *spec) PGB_MUST_CHECK;

/* spec_entry.c. The members of a list, or the node itself as the only one. An empty list is PGB_USAGE. */
pgb_status pgb_spec_items(pgb_arena *arena, const pgb_yaml *node, const pgb_yaml *const **items,
                          size_t *n) PGB_MUST_CHECK;
/* NAME or {name: NAME, ...} as a map with a name. what: "env". */
pgb_status pgb_spec_entry(pgb_arena *arena, const pgb_yaml *node, const char *what, const pgb_yaml **map,
                          const char **name) PGB_MUST_CHECK;
/* Makes a node of an option's value, with no place but `where`. */
pgb_status pgb_spec_node(pgb_arena *arena, pgb_yaml_kind kind, const char *where, const char *key,
                         const char *text, pgb_yaml **out) PGB_MUST_CHECK;
/* "{name: bandit, mean: [1, 2]}" of an options table. */
pgb_status pgb_spec_flow_map(pgb_arena *arena, const char *name, const pgb_option *table, size_t n,
                             const void *params, const char **out) PGB_MUST_CHECK;
/* Prefixes a usage error of class->prepare or the like with the entry's place, or that of the key its text
 * begins with. */
pgb_status pgb_spec_place(const pgb_yaml *entry, const char *what, pgb_status s) PGB_MUST_CHECK;

/* spec_lists.c: estimators, baselines, batch. */
pgb_status pgb_spec_lists(pgb_spec *spec) PGB_MUST_CHECK;

/* spec_env.c: reads the env list. */
pgb_status pgb_spec_envs(pgb_spec *spec) PGB_MUST_CHECK;

/* spec_cells.c: reads the policy list and crosses it with the envs. */
pgb_status pgb_spec_cells(pgb_spec *spec) PGB_MUST_CHECK;

/* spec_theta.c: whether a policy entry gives theta in numbers, which belong to one env; and theta of a cell,
 * whose group, labels and policy are known. */
bool pgb_spec_theta_is_numbers(const pgb_yaml *policy);
pgb_status pgb_spec_theta(const pgb_spec *spec, const pgb_yaml *policy, pgb_cell *cell) PGB_MUST_CHECK;

/* spec_config.c: the resolved study as YAML. */
pgb_status pgb_spec_config(pgb_study *study) PGB_MUST_CHECK;

#endif
