/* SPDX-License-Identifier: MIT */
#include "study/spec.h"

#include <stdio.h>
#include <string.h>

enum { NAME = 64, MAX_NAMES = 256, LABEL = 64 };

/* One entry of the policy list. */
typedef struct policy_entry {
  const pgb_yaml *map;
  const pgb_policy_class *class_;
  size_t only;           /* number of the env entry it is limited to, from 1; 0: not limited by number */
  const char *only_name; /* name of the envs it is limited to, or NULL                                 */
} policy_entry;

typedef struct policy_list {
  policy_entry *entry;
  size_t n;
} policy_list;

static const char *natural_policy(const pgb_space *space) {
  if (space->n_choices == 0)
    return "gaussian-linear";
  return space->n_contexts != 0 ? "softmax-tabular" : "softmax-linear";
}

static pgb_status unknown_policy(const pgb_yaml *node, const char *word, pgb_isa isa) {
  const pgb_policy_class *const *table = pgb_policy_table(isa);
  const char *names[MAX_NAMES];
  size_t n = 0;
  for (; n < MAX_NAMES && table[n] != NULL; n++)
    names[n] = table[n]->name;
  return pgb_unknown(node, 0, "policy", word, names, n);
}

/* The key env of a policy: a number or the name of an entry of the env list. */
static pgb_status read_limit(const pgb_spec *spec, policy_entry *p) {
  const pgb_yaml *node = pgb_yaml_get(p->map, "env");
  const char *names[MAX_NAMES];
  uint64_t number = 0;
  const size_t n = spec->study->n_envs;
  if (node == NULL)
    return pgb_ok();
  if (node->kind != PGB_YAML_SCALAR)
    return pgb_yaml_fail(node, 0,
                         "env: %s stands here; write the name or the number of an entry of the env list",
                         pgb_yaml_kind_name(node->kind));
  if (!node->quoted && pgb_parse_unsigned(node->text, &number)) {
    if (number < 1 || number > n)
      return pgb_yaml_fail(node, 0,
                           "env: %.20s is not an entry of the env list; give a number in [1, %zu] or a name",
                           node->text, n);
    p->only = (size_t)number;
    return pgb_ok();
  }
  for (size_t i = 0; i < n; i++) {
    if (strcmp(spec->envs[i].class_->name, node->text) == 0) {
      p->only_name = node->text;
      return pgb_ok();
    }
    if (i < MAX_NAMES)
      names[i] = spec->envs[i].class_->name;
  }
  return pgb_unknown(node, 0, "env of this study", node->text, names, n < MAX_NAMES ? n : MAX_NAMES);
}

static pgb_status read_policy(const pgb_spec *spec, const pgb_yaml *node, policy_entry *p) {
  const char *name = NULL;
  PGB_TRY(pgb_spec_entry(spec->arena, node, "policy", &p->map, &name));
  p->class_ = pgb_policy_find(spec->request->isa, name);
  if (p->class_ == NULL)
    return unknown_policy(pgb_yaml_get(p->map, "name"), name, spec->request->isa);
  return pgb_ok();
}

static pgb_status make_list(const pgb_spec *spec, size_t n, policy_list *list) {
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(spec->arena, n, sizeof(policy_entry), &memory));
  *list = (policy_list){.entry = memory, .n = n};
  return pgb_ok();
}

/* One entry for each env, with the policy that its field uses first. */
static pgb_status natural_policies(const pgb_spec *spec, policy_list *list) {
  PGB_TRY(make_list(spec, spec->study->n_envs, list));
  for (size_t i = 0; i < list->n; i++) {
    const pgb_spec_env *env = &spec->envs[i];
    pgb_yaml *node = NULL;
    PGB_TRY(pgb_spec_node(spec->arena, PGB_YAML_SCALAR, env->entry->where, NULL, natural_policy(&env->space),
                          &node));
    node->line = env->entry->line;
    node->column = env->entry->column;
    PGB_TRY(read_policy(spec, node, &list->entry[i]));
    list->entry[i].only = i + 1;
  }
  return pgb_ok();
}

