/* SPDX-License-Identifier: MIT */
/* The scaling table on screen, as text, CSV and JSON. */
#include "cli/report.h"
#include "cli/scaling.h"
#include "io/store_text.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

/* What a launch of the past is told by: "22 17:12" would not tell the year. */
enum { MINUTES = sizeof "2026-11-22T17:12" - 1 };

static void print_row(FILE *out, const pgb_scaling_row *r) {
  const double *x = r->number;
  char rate[PGB_QUANTITY_TEXT];
  char memory[PGB_QUANTITY_TEXT];
  (void)fprintf(out, "%c %-6s %5.0f %5.0f %5.0f %9.4g %9s %8.3g %7.1f%% %9.3f %9.2f%%", r->added ? '+' : ' ',
                r->text[PGB_SCALING_MODE], x[PGB_SCALING_RANKS], x[PGB_SCALING_NODES], x[PGB_SCALING_CORES],
                x[PGB_SCALING_WALL], pgb_quantity_text(x[PGB_SCALING_RATE], rate), x[PGB_SCALING_SPEEDUP],
                100 * x[PGB_SCALING_EFFICIENCY], x[PGB_SCALING_IMBALANCE], 100 * x[PGB_SCALING_REDUCE_SHARE]);
  for (int p = 0; p < PGB_PHASE_COUNT; p++)
    (void)fprintf(out, " %8.3g", r->phase[p][PGB_SCALING_MEAN]);
  (void)fprintf(out, " %10s  %-6s  %.*s\n", pgb_bytes_text(x[PGB_SCALING_MEMORY], memory),
                r->text[PGB_SCALING_SIMD], (int)MINUTES, r->text[PGB_SCALING_STARTED]);
}

void pgb_print_scaling(FILE *out, const pgb_scaling *t, const char *file, bool quiet) {
  if (!quiet)
    (void)fprintf(out, "workload: study %s; time of phases is the mean over ranks\n\n", t->study);
  (void)fprintf(out, "  %-6s %5s %5s %5s %9s %9s %8s %8s %9s %10s", "mode", "ranks", "nodes", "cores",
                "wall [s]", "steps/s", "speedup", "effic.", "imbalance", "allreduce");
  for (int p = 0; p < PGB_PHASE_COUNT; p++)
    (void)fprintf(out, " %8s", pgb_phase_names[p]);
  (void)fprintf(out, " %10s  %-6s  %s\n", "peak", "simd", "started (UTC)");
  for (size_t i = 0; i < t->n; i++)
    if (!quiet || t->rows[i].added)
      print_row(out, &t->rows[i]);
  (void)fprintf(out, "\n");
  for (size_t i = 0; i < t->n; i++)
    if (t->rows[i].text[PGB_SCALING_NOTE][0] != '\0' && (!quiet || t->rows[i].added))
      (void)fprintf(out, "%c %s, %.0f ranks: %s\n", t->rows[i].added ? '+' : ' ',
                    t->rows[i].text[PGB_SCALING_MODE], t->rows[i].number[PGB_SCALING_RANKS],
                    t->rows[i].text[PGB_SCALING_NOTE]);
  (void)fprintf(out, "file: %s\n", file);
}

/* RFC 4180: quotes where a field needs them, doubled inside. */
static void csv_text(FILE *out, const char *text) {
  if (strpbrk(text, ",\"\r\n") == NULL) {
    (void)fprintf(out, "%s,", text);
    return;
  }
  (void)fputc('"', out);
  for (; *text != '\0'; text++)
    (void)fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
  (void)fprintf(out, "\",");
}

