/* SPDX-License-Identifier: MIT */
#include "study/spec.h"

#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Canonical: one entry of policy for each cell, limited to its env where there are several, theta in numbers.
 * Read back, it gives the same cells in the same order, hence the same streams of random numbers. */

/* The shortest text that rounds to the same float32 when it is read as theta is. */
static void float_text(float value, char out[PGB_REAL_TEXT]) {
  char *text = out;
  for (int digits = 1; digits <= 9; digits++) {
    char rough[PGB_REAL_TEXT];
    double back = 0;
    (void)snprintf(rough, sizeof rough, "%.*g", digits, (double)value);
    char *comma = strpbrk(rough, ","); /* a host program's locale */
    if (comma != NULL)
      *comma = '.';
    if (pgb_parse_real(rough, &back) && (float)back == value) {
      pgb_real_text(back, text);
      return;
    }
  }
  pgb_real_text((double)value, text);
}

static void print_theta(FILE *out, const pgb_cell *cell) {
  for (size_t k = 0; k < cell->actor.shape.n_theta; k++) {
    char number[PGB_REAL_TEXT];
    float_text(cell->actor.theta[k], number);
    (void)fprintf(out, "%s%s", k == 0 ? "[" : ", ", number);
  }
  (void)fprintf(out, "]");
}

/* Whether the name of a cell's env says which entry of the env list it is. Every env has a cell. */
static bool name_is_enough(const pgb_study *study, const pgb_cell *cell) {
  for (size_t i = 0; i < study->n_cells; i++)
    if (study->cells[i].actor.env == cell->actor.env && study->cells[i].env != cell->env)
      return false;
  return true;
}

static void print_policy(FILE *out, const pgb_study *study, const pgb_cell *cell) {
  (void)fprintf(out, "  - %.*s", (int)strlen(cell->policy_config) - 1,
                cell->policy_config); /* without the brace */
  if (study->n_envs > 1 && name_is_enough(study, cell))
    (void)fprintf(out, ", env: %s", cell->actor.env->name);
  else if (study->n_envs > 1)
    (void)fprintf(out, ", env: %zu", cell->env + 1);
  (void)fprintf(out, ", theta: ");
  print_theta(out, cell);
  (void)fprintf(out, "}\n");
}

static pgb_status print_estimators(FILE *out, const pgb_study *study) {
  (void)fprintf(out, "estimators: [");
  for (size_t i = 0; i < study->n_estimators; i++) {
    const pgb_study_estimator *e = &study->estimators[i];
    const char *text = e->class_->name;
    if (e->class_->n_options != 0)
      PGB_TRY(pgb_spec_flow_map(study->arena, e->class_->name, e->class_->options, e->class_->n_options,
                                e->params, &text));
    (void)fprintf(out, "%s%s", i == 0 ? "" : ", ", text);
  }
  (void)fprintf(out, "]\n");
  return pgb_ok();
}

static pgb_status print_study(FILE *out, const pgb_study *study) {
  char gamma[PGB_REAL_TEXT];
  pgb_real_text(study->gamma, gamma);
  (void)fprintf(out, "seed: %" PRIu64 "\ngamma: %s\nenv:\n", study->seed, gamma);
  for (size_t i = 0; i < study->n_envs; i++)
    (void)fprintf(out, "  - %s%s%s\n", study->env_config[i], study->env_origin[i][0] != '\0' ? " # " : "",
                  study->env_origin[i]);
  (void)fprintf(out, "policy:\n");
  for (size_t i = 0; i < study->n_cells; i++)
    print_policy(out, study, &study->cells[i]);
  PGB_TRY(print_estimators(out, study));
  (void)fprintf(out, "baselines: [");
  for (size_t i = 0; i < study->n_baselines; i++)
    (void)fprintf(out, "%s%s", i == 0 ? "" : ", ", study->baselines[i]->name);
  (void)fprintf(out, "]\nbatch: [");
  for (size_t i = 0; i < study->n_batches; i++)
    (void)fprintf(out, "%s%" PRIu64, i == 0 ? "" : ", ", study->batches[i]);
  (void)fprintf(out, "]\nreplicates: %" PRIu64 "\npilot: %" PRIu64 "\n", study->replicates, study->pilot);
  return pgb_ok();
}

pgb_status pgb_spec_config(pgb_study *study) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  if (out == NULL)
    return pgb_fail(PGB_RUNTIME, "study: no memory left for its text; ask for a smaller study");
  pgb_status s = print_study(out, study);
  const bool lost = ferror(out) != 0;
  if ((fclose(out) != 0 || lost) && s.code == PGB_OK)
    s = pgb_fail(PGB_RUNTIME, "study: no memory left for its text; ask for a smaller study");
  char *copy = NULL;
  if (s.code == PGB_OK)
    s = pgb_arena_text(study->arena, text, &copy);
  free(text);
  study->config = copy;
  return s;
}
