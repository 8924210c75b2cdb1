/* SPDX-License-Identifier: MIT */
#include "study/spec.h"

#include <assert.h>
#include <float.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* The numbers of the top level; the other keys are read by their own files. */
typedef struct numbers {
  double gamma;
  int64_t replicates, pilot;
} numbers;

static const pgb_option number_table[] = {
    {"gamma", "1", PGB_TYPE_REAL, offsetof(numbers, gamma), DBL_MIN, 1, "0.99", NULL, "discount"},
    {"replicates", "batch", PGB_TYPE_INT, offsetof(numbers, replicates), 2, UINT32_MAX, "1000", NULL,
     "independent batches of a cell"},
    {"pilot", "episode", PGB_TYPE_INT, offsetof(numbers, pilot), 2, INT32_MAX, "4096", NULL,
     "episodes of the pilot sample"},
};

static const char other_keys[] = "seed|env|policy|estimators|baselines|batch";

static pgb_status read_seed(const pgb_spec *spec) {
  const pgb_yaml *node = pgb_yaml_get(spec->root, "seed");
  spec->study->seed = 1;
  if (node == NULL)
    return pgb_ok();
  if (node->kind != PGB_YAML_SCALAR || node->quoted || !pgb_parse_unsigned(node->text, &spec->study->seed))
    return pgb_yaml_fail(node, 0,
                         "seed: '%.40s' is no whole number in [0, 18446744073709551615]; write one in digits",
                         node->kind == PGB_YAML_SCALAR ? node->text : pgb_yaml_kind_name(node->kind));
  return pgb_ok();
}

static pgb_status read_numbers(const pgb_spec *spec) {
  numbers n = {0};
  if (spec->root->kind != PGB_YAML_MAP)
    return pgb_yaml_fail(spec->root, 0,
                         "%s stands where a study is due; write keys with values, env: bandit first",
                         pgb_yaml_kind_name(spec->root->kind));
  PGB_TRY(pgb_options_read(number_table, sizeof number_table / sizeof *number_table, spec->root, other_keys,
                           spec->arena, &n));
  spec->study->gamma = n.gamma;
  spec->study->replicates = (uint64_t)n.replicates;
  spec->study->pilot = (uint64_t)n.pilot;
  return read_seed(spec);
}

static const pgb_named_study *find_named(const char *name) {
  const pgb_named_study *s = pgb_named_studies;
  while (s->name != NULL && strcmp(s->name, name) != 0)
    s++;
  return s->name != NULL ? s : NULL;
}

/* "dir/study.yaml" -> folder "dir/", stem "study". */
static pgb_status split_path(pgb_spec *spec, const char *path) {
  const char *slash = strrchr(path, '/');
  const char *file = slash != NULL ? slash + 1 : path;
  size_t n = strlen(file);
  char *folder = NULL;
  char *stem = NULL;
  if (n > 5 && strcmp(file + n - 5, ".yaml") == 0)
    n -= 5;
  else if (n > 4 && strcmp(file + n - 4, ".yml") == 0)
    n -= 4;
  PGB_TRY(pgb_arena_printf(spec->arena, &folder, "%.*s", (int)(file - path), path));
  PGB_TRY(pgb_arena_printf(spec->arena, &stem, "%.*s", (int)n, file));
  spec->folder = folder;
  spec->study->name = stem;
  return pgb_ok();
}

/* A word that is neither a named study nor, by its looks, a file. */
static pgb_status unknown_study(const char *word) {
  enum { MAX_NAMES = 64 };
  const char *names[MAX_NAMES];
  size_t n = 0;
  for (; n < MAX_NAMES && pgb_named_studies[n].name != NULL; n++)
    names[n] = pgb_named_studies[n].name;
  return pgb_unknown(NULL, 0, "study (and no such file)", word, names, n);
}

