/* SPDX-License-Identifier: MIT */
#include "study/spec.h"

#include <string.h>

pgb_status pgb_spec_node(pgb_arena *arena, pgb_yaml_kind kind, const char *where, const char *key,
                         const char *text, pgb_yaml **out) {
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(arena, 1, sizeof(pgb_yaml), &memory));
  *out = memory;
  **out = (pgb_yaml){.kind = kind, .where = where, .key = key, .text = text};
  return pgb_ok();
}

pgb_status pgb_spec_items(pgb_arena *arena, const pgb_yaml *node, const pgb_yaml *const **items, size_t *n) {
  void *memory = NULL;
  *n = 0;
  if (node->kind != PGB_YAML_LIST)
    *n = 1;
  else
    for (const pgb_yaml *c = node->first; c != NULL; c = c->next)
      ++*n;
  if (*n == 0)
    return pgb_yaml_fail(node, 0, "%s: the list is empty; name at least one or leave the key away",
                         node->key != NULL ? node->key : "list");
  PGB_TRY(pgb_arena_alloc(arena, *n, sizeof(pgb_yaml *), &memory));
  const pgb_yaml **out = memory;
  out[0] = node;
  if (node->kind == PGB_YAML_LIST) {
    const pgb_yaml *c = node->first;
    for (size_t i = 0; i < *n; i++, c = c->next)
      out[i] = c;
  }
  *items = out;
  return pgb_ok();
}

pgb_status pgb_spec_entry(pgb_arena *arena, const pgb_yaml *node, const char *what, const pgb_yaml **map,
                          const char **name) {
  if (node->kind == PGB_YAML_LIST)
    return pgb_yaml_fail(node, 0, "%s: a list in the list; write NAME or {name: NAME, key: value}", what);
  *map = node;
  if (node->kind == PGB_YAML_SCALAR) {
    pgb_yaml *made = NULL;
    pgb_yaml *child = NULL;
    PGB_TRY(pgb_spec_node(arena, PGB_YAML_MAP, node->where, NULL, NULL, &made));
    PGB_TRY(pgb_spec_node(arena, PGB_YAML_SCALAR, node->where, "name", node->text, &child));
    made->line = child->line = child->key_line = node->line;
    made->column = child->column = child->key_column = node->column;
    made->first = child;
    *map = made;
  }
  const pgb_yaml *word = pgb_yaml_get(*map, "name");
  if (word == NULL)
    return pgb_yaml_fail(node, 0, "%s: missing key 'name'; add name: NAME, one of `pgbench list %s`", what,
                         what);
  if (word->kind != PGB_YAML_SCALAR || word->text[0] == '\0')
    return pgb_yaml_fail(word, 0, "%s: the name must be a word; take one of `pgbench list %s`", what, what);
  *name = word->text;
  return pgb_ok();
}

pgb_status pgb_spec_flow_map(pgb_arena *arena, const char *name, const pgb_option *table, size_t n,
                             const void *params, const char **out) {
  char *text = NULL;
  PGB_TRY(pgb_arena_printf(arena, &text, "{name: %s", name));
  for (size_t i = 0; i < n; i++) {
    char *value = NULL;
    PGB_TRY(pgb_option_text(&table[i], params, arena, &value));
    if (value[0] != '\0')
      PGB_TRY(pgb_arena_printf(arena, &text, "%s, %s: %s", text, table[i].name, value));
  }
  PGB_TRY(pgb_arena_printf(arena, &text, "%s}", text));
  *out = text;
  return pgb_ok();
}

pgb_status pgb_spec_place(const pgb_yaml *entry, const char *what, pgb_status s) {
  if (s.code != PGB_USAGE)
    return s;
  const bool option = entry->line == 0; /* whose place "--env mdp" says what it is */
  const pgb_yaml *at = entry->first;
  for (; at != NULL; at = at->next) {
    const size_t n = strlen(at->key);
    if (strncmp(s.text, at->key, n) == 0 && s.text[n] == ':')
      break;
  }
  return pgb_yaml_fail(at != NULL ? at : entry, at != NULL, "%s%s%s", option ? "" : what, option ? "" : ": ",
                       s.text);
}
