/* SPDX-License-Identifier: MIT */
#include "cli/report.h"

#include <math.h>
#include <string.h>

double pgb_report_rate(const pgb_report *r) {
  return r->result->elapsed > 0 ? r->result->steps / r->result->elapsed : 0;
}

double pgb_report_reduce_share(const pgb_report *r) {
  double all = 0;
  double reduce = 0;
  for (int rank = 0; rank < r->ranks; rank++)
    for (int p = 0; p < PGB_PHASE_COUNT; p++) {
      const double s = r->result->seconds[(size_t)rank * PGB_PHASE_COUNT + (size_t)p];
      all += s;
      reduce += p == PGB_PHASE_REDUCE ? s : 0;
    }
  return all > 0 ? reduce / all : 0;
}

double pgb_report_peak(const pgb_report *r) {
  double peak = 0;
  for (int rank = 0; rank < r->ranks; rank++)
    peak = fmax(peak, r->result->memory[rank][1]);
  return peak;
}

double pgb_report_core_share(const pgb_report *r) {
  double sum = 0;
  for (int rank = 0; rank < r->ranks; rank++)
    sum += r->result->processor[rank];
  return r->result->elapsed > 0 ? sum / (r->ranks * r->result->elapsed) : 0;
}

pgb_table_row pgb_table_row_at(const pgb_study *study, size_t cell, const pgb_cell_result *result,
                               size_t at) {
  const size_t pair = at / study->n_batches;
  const size_t batch = at % study->n_batches;
  const size_t d = study->cells[cell].actor.shape.n_theta;
  const double *mean = result->vector[PGB_GRADIENT_MEAN] + at * d;
  pgb_table_row row = {.estimator = study->estimators[pair / study->n_baselines].label,
                       .baseline = study->baselines[pair % study->n_baselines]->name,
                       .batch = study->batches[batch],
                       .defined = result->summary[at].n > 0,
                       .known = !isnan(result->biased[pair]),
                       .biased = result->biased[pair] > 0,
                       .return_mean = result->roll[PGB_RETURN_MEAN][batch]};
  for (size_t k = 0; k < d; k++)
    row.gradient_norm += mean[k] * mean[k];
  row.gradient_norm = sqrt(row.gradient_norm);
  for (int f = 0; f < PGB_FIGURE_COUNT; f++)
    row.figure[f] = result->figure[f][at];
  return row;
}

/* Columns of the table on screen, each as wide as what it holds in this cell. */
enum { ESTIMATOR, BASELINE, BATCH, RETURN, NORM, FIGURES, COLUMNS = FIGURES + 9, FIELD = 64 };
static const char *const titles[COLUMNS] = {"estimator", "baseline", "batch",    "J",     "|g|",
                                            "tr Var",    "95% low",  "95% high", "exact", "ratio",
                                            "SNR",       "cos",      "z bias",   "z var"};
static const pgb_figure figures[COLUMNS - FIGURES] = {PGB_VARIANCE_TRACE,      PGB_VARIANCE_TRACE_LOW,
                                                      PGB_VARIANCE_TRACE_HIGH, PGB_EXACT_TRACE,
                                                      PGB_VARIANCE_RATIO,      PGB_SNR,
                                                      PGB_COSINE_TRUE,         PGB_Z_BIAS,
                                                      PGB_Z_VARIANCE};

static void number(char text[FIELD], double x, bool z) {
  if (isnan(x))
    (void)snprintf(text, FIELD, "-");
  else
    (void)snprintf(text, FIELD, z ? "%.2f" : "%.4g", x);
}

