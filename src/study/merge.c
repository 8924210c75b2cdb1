/* SPDX-License-Identifier: MIT */
#include "study/merge.h"

#include "core/simd.h"
#include "io/probe.h"
#include "io/provenance.h"
#include "study/merge_facts.h"
#include "study/output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct merger {
  const pgb_merge_request *request;
  pgb_arena *arena;
  pgb_study *study;
  pgb_merge_part *part; /* [n_parts], in the order of their first cells once these are known */
  size_t *owner;        /* [n_cells] the part that holds it */
  pgb_cell_result *cells;
  pgb_store *store;
} merger;

/* ---- One part ---- */

/* Reads everything that merging reads. */
static pgb_status read_all(pgb_merge_part *part, const pgb_merge_request *request, pgb_arena *arena) {
  pgb_study *study = NULL;
  pgb_cell_result result;
  PGB_TRY(pgb_merge_read_facts(part, arena));
  pgb_status s = pgb_merge_resolve(part, request, &study);
  for (size_t c = 0; s.code == PGB_OK && c < study->n_cells; c++) {
    if (!pgb_reader_has(part->reader, study->cells[c].group))
      continue;
    s = pgb_merge_read_cell(part->reader, part->path, study, c, arena, &result);
    if (s.code == PGB_OK && pgb_merge_has_gradients(part->reader, study, c))
      s = pgb_merge_gradients(part->reader, study, c, NULL);
  }
  pgb_study_destroy(study);
  return s;
}

typedef struct trial {
  pgb_merge_part part;
  const pgb_merge_request *request;
} trial;

/* In a process of its own: a damaged file may crash libhdf5. */
static void try_part(void *self) {
  trial *t = self;
  pgb_merge_part *part = &t->part;
  pgb_arena *arena = NULL;
  if (pgb_arena_create(&arena).code != PGB_OK)
    return;
  if (pgb_reader_open(part->path, &part->reader).code == PGB_OK)
    (void)read_all(part, t->request, arena).code;
  pgb_reader_close(part->reader);
  pgb_arena_destroy(arena);
}

static bool exists(const char *path) {
  struct stat info;
  return stat(path, &info) == 0;
}

/* No result, but perhaps its checkpoint. */
static pgb_status unfinished(const merger *m, const char *path) {
  char *name = NULL;
  PGB_TRY(pgb_arena_printf(m->arena, &name, "%s.part", path));
  if (exists(path) || !exists(name))
    return pgb_ok();
  return pgb_fail(PGB_USAGE, "%s: its run is not complete, %s waits; finish it with: pgbench --resume %s",
                  path, name, path);
}

static pgb_status open_part(merger *m, pgb_merge_part *part, const char *path) {
  part->path = path;
  PGB_TRY(unfinished(m, path));
  trial alone = {.part = {.path = path}, .request = m->request};
  if (exists(path))
    PGB_TRY(pgb_probe(path, try_part, &alone));
  PGB_TRY(pgb_reader_open(path, &part->reader));
  return pgb_merge_read_facts(part, m->arena);
}

/* ---- All parts ---- */

static pgb_status check_output(const pgb_merge_request *q) {
  struct stat out;
  struct stat in;
  if (stat(q->output, &out) != 0)
    return pgb_ok();
  for (size_t i = 0; i < q->n_parts; i++)
    if (stat(q->parts[i], &in) == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
      return pgb_fail(
          PGB_USAGE,
          "%s: is to be written and is one of the parts; the output comes first: pgbench merge OUT "
          "PART...",
          q->output);
  return pgb_ok();
}

static bool holds(const merger *m, const pgb_merge_part *part, size_t cell) {
  return pgb_reader_has(part->reader, m->study->cells[cell].group);
}

static pgb_status missing(const merger *m, size_t cell) {
  size_t n = m->part[0].share.n;
  for (size_t i = 0; i < m->request->n_parts; i++)
    if (m->part[i].share.n != n)
      n = 0;
  n = n == 0 ? m->study->n_cells : n;
  return pgb_fail(PGB_USAGE,
                  "merge: no part holds cell %zu, %s, of %zu; name the part that does, or measure it with "
                  "--cell %zu/%zu",
                  cell + 1, m->study->cells[cell].group + 1, m->study->n_cells, cell % n + 1, n);
}

/* Each cell in one part, and in every part the cells of its share. */
static pgb_status deal(merger *m) {
  const size_t none = m->request->n_parts;
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(m->arena, m->study->n_cells, sizeof(size_t), &memory));
  m->owner = memory;
  for (size_t c = 0; c < m->study->n_cells; c++) {
    m->owner[c] = none;
    for (size_t i = 0; i < m->request->n_parts; i++) {
      const pgb_merge_part *part = &m->part[i];
      if (holds(m, part, c) != pgb_share_has(&part->share, c))
        return pgb_fail(PGB_USAGE,
                        "%s: its cells are not those of its share of the study; the file was changed or "
                        "damaged: take another copy",
                        part->path);
      if (!pgb_share_has(&part->share, c))
        continue;
      if (m->owner[c] != none)
        return pgb_fail(PGB_USAGE, "%s: holds cell %s as %s does; name each share once", part->path,
                        m->study->cells[c].group + 1, m->part[m->owner[c]].path);
      m->owner[c] = i;
    }
    if (m->owner[c] == none)
      return missing(m, c);
  }
  return pgb_ok();
}

