/* SPDX-License-Identifier: MIT */
#include "study/merge_facts.h"

#include "core/simd.h"
#include "env/plugins.h"
#include "io/provenance.h"
#include "study/output.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const fact_names[PGB_FACT_COUNT] = {
    [PGB_FACT_SCHEMA] = "schema",     [PGB_FACT_KIND] = "kind",
    [PGB_FACT_VERSION] = "version",   [PGB_FACT_COMMIT] = "git_commit",
    [PGB_FACT_STUDY] = "study",       [PGB_FACT_CONFIG] = "config",
    [PGB_FACT_SIMD] = "simd",         [PGB_FACT_COMMAND] = "command_line",
    [PGB_FACT_HOSTS] = "hosts",       [PGB_FACT_CPU] = "cpu",
    [PGB_FACT_COMPILER] = "compiler", [PGB_FACT_FLAGS] = "compiler_flags",
    [PGB_FACT_MPI] = "mpi_library",   [PGB_FACT_JOB] = "slurm_job_id",
    [PGB_FACT_STARTED] = "started",   [PGB_FACT_FINISHED] = "finished",
    [PGB_FACT_PLUGINS] = "plugins",
};

pgb_status pgb_merge_read_facts(pgb_merge_part *part, pgb_arena *arena) {
  const char *share = NULL;
  enum { MOST_RANKS = 1 << 24 }; /* a damaged number must not ask for memory without end */
  for (int i = 0; i < PGB_FACT_COUNT; i++)
    PGB_TRY(pgb_reader_text(part->reader, "/", fact_names[i], false, arena, &part->fact[i]));
  if (strcmp(part->fact[PGB_FACT_SCHEMA], "pgbench/1") != 0 ||
      strcmp(part->fact[PGB_FACT_KIND], "variance") != 0)
    return pgb_fail(PGB_USAGE,
                    "%s: is a result of schema %s, kind %s; merge joins those of pgbench/1, variance",
                    part->path, part->fact[PGB_FACT_SCHEMA], part->fact[PGB_FACT_KIND]);
  PGB_TRY(pgb_reader_unsigned(part->reader, "/", "ranks", &part->ranks));
  PGB_TRY(pgb_reader_unsigned(part->reader, "/", "nodes", &part->nodes));
  PGB_TRY(pgb_reader_unsigned(part->reader, "/", "launches", &part->launches));
  PGB_TRY(pgb_reader_text(part->reader, "/", "share", true, arena, &share));
  part->share = (pgb_share){.k = 0, .n = 0};
  if ((share != NULL && !pgb_share_parse(share, &part->share)) || part->ranks < 1 ||
      part->ranks > MOST_RANKS || part->nodes > part->ranks)
    return pgb_fail(
        PGB_USAGE,
        "%s: attributes share, ranks and nodes do not make sense; the file was changed or damaged: "
        "take another copy",
        part->path);
  return pgb_ok();
}

pgb_status pgb_merge_resolve(const pgb_merge_part *part, const pgb_merge_request *request, pgb_study **out) {
  const char *config = part->fact[PGB_FACT_CONFIG];
  const pgb_request whole = {.study = part->fact[PGB_FACT_STUDY],
                             .text = config,
                             .extra = request->extra,
                             .n_extra = request->n_extra};
  pgb_status s = pgb_study_resolve(&whole, out);
  if (s.code == PGB_OK && strcmp((*out)->config, config) == 0)
    return s;
  pgb_study_destroy(*out);
  *out = NULL;
  return s.code == PGB_RUNTIME
             ? s
             : pgb_fail(
                   PGB_USAGE,
                   "%s: its study does not resolve to what it was (%s); the file was changed or damaged: "
                   "take another copy",
                   part->path, s.code == PGB_OK ? "the config differs" : s.text);
}

/* ---- Do they belong together? ---- */

/* 0 without fused multiply-add, 1 with: within a family the figures of networks too are the same bits. -1: no
 * such set. */
static int family(const char *simd) {
  static const char *const names[] = {"none", "sse2", "avx2", "avx512"};
  for (int i = 0; i < 4; i++)
    if (strcmp(simd, names[i]) == 0)
      return i / 2;
  return -1;
}

