/* SPDX-License-Identifier: MIT */
#include "study/spec.h"

#include <stdio.h>
#include <string.h>

enum { NAME = 64, MAX_NAMES = 256 };

static pgb_status unknown_env(const pgb_yaml *node, const char *word, const pgb_request *request) {
  const pgb_env_class *const *table = pgb_env_table(request->isa);
  const char *names[MAX_NAMES];
  size_t n = 0;
  for (; n < MAX_NAMES && table[n] != NULL; n++)
    names[n] = table[n]->name;
  for (size_t i = 0; n < MAX_NAMES && i < request->n_extra; i++)
    names[n++] = request->extra[i].class_->name;
  pgb_status s = pgb_unknown(node, 0, "env", word, names, n);
  const size_t used = strlen(s.text);
  (void)snprintf(s.text + used, sizeof s.text - used, "; or load one of your own with --plugin FILE.so");
  return s;
}

/* By name, among those built in and the request's own; NULL if neither has it. */
static const pgb_env_class *find_env(const pgb_request *request, const char *name, const char **origin) {
  const pgb_env_class *found = pgb_env_find(request->isa, name);
  *origin = "";
  for (size_t i = 0; i < request->n_extra && found == NULL; i++)
    if (strcmp(request->extra[i].class_->name, name) == 0) {
      *origin = request->extra[i].origin;
      found = request->extra[i].class_;
    }
  return found;
}

/* class->given, "A,B": if any of the keys is given, all must be. */
static pgb_status check_given(const pgb_env_class *class_, const pgb_yaml *entry) {
  const pgb_yaml *present = NULL;
  char missing[NAME] = "";
  for (const char *at = class_->given; at != NULL && *at != '\0';) {
    char key[NAME];
    const size_t n = strcspn(at, ",");
    (void)snprintf(key, sizeof key, "%.*s", (int)n, at);
    const pgb_yaml *node = pgb_yaml_get(entry, key);
    if (node != NULL && present == NULL)
      present = node;
    if (node == NULL && missing[0] == '\0')
      (void)snprintf(missing, sizeof missing, "%s", key);
    at += n + (at[n] == ',');
  }
  if (present == NULL || missing[0] == '\0')
    return pgb_ok();
  return pgb_fail(PGB_USAGE, "missing key '%s': %s is given, and %s belong together; add %s", missing,
                  present->key, class_->given, missing);
}

static pgb_status read_env(const pgb_spec *spec, const pgb_yaml *node, pgb_spec_env *out,
                           const char **config) {
  const char *name = NULL;
  void *params = NULL;
  PGB_TRY(pgb_spec_entry(spec->arena, node, "env", &out->entry, &name));
  out->class_ = find_env(spec->request, name, &out->origin);
  if (out->class_ == NULL)
    return unknown_env(pgb_yaml_get(out->entry, "name"), name, spec->request);
  const pgb_env_class *c = out->class_;
  char what[NAME];
  (void)snprintf(what, sizeof what, "env %s", c->name);
  PGB_TRY(pgb_arena_alloc(spec->arena, 1, c->params_size, &params));
  out->params = params;
  PGB_TRY(pgb_options_read(c->options, c->n_options, out->entry, "name", spec->arena, params));
  PGB_TRY(pgb_spec_place(out->entry, what, check_given(c, out->entry)));
  PGB_TRY(pgb_spec_flow_map(spec->arena, c->name, c->options, c->n_options, params, config));
  return pgb_spec_place(out->entry, what, c->prepare(params, spec->arena, &out->space));
}

pgb_status pgb_spec_envs(pgb_spec *spec) {
  const pgb_yaml *node = pgb_yaml_get(spec->root, "env");
  const pgb_yaml *const *items = NULL;
  void *envs = NULL;
  char *copy = NULL;
  void *configs = NULL;
  void *origins = NULL;
  size_t n = 0;
  if (node == NULL)
    return pgb_yaml_fail(spec->root, 0,
                         "missing key 'env': a study needs a problem; add for instance env: bandit");
  PGB_TRY(pgb_spec_items(spec->arena, node, &items, &n));
  if (n > PGB_SPEC_MAX_CELLS)
    return pgb_yaml_fail(node, 0, "env: more than %d entries; split the study", PGB_SPEC_MAX_CELLS);
  PGB_TRY(pgb_arena_alloc(spec->arena, n, sizeof(pgb_spec_env), &envs));
  PGB_TRY(pgb_arena_alloc(spec->arena, n, sizeof(const char *), &configs));
  PGB_TRY(pgb_arena_alloc(spec->arena, n, sizeof(const char *), &origins));
  spec->envs = envs;
  const char **config = configs;
  const char **origin = origins;
  for (size_t i = 0; i < n; i++) {
    PGB_TRY(read_env(spec, items[i], &spec->envs[i], &config[i]));
    PGB_TRY(pgb_arena_text(spec->arena, spec->envs[i].origin, &copy));
    origin[i] = copy;
  }
  spec->study->env_origin = origin;
  spec->study->env_config = config;
  spec->study->n_envs = n;
  return pgb_ok();
}
