/* SPDX-License-Identifier: MIT */
#include "cli/explain.h"

#include <math.h>
#include <string.h>

enum { NAME = 24, SHOWN = 8, WIDE = 10 };

void pgb_explain_figure(FILE *out, int width, double x) {
  const double size = fabs(x);
  char text[32];
  if (!isfinite(x))
    (void)snprintf(text, sizeof text, "-");
  else if (size >= 1e-12 && (size < 1e-4 || size >= 1e4))
    (void)snprintf(text, sizeof text, "%.1e", x);
  else
    for (int decimals = 5; decimals > 0; decimals--) /* sums that cancel leave less than 1e-12: that is 0 */
      if (snprintf(text, sizeof text, "%.*f", decimals, size < 1e-12 ? 0.0 : x) < width)
        break;
  (void)fprintf(out, "%*s", width, text);
}

/* An action, a grid point, or the actions of a path: 101, with more than ten to choose from 1.0.11. */
static void term_name(const pgb_explanation *e, const pgb_explain_term *term, char text[NAME]) {
  if (e->kind == PGB_EXPLAIN_GAUSSIAN) {
    (void)snprintf(text, NAME, "%.4g", term->x);
    return;
  }
  size_t block = 1, n = 0;
  for (size_t t = 1; t < e->horizon; t++)
    block *= e->n_choices;
  for (size_t t = 0; t < e->horizon && n < NAME; t++, block /= e->n_choices)
    n += (size_t)snprintf(text + n, NAME - n, "%s%zu", t > 0 && e->n_choices > 10 ? "." : "",
                          (size_t)term->x / block % e->n_choices);
}

static int name_width(const pgb_explanation *e) {
  return e->kind == PGB_EXPLAIN_CHAIN && e->horizon > 6 ? (int)e->horizon + 2 : e->n_terms > 999 ? 11 : 8;
}

/* Terms [*first, *end) get a row of their own; the others share one. */
static void shown(const pgb_explanation *e, size_t *first, size_t *end) {
  const bool all = e->n_terms <= SHOWN;
  *first = 0;
  *end = all ? e->n_terms : SHOWN - 1;
  if (e->kind == PGB_EXPLAIN_BANDIT && e->k >= *end) { /* theta_k's own action always */
    *first = e->k + 2 - SHOWN;
    *end = e->k + 1;
  }
  if (e->kind == PGB_EXPLAIN_GAUSSIAN) { /* three grid points on either side of the middle */
    *first = e->n_terms / 2 - 3;
    *end = e->n_terms / 2 + 4;
  }
}

static void row(FILE *out, const double *figure, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (isnan(figure[i]))
      (void)fprintf(out, "%*s", WIDE, "");
    else
      pgb_explain_figure(out, WIDE, figure[i]);
    if (i == n - 4)
      (void)fprintf(out, "  |");
  }
  (void)fprintf(out, "\n");
}

static void heads(FILE *out, const pgb_explanation *e) {
  static const char *const head[PGB_EXPLAIN_KINDS][9] = {
      {"a", "theta_a", "r(a)", "pi(a)", "dpi(a)", "dpi r", "dpi/pi", "d log pi", "product"},
      {"a", "", "r(a)", "pi(a) da", "dpi(a) da", "dpi r da", "dpi/pi", "d log pi", "product"},
      {"actions", "", "R", "P", "dP", "dP R", "dP/P", "d log P", "product"}};
  const char *const *h = head[e->kind];
  (void)fprintf(out, "%*s", name_width(e), h[0]);
  for (size_t i = 1; i < 9; i++) {
    if (h[i][0] != '\0')
      (void)fprintf(out, "%*s", WIDE, h[i]);
    if (i == 5)
      (void)fprintf(out, "  |");
  }
  (void)fprintf(out, "\n");
}

static void term_row(FILE *out, const pgb_explanation *e, const pgb_explain_term *t) {
  char name[NAME];
  const double ratio = t->p > 0 ? t->dp / t->p : INFINITY;
  const double theta = e->kind == PGB_EXPLAIN_BANDIT ? e->study->cells[0].theta[(size_t)t->x] : 0;
  const double figure[] = {theta, t->r, t->p, t->dp, t->dp * t->r, ratio, t->dlog, t->p * t->dlog * t->r};
  const size_t from = e->kind == PGB_EXPLAIN_BANDIT ? 0 : 1;
  term_name(e, t, name);
  (void)fprintf(out, "%*s", name_width(e), name);
  row(out, figure + from, 8 - from);
}