static bool meant_for(const pgb_spec *spec, const policy_entry *p, size_t env) {
  if (p->only != 0)
    return p->only == env + 1;
  return p->only_name == NULL || strcmp(p->only_name, spec->envs[env].class_->name) == 0;
}

static bool fits(const pgb_spec *spec, const policy_entry *p, size_t env) {
  return meant_for(spec, p, env) && p->class_->misfit(&spec->envs[env].space) == NULL;
}

/* Every policy must fit an env, and every env a policy. */
static pgb_status check_fit(const pgb_spec *spec, const policy_list *list) {
  for (size_t k = 0; k < list->n; k++) {
    const policy_entry *p = &list->entry[k];
    const pgb_spec_env *met = NULL;
    bool fit = false;
    for (size_t i = 0; i < spec->study->n_envs && !fit; i++) {
      fit = fits(spec, p, i);
      if (!fit && met == NULL && meant_for(spec, p, i))
        met = &spec->envs[i];
    }
    if (!fit)
      return pgb_yaml_fail(p->map, 0,
                           "policy %s: fits no env that it is for: in %s %s; remove it or add an env it fits",
                           p->class_->name, met->class_->name, p->class_->misfit(&met->space));
  }
  for (size_t i = 0; i < spec->study->n_envs; i++) {
    size_t k = 0;
    while (k < list->n && !fits(spec, &list->entry[k], i))
      k++;
    if (k == list->n)
      return pgb_yaml_fail(
          spec->envs[i].entry, 0,
          "env %s: no policy of the study fits it; add one that does (%s) or choose other envs",
          spec->envs[i].class_->name, natural_policy(&spec->envs[i].space));
  }
  return pgb_ok();
}

/* Whether the study's policies can stay with envs that took the place of the study's own. */
static bool can_stay(const pgb_spec *spec, const policy_list *list) {
  for (size_t k = 0; k < list->n; k++)
    if (pgb_yaml_get(list->entry[k].map, "env") != NULL || pgb_spec_theta_is_numbers(list->entry[k].map))
      return false;
  return check_fit(spec, list).code == PGB_OK;
}

static pgb_status read_policies(const pgb_spec *spec, policy_list *list) {
  const pgb_yaml *node = pgb_yaml_get(spec->root, "policy");
  const pgb_yaml *const *items = NULL;
  size_t n = 0;
  if (node == NULL)
    return natural_policies(spec, list);
  PGB_TRY(pgb_spec_items(spec->arena, node, &items, &n));
  PGB_TRY(make_list(spec, n, list));
  for (size_t k = 0; k < n; k++)
    PGB_TRY(read_policy(spec, items[k], &list->entry[k]));
  if (spec->request->n_env != 0 && spec->request->n_policy == 0 && !can_stay(spec, list))
    return natural_policies(spec, list);
  for (size_t k = 0; k < n; k++)
    PGB_TRY(read_limit(spec, &list->entry[k]));
  return check_fit(spec, list);
}

static pgb_status name_cell(const pgb_spec *spec, const pgb_cell *cells, size_t n, pgb_cell *cell) {
  size_t same = 1;
  char *group = NULL;
  for (size_t i = 0; i < n; i++)
    same += cells[i].actor.env == cell->actor.env && cells[i].actor.policy == cell->actor.policy;
  if (same == 1)
    PGB_TRY(pgb_arena_printf(spec->arena, &group, "/%s/%s", cell->actor.env->name, cell->actor.policy->name));
  else
    PGB_TRY(pgb_arena_printf(spec->arena, &group, "/%s/%s_%zu", cell->actor.env->name,
                             cell->actor.policy->name, same));
  cell->group = group;
  return pgb_ok();
}