/* Shares go k by k, which is the order of their first cells. */
static int by_share(const void *a, const void *b) {
  const pgb_share *x = &((const pgb_merge_part *)a)->share;
  const pgb_share *y = &((const pgb_merge_part *)b)->share;
  return x->k != y->k ? (x->k > y->k) - (x->k < y->k) : (x->n > y->n) - (x->n < y->n);
}

static pgb_status check_gradients(const merger *m, bool *kept) {
  *kept = m->study->n_cells > 0 && pgb_merge_has_gradients(m->part[m->owner[0]].reader, m->study, 0);
  for (size_t c = 1; c < m->study->n_cells; c++)
    if (pgb_merge_has_gradients(m->part[m->owner[c]].reader, m->study, c) != *kept)
      return pgb_fail(
          PGB_USAGE,
          "%s: %s the batch gradients and %s does not; measure all shares with --save-gradients or "
          "all without",
          m->part[m->owner[*kept ? 0 : c]].path, "keeps", m->part[m->owner[*kept ? c : 0]].path);
  return pgb_ok();
}

static pgb_status merge_cells(merger *m, bool gradients) {
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(m->arena, m->study->n_cells, sizeof(pgb_cell_result), &memory));
  m->cells = memory;
  for (size_t c = 0; c < m->study->n_cells; c++) {
    pgb_merge_part *part = &m->part[m->owner[c]];
    PGB_TRY(pgb_merge_read_cell(part->reader, part->path, m->study, c, m->arena, &m->cells[c]));
    PGB_TRY(pgb_output_cell(m->store, m->study, c, &m->cells[c], NULL));
    if (!gradients)
      continue;
    PGB_TRY(pgb_output_gradients(m->store, m->study, c));
    PGB_TRY(pgb_merge_gradients(part->reader, m->study, c, m->store));
  }
  return pgb_ok();
}

static pgb_status merge_all(merger *m, pgb_merged *out) {
  const pgb_merge_request *q = m->request;
  bool gradients = false;
  PGB_TRY(check_output(q));
  for (size_t i = 0; i < q->n_parts; i++)
    PGB_TRY(open_part(m, &m->part[i], q->parts[i]));
  qsort(m->part, q->n_parts, sizeof *m->part, by_share);
  PGB_TRY(pgb_merge_check_facts(m->part, q));
  PGB_TRY(pgb_merge_resolve(&m->part[0], q, &m->study));
  PGB_TRY(deal(m));
  PGB_TRY(check_gradients(m, &gradients));
  PGB_TRY(pgb_store_create(q->output, q->force, &m->store));
  PGB_TRY(merge_cells(m, gradients));
  out->study = m->study;
  out->cells = m->cells;
  out->verdict = pgb_judge(m->study, m->cells);
  PGB_TRY(pgb_merge_store_facts(m->part, q->n_parts, out, m->arena, m->store));
  pgb_store *store = m->store;
  m->store = NULL;
  return pgb_store_close(store);
}

pgb_status pgb_merge(const pgb_merge_request *request, pgb_arena *arena, pgb_study **study, pgb_merged *out) {
  merger m = {.request = request, .arena = arena};
  void *memory = NULL;
  *study = NULL;
  PGB_TRY(pgb_arena_alloc(arena, request->n_parts, sizeof(pgb_merge_part), &memory));
  m.part = memory;
  const pgb_status s = merge_all(&m, out);
  pgb_store_discard(m.store);
  for (size_t i = 0; i < request->n_parts; i++)
    pgb_reader_close(m.part[i].reader);
  *study = m.study;
  return s;
}