static pgb_status read_source(pgb_spec *spec) {
  const pgb_request *r = spec->request;
  const char *word = r->study != NULL ? r->study : "default";
  const pgb_named_study *named = find_named(word);
  char *where = NULL;
  PGB_TRY(split_path(spec, word));
  if (r->text != NULL)
    return pgb_yaml_read_text(r->text, word, spec->arena, &spec->root);
  if (named != NULL) {
    PGB_TRY(pgb_arena_printf(spec->arena, &where, "%s.yaml", word));
    return pgb_yaml_read_text(named->text, where, spec->arena, &spec->root);
  }
  if (word[0] == '\0')
    return pgb_fail(PGB_USAGE, "--study: the name is empty; give a file or one of `pgbench list study`");
  if (strpbrk(word, "/.") == NULL && access(word, F_OK) != 0)
    return unknown_study(word);
  return pgb_yaml_read_file(word, spec->arena, &spec->root);
}

static pgb_status resolve(pgb_spec *spec) {
  PGB_TRY(read_source(spec));
  if (spec->root->kind == PGB_YAML_MAP)
    PGB_TRY(pgb_spec_override(spec));
  PGB_TRY(read_numbers(spec));
  PGB_TRY(pgb_spec_envs(spec));
  PGB_TRY(pgb_spec_lists(spec));
  PGB_TRY(pgb_spec_cells(spec));
  return pgb_spec_config(spec->study);
}

pgb_status pgb_study_resolve(const pgb_request *request, pgb_study **out) {
  assert(request != NULL && out != NULL);
  pgb_arena *arena = NULL;
  void *memory = NULL;
  *out = NULL;
  PGB_TRY(pgb_arena_create(&arena));
  pgb_status s = pgb_arena_alloc(arena, 1, sizeof(pgb_study), &memory);
  if (s.code == PGB_OK) {
    pgb_spec spec = {.request = request, .arena = arena, .folder = "", .study = memory};
    spec.study->arena = arena;
    s = resolve(&spec);
  }
  if (s.code == PGB_OK)
    *out = memory;
  else
    pgb_arena_destroy(arena);
  return s;
}

void pgb_study_destroy(pgb_study *study) {
  if (study != NULL)
    pgb_arena_destroy(study->arena); /* which holds the study itself */
}

static pgb_status keep_estimators(pgb_study *study, const char *const *why_not) {
  void *memory = NULL;
  size_t n = 0;
  PGB_TRY(pgb_arena_alloc(study->arena, study->n_estimators, sizeof(pgb_study_estimator), &memory));
  pgb_study_estimator *kept = memory;
  for (size_t i = 0; i < study->n_estimators; i++) {
    const pgb_study_estimator *e = &study->estimators[i];
    if (why_not[i] != NULL && e->from != NULL)
      return pgb_yaml_fail(
          e->from, 0, "estimator %s: no cell of the study can use it: %s; remove it or add a cell that can",
          e->label, why_not[i]);
    if (why_not[i] == NULL)
      kept[n++] = *e;
  }
  study->estimators = kept;
  study->n_estimators = n;
  return pgb_ok();
}

static pgb_status keep_baselines(pgb_study *study, const char *const *why_not) {
  void *memory = NULL;
  size_t n = 0;
  PGB_TRY(pgb_arena_alloc(study->arena, study->n_baselines, sizeof(pgb_baseline_class *), &memory));
  const pgb_baseline_class **kept = memory;
  PGB_TRY(pgb_arena_alloc(study->arena, study->n_baselines, sizeof(pgb_yaml *), &memory));
  const pgb_yaml **from = memory;
  for (size_t i = 0; i < study->n_baselines; i++) {
    if (why_not[i] != NULL && study->baseline_from[i] != NULL)
      return pgb_yaml_fail(
          study->baseline_from[i], 0,
          "baseline %s: no cell of the study can use it: %s; remove it or add a cell that can",
          study->baselines[i]->name, why_not[i]);
    if (why_not[i] != NULL)
      continue;
    kept[n] = study->baselines[i];
    from[n++] = study->baseline_from[i];
  }
  study->baselines = kept;
  study->baseline_from = from;
  study->n_baselines = n;
  return pgb_ok();
}

pgb_status pgb_study_keep(pgb_study *study, const char *const *estimator, const char *const *baseline) {
  assert(study != NULL);
  if (estimator != NULL)
    PGB_TRY(keep_estimators(study, estimator));
  if (baseline != NULL)
    PGB_TRY(keep_baselines(study, baseline));
  return pgb_spec_config(study);
}
