/* SPDX-License-Identifier: MIT */
#include "study/spec.h"

#include <ctype.h>
#include <string.h>

/* Options of the command line as nodes of the study's tree. */

/* Length of the piece before the next comma that stands in no brackets and no quotes. */
static size_t piece_length(const char *text) {
  size_t i = 0;
  int depth = 0;
  char quote = '\0';
  for (; text[i] != '\0' && (text[i] != ',' || depth > 0 || quote != '\0'); i++) {
    const char c = text[i];
    if (quote != '\0') {
      if (c == '\\' && quote == '"' && text[i + 1] != '\0')
        i++;
      else if (c == quote)
        quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[' || c == '{') {
      depth++;
    } else if (c == ']' || c == '}') {
      depth--;
    }
  }
  return i;
}

/* A copy of text[0..n) without blanks around it. */
static pgb_status copy_trimmed(pgb_arena *arena, const char *text, size_t n, char **out) {
  while (n > 0 && isspace((unsigned char)*text)) {
    text++;
    n--;
  }
  while (n > 0 && isspace((unsigned char)text[n - 1]))
    n--;
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(arena, n + 1, 1, &memory));
  *out = memory;
  memcpy(*out, text, n);
  return pgb_ok();
}

/* A node from an option has no line: the place is the option. */
static void forget_place(pgb_yaml *node, const char *where) {
  node->where = where;
  node->line = node->column = node->key_line = node->key_column = 0;
  for (pgb_yaml *c = node->first; c != NULL; c = c->next)
    forget_place(c, where);
}

/* key=value, the value being YAML flow text, as a new entry of map. */
static pgb_status add_pair(pgb_arena *arena, const char *where, char *pair, pgb_yaml *map) {
  char *equals = strchr(pair, '=');
  if (equals == NULL || equals == pair)
    return pgb_fail(PGB_USAGE, "%s: '%.60s' is not key=value; write NAME:key=value,key=value", where, pair);
  char *key = NULL;
  char *place = NULL;
  PGB_TRY(copy_trimmed(arena, pair, (size_t)(equals - pair), &key));
  if (equals[1] == '\0')
    return pgb_fail(PGB_USAGE, "%s: %.60s= has no value; write %.60s=value", where, key, key);
  if (pgb_yaml_get(map, key) != NULL)
    return pgb_fail(PGB_USAGE, "%s: duplicate key '%.60s': a key has one value; remove one", where, key);
  PGB_TRY(pgb_arena_printf(arena, &place, "%s, %.60s", where, key));
  pgb_yaml *node = NULL;
  PGB_TRY(pgb_yaml_read_text(equals + 1, place, arena, &node));
  forget_place(node, where);
  node->key = key;
  pgb_yaml **tail = &map->first;
  while (*tail != NULL)
    tail = &(*tail)->next;
  *tail = node;
  return pgb_ok();
}

/* A map that holds the name alone. */
static pgb_status begin_entry(pgb_arena *arena, const char *option, const char *name, pgb_yaml **map) {
  char *where = NULL;
  if (name[0] == '\0')
    return pgb_fail(PGB_USAGE, "%s: the name is missing; write NAME or NAME:key=value,key=value", option);
  PGB_TRY(pgb_arena_printf(arena, &where, "%s %.60s", option, name));
  PGB_TRY(pgb_spec_node(arena, PGB_YAML_MAP, where, NULL, NULL, map));
  return pgb_spec_node(arena, PGB_YAML_SCALAR, where, "name", name, &(*map)->first);
}

/* One or, with `many`, several NAME[:key=value,...] separated by commas: a piece with '=' before any ':'
 * belongs to the name before it. Appends maps to list. */
static pgb_status add_entries(pgb_arena *arena, const char *option, const char *text, bool many,
                              pgb_yaml *list) {
  pgb_yaml **tail = &list->first;
  pgb_yaml *now = NULL;
  while (*tail != NULL)
    tail = &(*tail)->next;
  for (bool more = true; more;) {
    const size_t n = piece_length(text);
    char *piece = NULL;
    PGB_TRY(copy_trimmed(arena, text, n, &piece));
    more = text[n] == ',';
    text += n + more;
    char *rest = piece;
    if (now == NULL || (many && piece[strcspn(piece, ":=")] != '=')) {
      char *colon = strchr(piece, ':');
      rest = colon != NULL ? colon + 1 : NULL;
      if (colon != NULL)
        *colon = '\0';
      PGB_TRY(begin_entry(arena, option, piece, &now));
      *tail = now;
      tail = &now->next;
    }
    if (rest != NULL)
      PGB_TRY(add_pair(arena, now->where, rest, now));
  }
  return pgb_ok();
}

/* Scalars separated by commas. */
static pgb_status add_scalars(pgb_arena *arena, const char *option, const char *text, pgb_yaml *list) {
  pgb_yaml **tail = &list->first;
  for (bool more = true; more;) {
    const size_t n = strcspn(text, ",");
    char *piece = NULL;
    PGB_TRY(copy_trimmed(arena, text, n, &piece));
    if (piece[0] == '\0')
      return pgb_fail(PGB_USAGE, "%s: an empty place between commas; write A,B", option);
    PGB_TRY(pgb_spec_node(arena, PGB_YAML_SCALAR, option, NULL, piece, tail));
    tail = &(*tail)->next;
    more = text[n] == ',';
    text += n + more;
  }
  return pgb_ok();
}

/* Puts the node where the study's entry of its key was, or at the end. */
static void put(pgb_yaml *root, pgb_yaml *node) {
  pgb_yaml **at = &root->first;
  while (*at != NULL && strcmp((*at)->key, node->key) != 0)
    at = &(*at)->next;
  node->next = *at != NULL ? (*at)->next : NULL;
  *at = node;
}

static pgb_status put_scalar(pgb_spec *spec, const char *option, const char *key, const char *text) {
  pgb_yaml *node = NULL;
  char *copy = NULL;
  if (text == NULL)
    return pgb_ok();
  PGB_TRY(copy_trimmed(spec->arena, text, strlen(text), &copy));
  PGB_TRY(pgb_spec_node(spec->arena, PGB_YAML_SCALAR, option, key, copy, &node));
  put(spec->root, node);
  return pgb_ok();
}

static pgb_status put_scalars(pgb_spec *spec, const char *option, const char *key, const char *text) {
  pgb_yaml *node = NULL;
  if (text == NULL)
    return pgb_ok();
  PGB_TRY(pgb_spec_node(spec->arena, PGB_YAML_LIST, option, key, NULL, &node));
  PGB_TRY(add_scalars(spec->arena, option, text, node));
  put(spec->root, node);
  return pgb_ok();
}

static pgb_status put_entries(pgb_spec *spec, const char *option, const char *key, const char *const *texts,
                              size_t n, bool many) {
  pgb_yaml *node = NULL;
  if (n == 0)
    return pgb_ok();
  PGB_TRY(pgb_spec_node(spec->arena, PGB_YAML_LIST, option, key, NULL, &node));
  for (size_t i = 0; i < n; i++)
    PGB_TRY(add_entries(spec->arena, option, texts[i], many, node));
  put(spec->root, node);
  return pgb_ok();
}

pgb_status pgb_spec_override(pgb_spec *spec) {
  const pgb_request *r = spec->request;
  PGB_TRY(put_scalar(spec, "--seed", "seed", r->seed));
  PGB_TRY(put_scalar(spec, "--gamma", "gamma", r->gamma));
  PGB_TRY(put_scalar(spec, "--replicates", "replicates", r->replicates));
  PGB_TRY(put_scalars(spec, "--batch", "batch", r->batch));
  PGB_TRY(put_scalars(spec, "--baseline", "baselines", r->baseline));
  PGB_TRY(put_entries(spec, "--estimator", "estimators", &r->estimator, r->estimator != NULL, true));
  PGB_TRY(put_entries(spec, "--env", "env", r->env, r->n_env, false));
  return put_entries(spec, "--policy", "policy", r->policy, r->n_policy, false);
}
