/* SPDX-License-Identifier: MIT */
#include "cli/explain.h"

#include <jansson.h>
#include <math.h>

/* A number, or null where there is none. */
static json_t *number(double x) {
  return isfinite(x) ? json_real(x) : json_null();
}

static json_t *numbers(const double *x, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++)
    if (json_array_append_new(list, number(x[i])) != 0)
      break;
  return list;
}

static json_t *terms(const pgb_explanation *e) {
  json_t *list = json_array();
  for (size_t i = 0; i < e->n_terms; i++) {
    const pgb_explain_term *t = &e->terms[i];
    if (json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "at", number(t->x), "reward",
                                              number(t->r), "probability", number(t->p), "derivative",
                                              number(t->dp), "score", number(t->dlog))) != 0)
      break;
  }
  return list;
}

static json_t *estimates(const pgb_explanation *e) {
  static const char *const names[PGB_EXPLAIN_WAYS] = {"plain", "reward_to_go", "baseline"};
  json_t *list = json_array();
  for (size_t i = 0; i < e->n_batches; i++)
    for (int way = 0; way < PGB_EXPLAIN_WAYS; way++) {
      const pgb_explain_estimate *x = &e->batches[i].way[way];
      if (e->kind != PGB_EXPLAIN_CHAIN && way == PGB_EXPLAIN_TOGO)
        continue;
      if (json_array_append_new(
              list, json_pack("{s:I, s:s, s:o, s:o, s:o}", "batch", (json_int_t)e->batches[i].n, "estimator",
                              names[way], "estimate", number(x->one), "typical_error", number(x->typical),
                              "predicted_error", number(x->predicted))) != 0)
        break;
    }
  return list;
}

static json_t *explanation(const pgb_explanation *e) {
  return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "problem",
                   pgb_explain_name(e->kind), "parameter", e->study->cells[0].label[e->k], "objective",
                   number(e->j), "gradient", number(e->gradient), "gradient_direct", number(e->sums.dp_r),
                   "gradient_difference", number((e->up - e->down) / (2 * e->step)), "gradient_expectation",
                   number(e->sums.p_dlog_r), "derivative_of_one", number(e->sums.dp), "baseline", e->baseline,
                   "baseline_values", numbers(e->b, e->horizon), "sd", numbers(e->sd, PGB_EXPLAIN_WAYS),
                   "terms", terms(e), "estimates", estimates(e));
}

pgb_status pgb_print_explanations_json(FILE *out, pgb_explanation *const *explanations, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++)
    if (json_array_append_new(list, explanation(explanations[i])) != 0)
      break;
  json_t *root = json_pack("{s:o}", "explanations", list);
  const int failed = root == NULL || json_array_size(list) != n ||
                     json_dumpf(root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) != 0;
  json_decref(root);
  if (failed)
    return pgb_fail(PGB_RUNTIME,
                    "--format json: the document cannot be made or written; check memory and stdout");
  (void)fprintf(out, "\n");
  return pgb_ok();
}
