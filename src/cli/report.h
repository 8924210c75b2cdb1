/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_CLI_REPORT_H
#define PGB_CLI_REPORT_H

#include "cli/cli.h"

/* What the figures on screen are: of the run as a whole. */
typedef struct pgb_report {
  const pgb_study *study;
  const pgb_run_result *result;
  const char *output; /* the file's name */
  pgb_share share;    /* the cells that were measured */
  int ranks, nodes;
} pgb_report;

/* Environment steps per second of the whole run, and the share of all ranks' time spent in the allreduce. */
double pgb_report_rate(const pgb_report *report);
double pgb_report_reduce_share(const pgb_report *report);

/* The largest peak of a rank's memory; share of the time that the ranks had a core, 0 to 1. */
double pgb_report_peak(const pgb_report *report);
double pgb_report_core_share(const pgb_report *report);

/* 12345678 as "12.3 M"; 1536 bytes as "1.5 KiB". */
enum { PGB_QUANTITY_TEXT = 32 };
const char *pgb_quantity_text(double x, char text[PGB_QUANTITY_TEXT]);
const char *pgb_bytes_text(double bytes, char text[PGB_QUANTITY_TEXT]);

/* What a study would take: counts by formula, and time by the sample in `timing` [n_cells], or `why` not. */
typedef struct pgb_outlook {
  const pgb_study *study;
  pgb_share share;
  pgb_estimate estimate;
  const pgb_cell_timing *timing; /* NULL: not predicted */
  const char *why;
  int ranks, nodes;
} pgb_outlook;
void pgb_print_outlook(FILE *out, const pgb_outlook *outlook);

void pgb_print_cell(FILE *out, const pgb_study *study, size_t cell, const pgb_cell_result *result);
void pgb_print_end(FILE *out, const pgb_report *report);
pgb_status pgb_print_json(FILE *out, const pgb_report *report) PGB_MUST_CHECK;
void pgb_print_csv(FILE *out, const pgb_report *report);

/* One row: an estimator, a baseline, a batch size. */
typedef struct pgb_table_row {
  const char *estimator, *baseline;
  uint64_t batch;
  bool defined;       /* measured at this batch size       */
  bool known, biased; /* the pair is defined; it is biased */
  double return_mean, gradient_norm;
  double figure[PGB_FIGURE_COUNT];
} pgb_table_row;
pgb_table_row pgb_table_row_at(const pgb_study *study, size_t cell, const pgb_cell_result *result, size_t at);

#endif