static void field(const pgb_table_row *row, size_t column, char text[FIELD]) {
  switch (column) {
  case ESTIMATOR:
    (void)snprintf(text, FIELD, "%s", row->estimator);
    break;
  case BASELINE:
    (void)snprintf(text, FIELD, "%s%s", row->baseline, row->biased ? " *" : "");
    break;
  case BATCH:
    (void)snprintf(text, FIELD, "%llu", (unsigned long long)row->batch);
    break;
  case RETURN:
    number(text, row->return_mean, false);
    break;
  case NORM:
    number(text, row->gradient_norm, false);
    break;
  default: {
    const pgb_figure f = figures[column - FIGURES];
    number(text, row->figure[f], f == PGB_Z_BIAS || f == PGB_Z_VARIANCE);
  }
  }
}

static void print_field(FILE *out, size_t column, int width, const char *text) {
  (void)fprintf(out, column <= BASELINE ? "  %-*s" : "  %*s", width, text);
}

static void print_table(FILE *out, const pgb_study *study, size_t cell, const pgb_cell_result *result,
                        size_t n) {
  char text[FIELD];
  int width[COLUMNS];
  for (size_t c = 0; c < COLUMNS; c++)
    width[c] = (int)strlen(titles[c]);
  for (size_t at = 0; at < n; at++) {
    const pgb_table_row row = pgb_table_row_at(study, cell, result, at);
    for (size_t c = 0; c < COLUMNS && row.defined; c++) {
      field(&row, c, text);
      width[c] = (int)strlen(text) > width[c] ? (int)strlen(text) : width[c];
    }
  }
  for (size_t c = 0; c < COLUMNS; c++)
    print_field(out, c, width[c], titles[c]);
  (void)fprintf(out, "\n");
  for (size_t at = 0; at < n; at++) {
    const pgb_table_row row = pgb_table_row_at(study, cell, result, at);
    for (size_t c = 0; c < COLUMNS && row.defined; c++) {
      field(&row, c, text);
      print_field(out, c, width[c], text);
    }
    if (row.defined)
      (void)fprintf(out, "\n");
  }
}

/* Whether two estimators lack the same baselines for this reason; itself: whether it lacks any. */
static bool same_gaps(const pgb_study *study, const pgb_cell_result *result, size_t e, size_t f,
                      const char *reason) {
  size_t gaps = 0;
  for (size_t b = 0; b < study->n_baselines; b++) {
    const bool here = strcmp(result->reason[e * study->n_baselines + b], reason) == 0;
    const bool there = strcmp(result->reason[f * study->n_baselines + b], reason) == 0;
    if (here != there)
      return false;
    gaps += here;
  }
  return gaps > 0;
}

/* "reinforce, gpomdp with mean, loo; gae with time-mean" */
static void print_pairs(FILE *out, const pgb_study *study, const pgb_cell_result *result,
                        const char *reason) {
  const char *before = "";
  for (size_t e = 0; e < study->n_estimators; e++) {
    bool told = !same_gaps(study, result, e, e, reason);
    for (size_t f = 0; f < e && !told; f++)
      told = same_gaps(study, result, e, f, reason);
    if (told)
      continue;
    for (size_t f = e; f < study->n_estimators; f++)
      if (same_gaps(study, result, e, f, reason)) {
        (void)fprintf(out, "%s %s", before, study->estimators[f].label);
        before = ",";
      }
    before = " with";
    for (size_t b = 0; b < study->n_baselines; b++)
      if (strcmp(result->reason[e * study->n_baselines + b], reason) == 0) {
        (void)fprintf(out, "%s %s", before, study->baselines[b]->name);
        before = ",";
      }
    before = ";";
  }
}

/* Each reason once, with the pairs that it holds for. */
static void print_reasons(FILE *out, const pgb_study *study, const pgb_cell_result *result) {
  for (size_t k = 0; k < study->n_estimators * study->n_baselines; k++) {
    bool told = result->reason[k][0] == '\0';
    for (size_t j = 0; j < k && !told; j++)
      told = strcmp(result->reason[j], result->reason[k]) == 0;
    if (told)
      continue;
    (void)fprintf(out, "  - %s:", result->reason[k]);
    print_pairs(out, study, result, result->reason[k]);
    (void)fprintf(out, "\n");
  }
}