static pgb_status label_cell(const pgb_spec *spec, pgb_cell *cell) {
  const size_t n = cell->actor.shape.n_theta;
  void *pointers = NULL;
  void *texts = NULL;
  PGB_TRY(pgb_arena_alloc(spec->arena, n, sizeof(const char *), &pointers));
  PGB_TRY(pgb_arena_alloc(spec->arena, n, LABEL, &texts));
  const char **label = pointers;
  for (size_t k = 0; k < n; k++) {
    cell->actor.policy->label(cell->actor.policy_params, k, (char *)texts + k * LABEL);
    label[k] = (char *)texts + k * LABEL;
  }
  cell->label = label;
  return pgb_ok();
}

static pgb_status fill_cell(const pgb_spec *spec, const policy_entry *p, size_t env, const pgb_cell *cells,
                            size_t n, pgb_cell *cell) {
  const pgb_spec_env *e = &spec->envs[env];
  const pgb_policy_class *c = p->class_;
  pgb_actor *actor = &cell->actor;
  void *params = NULL;
  char what[2 * NAME];
  PGB_TRY(pgb_arena_alloc(spec->arena, 1, c->params_size, &params));
  PGB_TRY(pgb_options_read(c->options, c->n_options, p->map, "name|env|theta", spec->arena, params));
  PGB_TRY(pgb_spec_flow_map(spec->arena, c->name, c->options, c->n_options, params, &cell->policy_config));
  *actor = (pgb_actor){.env = e->class_,
                       .env_params = e->params,
                       .space = e->space,
                       .policy = c,
                       .policy_params = params,
                       .gamma = spec->study->gamma};
  (void)snprintf(what, sizeof what, "policy %s on %s", c->name, e->class_->name);
  PGB_TRY(pgb_spec_place(p->map, what,
                         c->prepare(params, &e->space, e->class_->policy_gain, spec->arena, &actor->shape)));
  cell->env = env;
  cell->env_config = spec->study->env_config[env];
  return name_cell(spec, cells, n, cell);
}

/* Labels and theta of every cell, which take memory and time, once the study may have them. */
static pgb_status finish_cells(const pgb_spec *spec, const policy_list *list, pgb_cell *cells) {
  const pgb_request *r = spec->request;
  if (r->admit != NULL)
    PGB_TRY(r->admit(r->admitting, spec->study));
  for (size_t i = 0; i < spec->study->n_envs; i++)
    for (size_t k = 0; k < list->n; k++) {
      if (!fits(spec, &list->entry[k], i))
        continue;
      PGB_TRY(label_cell(spec, cells));
      PGB_TRY(pgb_spec_theta(spec, list->entry[k].map, cells++));
    }
  return pgb_ok();
}

pgb_status pgb_spec_cells(pgb_spec *spec) {
  policy_list list = {0};
  size_t n = 0;
  void *memory = NULL;
  PGB_TRY(read_policies(spec, &list));
  for (size_t i = 0; i < spec->study->n_envs; i++)
    for (size_t k = 0; k < list.n; k++)
      n += fits(spec, &list.entry[k], i);
  if (n > PGB_SPEC_MAX_CELLS)
    return pgb_yaml_fail(spec->root, 0, "%zu cells (env with policy): more than %d; split the study", n,
                         PGB_SPEC_MAX_CELLS);
  PGB_TRY(pgb_arena_alloc(spec->arena, n, sizeof(pgb_cell), &memory));
  pgb_cell *cells = memory;
  n = 0;
  for (size_t i = 0; i < spec->study->n_envs; i++) {
    for (size_t k = 0; k < list.n; k++) {
      if (!fits(spec, &list.entry[k], i))
        continue;
      PGB_TRY(fill_cell(spec, &list.entry[k], i, cells, n, &cells[n]));
      n++;
    }
  }
  spec->study->cells = cells;
  spec->study->n_cells = n;
  return finish_cells(spec, &list, cells);
}