pgb_status pgb_merge_check_facts(const pgb_merge_part *part, const pgb_merge_request *request) {
  const pgb_provenance own = pgb_provenance_build();
  for (size_t i = 0; i < request->n_parts; i++) {
    const char *const *f = part[i].fact;
    if (strcmp(f[PGB_FACT_VERSION], own.version) != 0 || strcmp(f[PGB_FACT_COMMIT], own.git_commit) != 0)
      return pgb_fail(
          PGB_USAGE,
          "%s: was written by pgbench %s (commit %.60s), and this is another build, whose files may "
          "hold other figures; merge with that one",
          part[i].path, f[PGB_FACT_VERSION], f[PGB_FACT_COMMIT]);
    if (strcmp(f[PGB_FACT_CONFIG], part[0].fact[PGB_FACT_CONFIG]) != 0)
      return pgb_fail(
          PGB_USAGE,
          "%s: is of another study than %s (their attributes config differ); name the parts of one "
          "study",
          part[i].path, part[0].path);
    if (!pgb_plugins_same(f[PGB_FACT_PLUGINS], request->plugins))
      return pgb_fail(PGB_USAGE,
                      "%s: was measured with other plugins (%s); give files of that content with --plugin",
                      part[i].path, f[PGB_FACT_PLUGINS][0] == '\0' ? "none" : f[PGB_FACT_PLUGINS]);
    if (family(f[PGB_FACT_SIMD]) < 0 || family(f[PGB_FACT_SIMD]) != family(part[0].fact[PGB_FACT_SIMD]))
      return pgb_fail(PGB_USAGE,
                      "%s: was measured with %s kernels and %s with %s, which may differ in the last bit; "
                      "measure one of them again with --simd like the other",
                      part[i].path, f[PGB_FACT_SIMD], part[0].path, part[0].fact[PGB_FACT_SIMD]);
  }
  return pgb_ok();
}

/* ---- What the merged file says ---- */

/* Words of all parts, each once. */
typedef struct words {
  const char **word; /* [most] */
  size_t n;
} words;

static void add_word(words *w, const char *word) {
  for (size_t i = 0; i < w->n; i++)
    if (strcmp(w->word[i], word) == 0)
      return;
  if (word[0] != '\0')
    w->word[w->n++] = word;
}

static pgb_status join(const words *w, const char *between, pgb_arena *arena, const char **out) {
  size_t most = 1;
  void *memory = NULL;
  for (size_t i = 0; i < w->n; i++)
    most += strlen(w->word[i]) + strlen(between);
  PGB_TRY(pgb_arena_alloc(arena, most, 1, &memory));
  char *to = memory;
  for (size_t i = 0; i < w->n; i++)
    to += snprintf(to, most - (size_t)(to - (char *)memory), "%s%s", i > 0 ? between : "", w->word[i]);
  *out = memory;
  return pgb_ok();
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The parts' lists a,b,c as one, sorted. */
static pgb_status join_hosts(const pgb_merge_part *part, size_t n, pgb_arena *arena, const char **out,
                             size_t *count) {
  size_t most = n;
  void *memory = NULL;
  for (size_t i = 0; i < n; i++)
    for (const char *at = part[i].fact[PGB_FACT_HOSTS]; *at != '\0'; at++)
      most += *at == ',';
  PGB_TRY(pgb_arena_alloc(arena, most, sizeof(char *), &memory));
  words w = {.word = memory};
  for (size_t i = 0; i < n; i++) {
    char *list = NULL;
    PGB_TRY(pgb_arena_text(arena, part[i].fact[PGB_FACT_HOSTS], &list));
    for (char *next = list; next != NULL;) {
      char *name = next;
      next = strchr(name, ',');
      if (next != NULL)
        *next++ = '\0';
      add_word(&w, name);
    }
  }
  qsort(w.word, w.n, sizeof *w.word, by_name);
  *count = w.n;
  return join(&w, ",", arena, out);
}

static pgb_status join_fact(const pgb_merge_part *part, size_t n, pgb_merge_fact fact, pgb_arena *arena,
                            const char **out) {
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(arena, n, sizeof(char *), &memory));
  words w = {.word = memory};
  for (size_t i = 0; i < n; i++)
    if (fact == PGB_FACT_COMMAND) /* a line for each */
      w.word[w.n++] = part[i].fact[fact];
    else
      add_word(&w, part[i].fact[fact]);
  return join(&w, fact == PGB_FACT_COMMAND ? "\n" : "; ", arena, out);
}

