/* SPDX-License-Identifier: MIT */
#include "core/vmath.h"
#include "io/store.h"
#include "study/spec.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LIST_TEXT = 200 };

static bool ends_with(const char *text, const char *end) {
  const size_t n = strlen(text);
  const size_t m = strlen(end);
  return n > m && strcmp(text + n - m, end) == 0;
}

static bool is_zero_word(const pgb_yaml *node) {
  return node->kind == PGB_YAML_SCALAR && strcmp(node->text, "zero") == 0;
}

static bool is_random_word(const pgb_yaml *node) {
  return node->kind == PGB_YAML_SCALAR && strncmp(node->text, "random:", 7) == 0;
}

static bool is_file_word(const pgb_yaml *node) {
  return node->kind == PGB_YAML_SCALAR && (ends_with(node->text, ".h5") || ends_with(node->text, ".hdf5"));
}

bool pgb_spec_theta_is_numbers(const pgb_yaml *policy) {
  const pgb_yaml *node = pgb_yaml_get(policy, "theta");
  return node != NULL && !is_zero_word(node) && !is_random_word(node);
}

static pgb_status add_random(const pgb_spec *spec, const pgb_yaml *node, double *theta, size_t n) {
  double scale = 0;
  if (!pgb_parse_real(node->text + 7, &scale) || !(scale > 0 && scale <= 1e6))
    return pgb_yaml_fail(node, 0, "theta: '%.40s' has no scale in (0, 1e6]; write for instance random:0.1",
                         node->text);
  for (size_t k = 0; k < n; k++)
    theta[k] += scale * pgb_normal_exact(spec->study->seed, 0, k);
  return pgb_ok();
}

/* Parameters that a list must give: those after them start at an option of their own. */
static size_t required(const pgb_cell *cell) {
  size_t n = 0;
  while (n < cell->actor.shape.n_theta && strncmp(cell->label[n], "log_sigma", 9) != 0)
    n++;
  return n > 0 ? n : cell->actor.shape.n_theta;
}

static pgb_status fail_length(const pgb_yaml *node, const pgb_cell *cell, size_t given) {
  char list[LIST_TEXT];
  size_t used = 0;
  const size_t n = cell->actor.shape.n_theta;
  list[0] = '\0';
  for (size_t k = 0; k < n && used + 8 < sizeof list; k++) {
    if (k >= 8 && k + 1 < n)
      continue;
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                             k == 0  ? ""
                             : k > 8 ? ", ..., "
                                     : ", ",
                             cell->label[k]);
  }
  return pgb_yaml_fail(node, 0,
                       "theta: %zu values for the %zu parameters of %s on %s; give them in the order %s",
                       given, n, cell->actor.policy->name, cell->actor.env->name, list);
}

static pgb_status take(const pgb_yaml *node, const pgb_cell *cell, const double *values, size_t n,
                       double *theta) {
  if (n != cell->actor.shape.n_theta && n != required(cell))
    return fail_length(node, cell, n);
  memcpy(theta, values, n * sizeof *theta);
  return pgb_ok();
}

static pgb_status read_store(const pgb_spec *spec, const pgb_yaml *node, const pgb_cell *cell,
                             double *theta) {
  double *values = NULL;
  size_t n = 0;
  char *path = NULL;
  char *dataset = NULL;
  const bool relative = node->line != 0 && node->text[0] != '/';
  PGB_TRY(pgb_arena_printf(spec->arena, &path, "%s%s", relative ? spec->folder : "", node->text));
  const pgb_status plain = pgb_store_read_vector(path, "theta", spec->arena, &values, &n);
  pgb_status s = plain;
  if (s.code == PGB_USAGE) {
    PGB_TRY(pgb_arena_printf(spec->arena, &dataset, "%s/theta", cell->group));
    s = pgb_store_read_vector(path, dataset, spec->arena, &values, &n);
  }
  if (s.code == PGB_USAGE && strcmp(s.text, plain.text) == 0) /* the file itself */
    return pgb_yaml_fail(node, 0, "theta: %s", s.text);
  if (s.code == PGB_USAGE)
    return pgb_yaml_fail(node, 0, "theta: %.400s (nor is there a vector %s)", plain.text, dataset);
  if (s.code != PGB_OK)
    return s;
  return take(node, cell, values, n, theta);
}

static pgb_status read_theta(const pgb_spec *spec, const pgb_yaml *node, const pgb_cell *cell,
                             double *theta) {
  if (is_zero_word(node))
    return pgb_ok();
  if (is_random_word(node))
    return add_random(spec, node, theta, cell->actor.shape.n_theta);
  if (is_file_word(node))
    return read_store(spec, node, cell, theta);
  double number = 0;
  if (node->kind == PGB_YAML_SCALAR && (node->quoted || !pgb_parse_real(node->text, &number)))
    return pgb_yaml_fail(node, 0,
                         "theta: '%.40s' is none of its forms; give a list of numbers, zero, random:SCALE or "
                         "FILE.h5",
                         node->text);
  pgb_array array = {0};
  PGB_TRY(pgb_array_read(node, "theta", -FLT_MAX, FLT_MAX, spec->arena, &array));
  return take(node, cell, array.data, array.size, theta);
}

pgb_status pgb_spec_theta(const pgb_spec *spec, const pgb_yaml *policy, pgb_cell *cell) {
  const pgb_yaml *node = pgb_yaml_get(policy, "theta");
  const size_t n = cell->actor.shape.n_theta;
  void *exact = NULL;
  void *lanes = NULL;
  assert(cell->label != NULL && cell->group != NULL);
  PGB_TRY(pgb_arena_alloc(spec->arena, n, sizeof(double), &exact));
  const pgb_policy_shape *shape = &cell->actor.shape;
  PGB_TRY(pgb_arena_alloc(spec->arena, pgb_policy_packed_at(shape) + shape->n_packed, sizeof(float), &lanes));
  double *theta = exact;
  float *rounded = lanes;
  const pgb_policy_class *policy_class = cell->actor.policy;
  policy_class->initial(cell->actor.policy_params, theta);
  if (policy_class->start != NULL && (node == NULL || is_random_word(node)))
    PGB_TRY(policy_class->start(cell->actor.policy_params, spec->study->seed, theta));
  if (node != NULL)
    PGB_TRY(read_theta(spec, node, cell, theta));
  for (size_t k = 0; k < n; k++) {
    if (!(fabs(theta[k]) <= (double)FLT_MAX))
      return pgb_yaml_fail(node != NULL ? node : policy, 0,
                           "theta: %s is not a number that a float32 holds; correct it", cell->label[k]);
    rounded[k] = (float)theta[k];
    theta[k] = (double)rounded[k];
  }
  if (policy_class->pack != NULL)
    policy_class->pack(cell->actor.policy_params, rounded, rounded + pgb_policy_packed_at(shape));
  cell->theta = theta;
  cell->actor.theta = rounded;
  return pgb_ok();
}