void pgb_explain_table(FILE *out, const pgb_explanation *e) {
  const size_t from = e->kind == PGB_EXPLAIN_BANDIT ? 0 : 1;
  const double none = (double)NAN;
  size_t first, end;
  shown(e, &first, &end);
  heads(out, e);
  double rest[] = {none, none, 0, 0, 0, none, none, 0};
  for (size_t i = 0; i < e->n_terms; i++) {
    const pgb_explain_term *t = &e->terms[i];
    if (i >= first && i < end) {
      term_row(out, e, t);
      continue;
    }
    rest[2] += t->p;
    rest[3] += t->dp;
    rest[4] += t->dp * t->r;
    rest[7] += t->p * t->dlog * t->r;
  }
  if (end - first < e->n_terms) {
    char name[NAME];
    (void)snprintf(name, sizeof name, "%zu more", e->n_terms - (end - first));
    (void)fprintf(out, "%*s", name_width(e), name);
    row(out, rest + from, 8 - from);
  }
  const double sum[] = {none, none, e->sums.p, e->sums.dp, e->sums.dp_r, none, none, e->sums.p_dlog_r};
  (void)fprintf(out, "%*s", name_width(e), "sum");
  row(out, sum + from, 8 - from);
}

/* Widths of N, and of an estimate, its error, the typical and the predicted error. */
enum { WIDE_N = 7, WIDE_ONE = 9, WIDE_ERROR = 10, WIDE_TYPICAL = 9, WIDE_PREDICTED = 10 };

static void estimate_heads(FILE *out, bool chain) {
  static const char *const title[PGB_EXPLAIN_WAYS] = {"reward * d log pi", "reward-to-go",
                                                      "(reward - b) * d log pi"};
  const int group = WIDE_ONE + (chain ? 0 : WIDE_ERROR) + WIDE_TYPICAL + WIDE_PREDICTED;
  (void)fprintf(out, "%*s", WIDE_N, "");
  for (int way = 0; way < PGB_EXPLAIN_WAYS; way++)
    if (chain || way != PGB_EXPLAIN_TOGO)
      (void)fprintf(out, "  | %-*s", way == PGB_EXPLAIN_BASELINE ? 0 : group - 1,
                    !chain                        ? title[way]
                    : way == PGB_EXPLAIN_PLAIN    ? "whole return R"
                    : way == PGB_EXPLAIN_BASELINE ? "reward-to-go less baseline"
                                                  : title[way]);
  (void)fprintf(out, "\n%*s", WIDE_N, "N");
  for (int way = 0; way < (chain ? 3 : 2); way++) {
    (void)fprintf(out, "  |%*s", WIDE_ONE, "estimate");
    if (!chain)
      (void)fprintf(out, "%*s", WIDE_ERROR, "error");
    (void)fprintf(out, "%*s%*s", WIDE_TYPICAL, "typical", WIDE_PREDICTED, "predicted");
  }
  (void)fprintf(out, "\n");
}

void pgb_explain_estimates(FILE *out, const pgb_explanation *e) {
  const bool chain = e->kind == PGB_EXPLAIN_CHAIN;
  estimate_heads(out, chain);
  for (size_t i = 0; i < e->n_batches; i++) {
    const pgb_explain_batch *b = &e->batches[i];
    (void)fprintf(out, "%*llu", WIDE_N, (unsigned long long)b->n);
    for (int way = 0; way < PGB_EXPLAIN_WAYS; way++) {
      if (!chain && way == PGB_EXPLAIN_TOGO)
        continue;
      (void)fprintf(out, "  |");
      pgb_explain_figure(out, WIDE_ONE, b->way[way].one);
      if (!chain)
        pgb_explain_figure(out, WIDE_ERROR, b->way[way].one - e->gradient);
      pgb_explain_figure(out, WIDE_TYPICAL, b->way[way].typical);
      pgb_explain_figure(out, WIDE_PREDICTED, b->way[way].predicted);
    }
    (void)fprintf(out, "\n");
  }
}
