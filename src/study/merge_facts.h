/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_STUDY_MERGE_FACTS_H
#define PGB_STUDY_MERGE_FACTS_H

#include "study/merge.h"

/* Inside of pgb_merge: what parts say of their run, whether they belong together, and what the merged file
 * says. */
typedef enum pgb_merge_fact {
  PGB_FACT_SCHEMA,
  PGB_FACT_KIND,
  PGB_FACT_VERSION,
  PGB_FACT_COMMIT,
  PGB_FACT_STUDY,
  PGB_FACT_CONFIG,
  PGB_FACT_SIMD,
  PGB_FACT_COMMAND,
  PGB_FACT_HOSTS,
  PGB_FACT_CPU,
  PGB_FACT_COMPILER,
  PGB_FACT_FLAGS,
  PGB_FACT_MPI,
  PGB_FACT_JOB,
  PGB_FACT_STARTED,
  PGB_FACT_FINISHED,
  PGB_FACT_PLUGINS,
  PGB_FACT_COUNT
} pgb_merge_fact;

typedef struct pgb_merge_part {
  const char *path;
  pgb_reader *reader;
  const char *fact[PGB_FACT_COUNT];
  uint64_t ranks, nodes, launches;
  pgb_share share; /* a file without one is of the whole study: n 0 */
} pgb_merge_part;

/* Of the open part. PGB_USAGE for what is no result of `pgbench variance`. Texts in the arena. */
pgb_status pgb_merge_read_facts(pgb_merge_part *part, pgb_arena *arena) PGB_MUST_CHECK;

/* The study that the part's config says, whole. */
pgb_status pgb_merge_resolve(const pgb_merge_part *part, const pgb_merge_request *request,
                             pgb_study **out) PGB_MUST_CHECK;

/* [n_parts]. PGB_USAGE naming the two parts that do not belong together, or the build that is not this one.
 */
pgb_status pgb_merge_check_facts(const pgb_merge_part *part, const pgb_merge_request *request) PGB_MUST_CHECK;

/* Root attributes and /timing. */
pgb_status pgb_merge_store_facts(const pgb_merge_part *part, size_t n, const pgb_merged *merged,
                                 pgb_arena *arena, pgb_store *store) PGB_MUST_CHECK;

#endif