void pgb_print_scaling_csv(FILE *out, const pgb_scaling *t) {
  for (int i = 0; i < PGB_SCALING_TEXT_COUNT; i++)
    (void)fprintf(out, "%s,", pgb_scaling_text_table[i].name);
  for (int i = 0; i < PGB_SCALING_NUMBER_COUNT; i++)
    (void)fprintf(out, "%s,", pgb_scaling_number_table[i].name);
  for (int p = 0; p < PGB_PHASE_COUNT; p++)
    (void)fprintf(out, "%s_min,%s_mean,%s_max,", pgb_phase_names[p], pgb_phase_names[p], pgb_phase_names[p]);
  (void)fprintf(out, "added\n");
  for (size_t k = 0; k < t->n; k++) {
    const pgb_scaling_row *r = &t->rows[k];
    for (int i = 0; i < PGB_SCALING_TEXT_COUNT; i++)
      csv_text(out, r->text[i]);
    for (int i = 0; i < PGB_SCALING_NUMBER_COUNT; i++)
      (void)fprintf(out, "%.17g,", r->number[i]);
    for (int p = 0; p < PGB_PHASE_COUNT; p++)
      for (int s = 0; s < PGB_SCALING_STATISTICS; s++)
        (void)fprintf(out, "%.17g,", r->phase[p][s]);
    (void)fprintf(out, "%d\n", r->added ? 1 : 0);
  }
}

/* ---- JSON ---- */

static json_t *number(double x) {
  return isfinite(x) ? json_real(x) : json_null();
}

/* jansson's setters take NULL for a value that could not be made, and fail: one failure is kept. */
static int row_object(const pgb_scaling_row *r, pgb_arena *arena, json_t *object) {
  int failed = object == NULL;
  for (int i = 0; i < PGB_SCALING_TEXT_COUNT; i++) {
    const char *text = NULL;
    const pgb_status s = pgb_store_utf8(r->text[i], arena, &text);
    failed |= s.code != PGB_OK ||
              json_object_set_new(object, pgb_scaling_text_table[i].name, json_string(text)) != 0;
  }
  for (int i = 0; i < PGB_SCALING_NUMBER_COUNT; i++)
    failed |= json_object_set_new(object, pgb_scaling_number_table[i].name, number(r->number[i])) != 0;
  json_t *phases = json_object();
  for (int p = 0; p < PGB_PHASE_COUNT; p++)
    failed |= json_object_set_new(phases, pgb_phase_names[p],
                                  json_pack("{s:o, s:o, s:o}", "min", number(r->phase[p][PGB_SCALING_LEAST]),
                                            "mean", number(r->phase[p][PGB_SCALING_MEAN]), "max",
                                            number(r->phase[p][PGB_SCALING_MOST]))) != 0;
  failed |= json_object_set_new(object, "phase_seconds", phases) != 0;
  return failed | (json_object_set_new(object, "added", json_boolean(r->added)) != 0);
}

static int write_document(FILE *out, const pgb_scaling *t, const char *file, pgb_arena *arena) {
  const char *name = NULL;
  const pgb_status s = pgb_store_utf8(file, arena, &name);
  json_t *rows = json_array();
  int failed = s.code != PGB_OK;
  for (size_t i = 0; i < t->n; i++) {
    json_t *object = json_object();
    failed |= row_object(&t->rows[i], arena, object);
    failed |= json_array_append_new(rows, object) != 0;
  }
  json_t *root = json_pack("{s:s, s:s, s:s, s:o}", "output", failed ? "" : name, "study", t->study, "config",
                           t->config, "rows", rows);
  failed |= root == NULL || json_dumpf(root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) != 0;
  json_decref(root);
  return failed;
}

pgb_status pgb_print_scaling_json(FILE *out, const pgb_scaling *t, const char *file) {
  pgb_arena *arena = NULL;
  PGB_TRY(pgb_arena_create(&arena));
  const int failed = write_document(out, t, file, arena);
  pgb_arena_destroy(arena);
  if (failed)
    return pgb_fail(PGB_RUNTIME,
                    "--format json: the document cannot be made or written; check memory and stdout");
  (void)fprintf(out, "\n");
  return pgb_ok();
}