void pgb_print_cell(FILE *out, const pgb_study *study, size_t cell, const pgb_cell_result *result) {
  const size_t n_pairs = study->n_estimators * study->n_baselines;
  bool biased = false;
  (void)fprintf(out, "\n%s   oracle %s", study->cells[cell].group + 1, result->oracle);
  if (!isnan(result->exact_return))
    (void)fprintf(out, ", exact J %.6g", result->exact_return);
  (void)fprintf(out, ", %zu parameter%s, %llu replicates\n", study->cells[cell].actor.shape.n_theta,
                study->cells[cell].actor.shape.n_theta == 1 ? "" : "s",
                (unsigned long long)study->replicates);
  print_table(out, study, cell, result, n_pairs * study->n_batches);
  for (size_t k = 0; k < n_pairs; k++)
    biased = biased || result->biased[k] > 0;
  if (biased)
    (void)fprintf(out, "  * biased: its expectation is not the gradient of J\n");
  print_reasons(out, study, result);
}

void pgb_print_end(FILE *out, const pgb_report *r) {
  char total[PGB_QUANTITY_TEXT];
  char each[PGB_QUANTITY_TEXT];
  char predicted[PGB_QUANTITY_TEXT];
  char peak[PGB_QUANTITY_TEXT];
  const pgb_predicted p = pgb_predicted_total(r->result->timing, r->study->n_cells);
  (void)fprintf(out, "\n%s\n", r->result->verdict.text);
  (void)fprintf(out, "throughput: %s steps/s, %s steps/s per rank, allreduce %.2f %% of the time, %.2f s",
                pgb_quantity_text(pgb_report_rate(r), total),
                pgb_quantity_text(pgb_report_rate(r) / r->ranks, each), 100 * pgb_report_reduce_share(r),
                r->result->elapsed);
  (void)fprintf(out, " (%.0f %% on a core); predicted %s steps/s; peak memory %s per rank\n",
                100 * pgb_report_core_share(r), pgb_quantity_text(p.steps_per_second, predicted),
                pgb_bytes_text(pgb_report_peak(r), peak));
  (void)fprintf(out, "file: %s\n", r->output);
}

static void csv_number(FILE *out, double x) {
  if (isnan(x))
    (void)fprintf(out, ",");
  else
    (void)fprintf(out, ",%.17g", x);
}

/* "gae:lambda=0.5,x=1" has a comma. */
static void csv_label(FILE *out, const char *text) {
  (void)fprintf(out, strchr(text, ',') != NULL ? "\"%s\"" : "%s", text);
}

void pgb_print_csv(FILE *out, const pgb_report *r) {
  const size_t n = r->study->n_estimators * r->study->n_baselines * r->study->n_batches;
  (void)fprintf(out, "cell,estimator,baseline,batch,biased,return_mean,gradient_norm");
  for (int f = 0; f < PGB_FIGURE_COUNT; f++)
    (void)fprintf(out, ",%s", pgb_figure_table[f].name);
  (void)fprintf(out, "\n");
  for (size_t c = 0; c < r->study->n_cells; c++)
    for (size_t at = 0; at < n && pgb_share_has(&r->share, c); at++) {
      const pgb_table_row row = pgb_table_row_at(r->study, c, &r->result->cells[c], at);
      (void)fprintf(out, "%s,", r->study->cells[c].group + 1);
      csv_label(out, row.estimator);
      (void)fprintf(out, ",%s,%llu,%s", row.baseline, (unsigned long long)row.batch,
                    !row.known   ? ""
                    : row.biased ? "1"
                                 : "0");
      csv_number(out, row.return_mean);
      csv_number(out, row.gradient_norm);
      for (int f = 0; f < PGB_FIGURE_COUNT; f++)
        csv_number(out, row.figure[f]);
      (void)fprintf(out, "\n");
    }
}