/* The first or last of times that sort as texts. */
static const char *extreme(const pgb_merge_part *part, size_t n, pgb_merge_fact fact, int sign) {
  const char *found = part[0].fact[fact];
  for (size_t i = 1; i < n; i++) {
    const int order = strcmp(part[i].fact[fact], found);
    if ((sign > 0 && order > 0) || (sign < 0 && order < 0))
      found = part[i].fact[fact];
  }
  return found;
}

static pgb_status store_timing(const pgb_merge_part *part, size_t n, const pgb_study *study, uint64_t ranks,
                               const pgb_cell_result *cells, pgb_arena *arena, pgb_store *store) {
  enum { OF_RANK = PGB_PHASE_COUNT + 3 }; /* seconds of phases, two of memory, processor */
  pgb_run_result all = {.estimated_bytes = 0};
  void *room = NULL;
  PGB_TRY(pgb_arena_alloc(arena, (size_t)ranks * OF_RANK, sizeof(double), &room));
  all.seconds = room;
  all.memory = (double(*)[2])(all.seconds + ranks * PGB_PHASE_COUNT);
  all.processor = all.seconds + ranks * (PGB_PHASE_COUNT + 2);
  PGB_TRY(pgb_timing_create(study, arena, &all.timing));
  uint64_t first = 0;
  for (size_t i = 0; i < n; i++) {
    PGB_TRY(pgb_output_timing_back(part[i].reader, study, &part[i].share, first, part[i].ranks, &all));
    first += part[i].ranks;
  }
  for (size_t at = 0; at < study->n_cells * study->n_batches; at++)
    all.steps += cells[at / study->n_batches].roll[PGB_STEPS][at % study->n_batches];
  return pgb_output_timing(store, study, &all, (int)ranks);
}

pgb_status pgb_merge_store_facts(const pgb_merge_part *part, size_t n, const pgb_merged *merged,
                                 pgb_arena *arena, pgb_store *store) {
  const pgb_study *study = merged->study;
  const pgb_verdict *verdict = &merged->verdict;
  const char *joined[PGB_FACT_COUNT];
  uint64_t ranks = 0;
  uint64_t nodes = 0;
  uint64_t launches = 0;
  size_t hosts = 0;
  for (size_t i = 0; i < n; i++) {
    ranks += part[i].ranks;
    launches += part[i].launches;
    nodes = part[i].nodes > nodes ? part[i].nodes : nodes;
  }
  for (int f = 0; f < PGB_FACT_COUNT; f++)
    PGB_TRY(join_fact(part, n, (pgb_merge_fact)f, arena, &joined[f]));
  PGB_TRY(join_hosts(part, n, arena, &joined[PGB_FACT_HOSTS], &hosts));
  if (ranks > INT_MAX / PGB_PHASE_COUNT)
    return pgb_fail(PGB_USAGE,
                    "merge: the parts have %llu ranks together, too many for one file; merge fewer",
                    (unsigned long long)ranks);
  const pgb_provenance from = {.version = part[0].fact[PGB_FACT_VERSION],
                               .git_commit = part[0].fact[PGB_FACT_COMMIT],
                               .compiler = joined[PGB_FACT_COMPILER],
                               .compiler_flags = joined[PGB_FACT_FLAGS],
                               .cpu = joined[PGB_FACT_CPU],
                               .host = "",
                               .slurm_job_id = joined[PGB_FACT_JOB],
                               .command_line = joined[PGB_FACT_COMMAND],
                               .started = extreme(part, n, PGB_FACT_STARTED, -1)};
  const pgb_run_facts facts = {.kind = part[0].fact[PGB_FACT_KIND],
                               .verdict = verdict->valid ? "VALID" : "INVALID",
                               .config = study->config,
                               .seed = study->seed,
                               .ranks = (int)ranks,
                               .nodes = (int)(hosts > nodes ? hosts : nodes),
                               .hosts = joined[PGB_FACT_HOSTS],
                               .simd = joined[PGB_FACT_SIMD],
                               .mpi_library = joined[PGB_FACT_MPI],
                               .finished = extreme(part, n, PGB_FACT_FINISHED, 1)};
  PGB_TRY(store_timing(part, n, study, ranks, merged->cells, arena, store));
  PGB_TRY(pgb_store_text(store, "/", "verdict_text", verdict->text));
  PGB_TRY(pgb_store_text(store, "/", "study", study->name));
  PGB_TRY(pgb_store_text(store, "/", "plugins", part[0].fact[PGB_FACT_PLUGINS]));
  PGB_TRY(pgb_store_unsigned(store, "/", "launches", launches));
  return pgb_provenance_store(store, &from, &facts);
}
