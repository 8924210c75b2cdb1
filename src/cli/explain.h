/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_CLI_EXPLAIN_H
#define PGB_CLI_EXPLAIN_H

#include "study/explain.h"

#include <stdio.h>

/* One screen of 100 columns. */
void pgb_print_explanation(FILE *out, const pgb_explanation *explanation);
/* The same figures of n problems as one JSON document. */
pgb_status pgb_print_explanations_json(FILE *out, pgb_explanation *const *explanations,
                                       size_t n) PGB_MUST_CHECK;

/* explain_table.c. A figure, right-aligned: five decimals where these say something, else scientific. */
void pgb_explain_figure(FILE *out, int width, double x);
/* The terms with the sums below: steps 1 and 2 side by side. */
void pgb_explain_table(FILE *out, const pgb_explanation *explanation);
/* Estimates with their errors beside the predicted ones: steps 4 and 5 side by side. */
void pgb_explain_estimates(FILE *out, const pgb_explanation *explanation);

#endif
