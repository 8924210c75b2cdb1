/* SPDX-License-Identifier: MIT */
#include "study/spec.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_ENTRIES = 64, MAX_KNOWN = 4 * MAX_ENTRIES }; /* estimators or baselines of one study, and of all */

static pgb_status fail_too_many(const pgb_yaml *node) {
  return pgb_yaml_fail(node, 0, "%s: more than %d entries; name fewer", node->key, MAX_ENTRIES);
}

/* What a misspelt word is compared with, and what is listed: names first, then aliases. */
typedef struct known {
  const char *name[MAX_KNOWN];
  size_t n;
} known;

static pgb_status know_aliases(pgb_arena *arena, const char *aliases, known *k) {
  char *copy = NULL;
  if (aliases == NULL)
    return pgb_ok();
  PGB_TRY(pgb_arena_text(arena, aliases, &copy));
  k->n += pgb_cut_words(copy, k->name + k->n, MAX_KNOWN - k->n);
  return pgb_ok();
}

static pgb_status unknown_estimator(const pgb_spec *spec, const pgb_yaml *node, const char *word) {
  const pgb_estimator_class *const *table = pgb_estimator_table(spec->request->isa);
  known k = {.n = 0};
  for (size_t i = 0; i < MAX_ENTRIES && table[i] != NULL; i++)
    k.name[k.n++] = table[i]->name;
  for (size_t i = 0; i < MAX_ENTRIES && table[i] != NULL; i++)
    PGB_TRY(know_aliases(spec->arena, table[i]->aliases, &k));
  return pgb_unknown(node, 0, "estimator", word, k.name, k.n);
}

/* "gae:lambda=0.5" */
static pgb_status full_label(pgb_arena *arena, const pgb_study_estimator *e, const char **out) {
  char *text = NULL;
  PGB_TRY(pgb_arena_text(arena, e->class_->name, &text));
  for (size_t i = 0; i < e->class_->n_options; i++) {
    const pgb_option *o = &e->class_->options[i];
    char *value = NULL;
    PGB_TRY(pgb_option_text(o, e->params, arena, &value));
    PGB_TRY(pgb_arena_printf(arena, &text, "%s%c%s=%s", text, i == 0 ? ':' : ',', o->name, value));
  }
  *out = text;
  return pgb_ok();
}

static pgb_status fill_estimator(pgb_arena *arena, const pgb_estimator_class *class_, const pgb_yaml *map,
                                 pgb_study_estimator *out) {
  void *params = NULL;
  PGB_TRY(pgb_arena_alloc(arena, 1, class_->params_size, &params));
  PGB_TRY(pgb_options_read(class_->options, class_->n_options, map, "name", arena, params));
  *out = (pgb_study_estimator){.class_ = class_, .params = params, .from = map};
  return full_label(arena, out, &out->label);
}

static pgb_status read_estimators(pgb_spec *spec, const pgb_yaml *node, pgb_study_estimator **out) {
  const pgb_yaml *const *items = NULL;
  size_t n = 0;
  void *memory = NULL;
  PGB_TRY(pgb_spec_items(spec->arena, node, &items, &n));
  if (n > MAX_ENTRIES)
    return fail_too_many(node);
  PGB_TRY(pgb_arena_alloc(spec->arena, n, sizeof(pgb_study_estimator), &memory));
  pgb_study_estimator *list = memory;
  for (size_t i = 0; i < n; i++) {
    const pgb_yaml *map = NULL;
    const char *word = NULL;
    PGB_TRY(pgb_spec_entry(spec->arena, items[i], "estimator", &map, &word));
    const pgb_estimator_class *class_ = pgb_estimator_find(spec->request->isa, word);
    if (class_ == NULL)
      return unknown_estimator(spec, pgb_yaml_get(map, "name"), word);
    PGB_TRY(fill_estimator(spec->arena, class_, map, &list[i]));
    for (size_t j = 0; j < i; j++)
      if (strcmp(list[i].label, list[j].label) == 0)
        return pgb_yaml_fail(map, 0, "duplicate estimator '%.60s': %s stands before it; remove one", word,
                             list[j].label);
  }
  *out = list;
  spec->study->n_estimators = n;
  return pgb_ok();
}

static pgb_status all_estimators(pgb_spec *spec, pgb_study_estimator **out) {
  const pgb_estimator_class *const *table = pgb_estimator_table(spec->request->isa);
  size_t n = 0;
  void *memory = NULL;
  while (table[n] != NULL)
    n++;
  PGB_TRY(pgb_arena_alloc(spec->arena, n, sizeof(pgb_study_estimator), &memory));
  *out = memory;
  for (size_t i = 0; i < n; i++)
    PGB_TRY(fill_estimator(spec->arena, table[i], NULL, &(*out)[i]));
  spec->study->n_estimators = n;
  return pgb_ok();
}

