/* SPDX-License-Identifier: MIT */
#include "cli/report.h"
#include "io/store_text.h"

#include <jansson.h>
#include <math.h>

/* A number, or null where there is none: JSON has no NaN and no infinity. */
static json_t *number(double x) {
  return isfinite(x) ? json_real(x) : json_null();
}

static json_t *row_object(const pgb_table_row *row) {
  return json_pack(
      "{s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "estimator", row->estimator,
      "baseline", row->baseline, "batch", (json_int_t)row->batch, "return_mean", number(row->return_mean),
      "gradient_norm", number(row->gradient_norm), "variance_trace", number(row->figure[PGB_VARIANCE_TRACE]),
      "low", number(row->figure[PGB_VARIANCE_TRACE_LOW]), "high",
      number(row->figure[PGB_VARIANCE_TRACE_HIGH]), "ratio", number(row->figure[PGB_VARIANCE_RATIO]), "snr",
      number(row->figure[PGB_SNR]), "cosine_true", number(row->figure[PGB_COSINE_TRUE]), "z_bias",
      number(row->figure[PGB_Z_BIAS]), "z_variance", number(row->figure[PGB_Z_VARIANCE]), "biased",
      row->known ? json_boolean(row->biased) : json_null());
}

static json_t *cell_object(const pgb_study *study, size_t cell, const pgb_cell_result *result) {
  const size_t figures = study->n_estimators * study->n_baselines * study->n_batches;
  json_t *rows = json_array();
  for (size_t at = 0; at < figures; at++) {
    const pgb_table_row row = pgb_table_row_at(study, cell, result, at);
    if (json_array_append_new(rows, row_object(&row)) != 0)
      break;
  }
  const pgb_actor *actor = &study->cells[cell].actor;
  return json_pack("{s:s, s:s, s:s, s:o}", "env", actor->env->name, "policy", actor->policy->name, "oracle",
                   result->oracle, "rows", rows);
}

/* A file name is bytes; JSON is UTF-8. */
static pgb_status print_document(FILE *out, const pgb_report *r, pgb_arena *arena) {
  const char *output = NULL;
  PGB_TRY(pgb_store_utf8(r->output, arena, &output));
  json_t *cells = json_array();
  for (size_t c = 0; c < r->study->n_cells; c++)
    if (pgb_share_has(&r->share, c) &&
        json_array_append_new(cells, cell_object(r->study, c, &r->result->cells[c])) != 0)
      break;
  const pgb_predicted p = pgb_predicted_total(r->result->timing, r->study->n_cells);
  json_t *root =
      json_pack("{s:s, s:s, s:i, s:{s:o, s:o, s:o, s:o, s:o}, s:{s:o, s:o}, s:o}", "verdict",
                r->result->verdict.valid ? "VALID" : "INVALID", "output", output, "ranks", r->ranks,
                "throughput", "steps_per_second", number(pgb_report_rate(r)), "steps_per_second_per_rank",
                number(pgb_report_rate(r) / r->ranks), "allreduce_share", number(pgb_report_reduce_share(r)),
                "predicted_steps_per_second", number(p.steps_per_second), "core_share",
                number(pgb_report_core_share(r)), "memory", "peak_bytes_per_rank", number(pgb_report_peak(r)),
                "estimated_bytes_per_rank", number(r->result->estimated_bytes), "cells", cells);
  const int failed = root == NULL || json_dumpf(root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) != 0;
  json_decref(root);
  if (failed)
    return pgb_fail(PGB_RUNTIME,
                    "--format json: the document cannot be made or written; check memory and stdout");
  (void)fprintf(out, "\n");
  return pgb_ok();
}

pgb_status pgb_print_json(FILE *out, const pgb_report *report) {
  pgb_arena *arena = NULL;
  PGB_TRY(pgb_arena_create(&arena));
  const pgb_status s = print_document(out, report, arena);
  pgb_arena_destroy(arena);
  return s;
}