static pgb_status find_estimators(pgb_spec *spec) {
  const pgb_yaml *node = pgb_yaml_get(spec->root, "estimators");
  pgb_study_estimator *list = NULL;
  if (node != NULL)
    PGB_TRY(read_estimators(spec, node, &list));
  else
    PGB_TRY(all_estimators(spec, &list));
  const char *full[MAX_ENTRIES];
  const size_t n = spec->study->n_estimators;
  for (size_t i = 0; i < n && i < MAX_ENTRIES; i++) {
    size_t same = 0;
    for (size_t j = 0; j < n; j++)
      same += list[j].class_ == list[i].class_;
    full[i] = same > 1 ? list[i].label : list[i].class_->name;
  }
  for (size_t i = 0; i < n && i < MAX_ENTRIES; i++)
    list[i].label = full[i];
  spec->study->estimators = list;
  return pgb_ok();
}

static pgb_status unknown_baseline(const pgb_spec *spec, const pgb_yaml *node) {
  known k = {.n = 0};
  for (size_t i = 0; i < MAX_ENTRIES && pgb_baseline_table[i] != NULL; i++)
    k.name[k.n++] = pgb_baseline_table[i]->name;
  for (size_t i = 0; i < MAX_ENTRIES && pgb_baseline_table[i] != NULL; i++)
    PGB_TRY(know_aliases(spec->arena, pgb_baseline_table[i]->aliases, &k));
  return pgb_unknown(node, 0, "baseline", node->text, k.name, k.n);
}

/* Classes, and where each was named (NULL: nowhere). */
static pgb_status make_baselines(pgb_spec *spec, size_t n, const pgb_baseline_class ***list,
                                 const pgb_yaml ***from) {
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(spec->arena, n, sizeof(pgb_baseline_class *), &memory));
  spec->study->baselines = *list = memory;
  PGB_TRY(pgb_arena_alloc(spec->arena, n, sizeof(pgb_yaml *), &memory));
  spec->study->baseline_from = *from = memory;
  spec->study->n_baselines = n;
  return pgb_ok();
}

static pgb_status all_baselines(pgb_spec *spec) {
  const pgb_baseline_class **list = NULL;
  const pgb_yaml **from = NULL;
  size_t n = 0;
  while (pgb_baseline_table[n] != NULL)
    n++;
  PGB_TRY(make_baselines(spec, n, &list, &from));
  memcpy(list, pgb_baseline_table, n * sizeof(pgb_baseline_class *));
  return pgb_ok();
}

static pgb_status find_baselines(pgb_spec *spec) {
  const pgb_yaml *node = pgb_yaml_get(spec->root, "baselines");
  const pgb_yaml *const *items = NULL;
  const pgb_baseline_class **list = NULL;
  const pgb_yaml **from = NULL;
  size_t n = 0;
  if (node == NULL)
    return all_baselines(spec);
  PGB_TRY(pgb_spec_items(spec->arena, node, &items, &n));
  if (n > MAX_ENTRIES)
    return fail_too_many(node);
  PGB_TRY(make_baselines(spec, n, &list, &from));
  for (size_t i = 0; i < n; i++) {
    if (items[i]->kind != PGB_YAML_SCALAR)
      return pgb_yaml_fail(items[i], 0, "baseline: %s stands here; write its name alone",
                           pgb_yaml_kind_name(items[i]->kind));
    list[i] = pgb_baseline_find(items[i]->text);
    from[i] = items[i];
    if (list[i] == NULL)
      return unknown_baseline(spec, items[i]);
    for (size_t j = 0; j < i; j++)
      if (list[i] == list[j])
        return pgb_yaml_fail(items[i], 0, "duplicate baseline '%.60s': %s stands before it; remove one",
                             items[i]->text, list[j]->name);
  }
  return pgb_ok();
}

static pgb_status find_batches(pgb_spec *spec) {
  const pgb_yaml *node = pgb_yaml_get(spec->root, "batch");
  const pgb_yaml *const *items = NULL;
  void *memory = NULL;
  size_t n = 0;
  PGB_TRY(pgb_arena_alloc(spec->arena, PGB_SPEC_MAX_BATCHES, sizeof(uint64_t), &memory));
  uint64_t *batches = memory;
  spec->study->batches = batches;
  batches[0] = 1;
  batches[1] = 16;
  spec->study->n_batches = 2;
  if (node == NULL)
    return pgb_ok();
  PGB_TRY(pgb_spec_items(spec->arena, node, &items, &n));
  if (n > PGB_SPEC_MAX_BATCHES)
    return pgb_yaml_fail(node, 0, "batch: %zu sizes; give at most %d", n, PGB_SPEC_MAX_BATCHES);
  for (size_t i = 0; i < n; i++) {
    const pgb_option size = {"batch", "episode", PGB_TYPE_INT,     0, 1, INT32_MAX,
                             NULL,    NULL,      "size of a batch"};
    int64_t value = 0;
    PGB_TRY(pgb_option_read(&size, items[i], spec->arena, &value));
    batches[i] = (uint64_t)value;
    for (size_t j = 0; j < i; j++)
      if (batches[i] == batches[j])
        return pgb_yaml_fail(items[i], 0, "batch: %" PRIu64 " stands there twice; remove one", batches[i]);
  }
  spec->study->n_batches = n;
  return pgb_ok();
}

pgb_status pgb_spec_lists(pgb_spec *spec) {
  PGB_TRY(find_estimators(spec));
  PGB_TRY(find_baselines(spec));
  return find_batches(spec);
}
