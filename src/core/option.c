/* SPDX-License-Identifier: MIT */
#include "core/option.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 64, LIST_TEXT = 300 };

/* strtod and printf follow the thread's locale, which a host program may have set to one with a decimal
 * comma. */
static locale_t enter_c_locale(locale_t *c) {
  *c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  return *c != (locale_t)0 ? uselocale(*c) : (locale_t)0;
}

static void leave_c_locale(locale_t c, locale_t before) {
  if (c == (locale_t)0)
    return;
  (void)uselocale(before);
  freelocale(c);
}

static const char *skip_digits(const char *t) {
  while (*t >= '0' && *t <= '9')
    t++;
  return t;
}

/* [+-] digits [. digits] [e [+-] digits] with a digit before or after the point. */
static bool decimal(const char *text) {
  const char *t = text + (*text == '+' || *text == '-');
  const char *begin = t;
  t = skip_digits(t);
  size_t digits = (size_t)(t - begin);
  if (*t == '.') {
    begin = ++t;
    t = skip_digits(t);
    digits += (size_t)(t - begin);
  }
  if (digits == 0)
    return false;
  if (*t == 'e' || *t == 'E') {
    t++;
    t += *t == '+' || *t == '-';
    begin = t;
    t = skip_digits(t);
    if (t == begin)
      return false;
  }
  return *t == '\0';
}

bool pgb_parse_real(const char *text, double *out) {
  assert(text != NULL && out != NULL);
  const char *word = text + (*text == '+' || *text == '-');
  if (strcmp(word, "inf") == 0 || strcmp(word, ".inf") == 0) {
    *out = *text == '-' ? -INFINITY : INFINITY;
    return true;
  }
  if (!decimal(text))
    return false;
  locale_t c;
  const locale_t before = enter_c_locale(&c);
  *out = strtod(text, NULL);
  leave_c_locale(c, before);
  return isfinite(*out); /* 1e999 is no infinity that anybody meant */
}

bool pgb_parse_int(const char *text, int64_t *out) {
  assert(text != NULL && out != NULL);
  const char *digits = text + (*text == '+' || *text == '-');
  if (*digits == '\0' || *skip_digits(digits) != '\0')
    return false;
  errno = 0;
  const long long value = strtoll(text, NULL, 10);
  *out = value;
  return errno == 0;
}

bool pgb_parse_unsigned(const char *text, uint64_t *out) {
  assert(text != NULL && out != NULL);
  if (*text == '\0' || *skip_digits(text) != '\0')
    return false;
  errno = 0;
  const unsigned long long value = strtoull(text, NULL, 10);
  *out = value;
  return errno == 0;
}

void pgb_real_text(double value, char out[PGB_REAL_TEXT]) {
  assert(out != NULL);
  if (!isfinite(value)) {
    (void)snprintf(out, PGB_REAL_TEXT, "%s", isnan(value) ? ".nan" : value < 0 ? "-.inf" : ".inf");
    return;
  }
  locale_t c;
  const locale_t before = enter_c_locale(&c);
  for (int digits = DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
    (void)snprintf(out, PGB_REAL_TEXT, "%.*g", digits, value);
    if (strtod(out, NULL) == value)
      break;
  }
  leave_c_locale(c, before);
  char *e = strchr(out, 'e'); /* YAML 1.1, and so PyYAML, takes 1e-05 for a word but 1.0e-05 for a number */
  if (e != NULL && strchr(out, '.') == NULL) {
    memmove(e + 2, e, strlen(e) + 1);
    memcpy(e, ".0", 2);
  }
}

/* Optimal string alignment distance (insert, delete, replace, swap neighbours), upper and lower case alike.
 */
static size_t edit_distance(const char *a, const char *b) {
  size_t row[3][WORD + 1];
  const size_t n = strlen(a);
  const size_t m = strlen(b);
  for (size_t j = 0; j <= m; j++)
    row[0][j] = j;
  for (size_t i = 1; i <= n; i++) {
    size_t *now = row[i % 3];
    const size_t *above = row[(i - 1) % 3];
    const size_t *before = row[(i + 1) % 3];
    now[0] = i;
    for (size_t j = 1; j <= m; j++) {
      const int x = tolower((unsigned char)a[i - 1]);
      const int y = tolower((unsigned char)b[j - 1]);
      size_t d = above[j - 1] + (x != y);
      d = now[j - 1] + 1 < d ? now[j - 1] + 1 : d;
      d = above[j] + 1 < d ? above[j] + 1 : d;
      if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]) &&
          before[j - 2] + 1 < d)
        d = before[j - 2] + 1;
      now[j] = d;
    }
  }
  return row[n % 3][m];
}

const char *pgb_nearest(const char *word, const char *const *candidates, size_t n) {
  assert(word != NULL && (candidates != NULL || n == 0));
  const char *best = NULL;
  size_t best_distance = SIZE_MAX;
  const size_t length = strlen(word);
  if (length > WORD)
    return NULL;
  for (size_t i = 0; i < n; i++) {
    const size_t other = strlen(candidates[i]);
    const size_t longer = other > length ? other : length;
    if (other > WORD)
      continue;
    const size_t d = edit_distance(word, candidates[i]);
    if (d <= (longer + 2) / 3 && d < longer && d < best_distance) {
      best = candidates[i];
      best_distance = d;
    }
  }
  return best;
}

pgb_status pgb_unknown(const pgb_yaml *node, int at_key, const char *what, const char *word,
                       const char *const *candidates, size_t n) {
  char list[LIST_TEXT] = "none";
  size_t used = 0;
  for (size_t i = 0; i < n && used < sizeof list; i++)
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", candidates[i]);
  const char *near = pgb_nearest(word, candidates, n);
  char text[PGB_TEXT];
  (void)snprintf(text, sizeof text, "unknown %s '%.60s': %s%s%s; valid: %s", what, word,
                 near != NULL ? "did you mean '" : "no such name", near != NULL ? near : "",
                 near != NULL ? "'?" : "", list);
  return node != NULL ? pgb_yaml_fail(node, at_key, "%s", text) : pgb_fail(PGB_USAGE, "%s", text);
}

/* "in [0, 1]", "at least 1", "above 0". */
static void range_text(double low, double high, char out[WORD + PGB_REAL_TEXT]) {
  char from[PGB_REAL_TEXT];
  char to[PGB_REAL_TEXT];
  pgb_real_text(low, from);
  pgb_real_text(high, to);
  const bool positive = low > 0 && low <= DBL_MIN;
  const bool open = isinf(high) || high >= DBL_MAX;
  if (positive && open)
    (void)snprintf(out, WORD + PGB_REAL_TEXT, "above 0");
  else if (positive)
    (void)snprintf(out, WORD + PGB_REAL_TEXT, "above 0 and at most %s", to);
  else if (open)
    (void)snprintf(out, WORD + PGB_REAL_TEXT, "%s%s", isinf(low) || low <= -DBL_MAX ? "finite" : "at least ",
                   isinf(low) || low <= -DBL_MAX ? "" : from);
  else
    (void)snprintf(out, WORD + PGB_REAL_TEXT, "in [%s, %s]", from, to);
}

static pgb_status fail_range(const pgb_yaml *node, const char *name, double low, double high) {
  char range[WORD + PGB_REAL_TEXT];
  range_text(low, high, range);
  return pgb_yaml_fail(node, 0, "%s: %.40s is out of range; give a number %s", name, node->text, range);
}

/* A scalar that may be a number or a word, else the reason why not. */
static pgb_status need_scalar(const pgb_yaml *node, const char *name, const char *kind) {
  if (node->kind != PGB_YAML_SCALAR)
    return pgb_yaml_fail(node, 0, "%s: %s stands here; give %s", name, pgb_yaml_kind_name(node->kind), kind);
  if (node->text[0] == '\0')
    return pgb_yaml_fail(node, 0, "%s: the value is missing; give %s", name, kind);
  return pgb_ok();
}

static pgb_status need_plain(const pgb_yaml *node, const char *name, const char *kind) {
  PGB_TRY(need_scalar(node, name, kind));
  if (node->quoted)
    return pgb_yaml_fail(node, 0, "%s: \"%.40s\" is text because of its quotes; give %s without them", name,
                         node->text, kind);
  return pgb_ok();
}

static pgb_status read_real(const pgb_yaml *node, const char *name, double low, double high, double *out) {
  PGB_TRY(need_plain(node, name, "a number"));
  if (!pgb_parse_real(node->text, out))
    return pgb_yaml_fail(node, 0, "%s: '%.40s' is not a number; write one like 0.5 or 1e-3", name,
                         node->text);
  return *out >= low && *out <= high ? pgb_ok() : fail_range(node, name, low, high);
}

static pgb_status read_int(const pgb_yaml *node, const pgb_option *o, int64_t *out) {
  PGB_TRY(need_plain(node, o->name, "a whole number"));
  double real = 0;
  if (!pgb_parse_int(node->text, out)) {
    if (pgb_parse_real(node->text, &real) && (real < o->low || real > o->high))
      return fail_range(node, o->name, o->low, o->high);
    return pgb_yaml_fail(node, 0, "%s: '%.40s' is not a whole number; write it in digits", o->name,
                         node->text);
  }
  return (double)*out >= o->low && (double)*out <= o->high ? pgb_ok()
                                                           : fail_range(node, o->name, o->low, o->high);
}

static pgb_status read_bool(const pgb_yaml *node, const char *name, bool *out) {
  PGB_TRY(need_plain(node, name, "true or false"));
  *out = strcmp(node->text, "true") == 0;
  if (!*out && strcmp(node->text, "false") != 0)
    return pgb_yaml_fail(node, 0, "%s: '%.40s' is neither true nor false; write one of them", name,
                         node->text);
  return pgb_ok();
}

bool pgb_is_word(const char *word, const char *words) {
  const size_t length = strlen(word);
  while (words != NULL && *words != '\0') {
    const size_t n = strcspn(words, "|");
    if (n == length && strncmp(word, words, n) == 0)
      return true;
    words += n + (words[n] == '|');
  }
  return false;
}

size_t pgb_cut_words(char *text, const char **words, size_t most) {
  size_t n = 0;
  for (char *at = text; at != NULL && *at != '\0' && n < most; n++) {
    words[n] = at;
    at += strcspn(at, "|");
    if (*at == '|')
      *at++ = '\0';
  }
  return n;
}

/* The same of a text that must stay whole. */
static size_t split_words(const char *text, char *copy, size_t size, const char **words, size_t most) {
  (void)snprintf(copy, size, "%s", text != NULL ? text : "");
  return pgb_cut_words(copy, words, most);
}

static pgb_status read_choice(const pgb_yaml *node, const pgb_option *o, pgb_arena *arena, const char **out) {
  char copy[LIST_TEXT];
  const char *words[WORD];
  const size_t n = split_words(o->choices, copy, sizeof copy, words, WORD);
  PGB_TRY(need_scalar(node, o->name, "one of its words"));
  for (size_t i = 0; i < n; i++) {
    if (strcmp(words[i], node->text) == 0) {
      char *text = NULL;
      PGB_TRY(pgb_arena_text(arena, words[i], &text));
      *out = text;
      return pgb_ok();
    }
  }
  return pgb_unknown(node, 0, o->name, node->text, words, n);
}

static pgb_status read_text(const pgb_yaml *node, const char *name, pgb_arena *arena, const char **out) {
  char *text = NULL;
  PGB_TRY(need_scalar(node, name, "a word"));
  PGB_TRY(pgb_arena_text(arena, node->text, &text));
  *out = text;
  return pgb_ok();
}

/* Numbers below a node; checks that all lists of one level are of one length. */
static pgb_status fill(const pgb_yaml *node, const char *name, double low, double high, size_t level,
                       pgb_array *a, double **next) {
  if (level == a->rank)
    return read_real(node, name, low, high, (*next)++);
  assert(level < PGB_MAX_RANK);
  if (node->kind != PGB_YAML_LIST)
    return pgb_yaml_fail(node, 0, "%s: %s stands where a list of %zu is due; give lists of one length", name,
                         pgb_yaml_kind_name(node->kind), a->dim[level]);
  size_t n = 0;
  for (const pgb_yaml *c = node->first; c != NULL; c = c->next)
    n++;
  if (n != a->dim[level])
    return pgb_yaml_fail(
        node, 0, "%s: ragged: this list has %zu values, the first one of its level %zu; give equal lengths",
        name, n, a->dim[level]);
  for (const pgb_yaml *c = node->first; c != NULL; c = c->next)
    PGB_TRY(fill(c, name, low, high, level + 1, a, next));
  return pgb_ok();
}

/* Numbers below a node, for the allocation: a ragged list is met before more than these are written. */
static size_t count_scalars(const pgb_yaml *node) {
  if (node->kind == PGB_YAML_SCALAR)
    return 1;
  size_t n = 0;
  for (const pgb_yaml *c = node->first; c != NULL; c = c->next)
    n += count_scalars(c);
  return n;
}

pgb_status pgb_array_read(const pgb_yaml *node, const char *name, double low, double high, pgb_arena *arena,
                          pgb_array *out) {
  assert(node != NULL && name != NULL && arena != NULL && out != NULL);
  *out = (pgb_array){.size = 1};
  const pgb_yaml *at = node;
  for (; at != NULL && at->kind == PGB_YAML_LIST; at = at->first) {
    if (out->rank == PGB_MAX_RANK)
      return pgb_yaml_fail(at, 0, "%s: lists nested deeper than %d; give fewer brackets", name, PGB_MAX_RANK);
    size_t n = 0;
    for (const pgb_yaml *c = at->first; c != NULL; c = c->next)
      n++;
    if (n == 0)
      return pgb_yaml_fail(at, 0, "%s: the list is empty; give a number or more", name);
    out->dim[out->rank++] = n;
  }
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(arena, count_scalars(node) + 1, sizeof(double), &memory));
  double *next = memory;
  PGB_TRY(fill(node, name, low, high, 0, out, &next));
  out->data = memory;
  out->size = (size_t)(next - out->data);
  return pgb_ok();
}

pgb_status pgb_option_read(const pgb_option *o, const pgb_yaml *node, pgb_arena *arena, void *params) {
  assert(o != NULL && node != NULL && arena != NULL && params != NULL);
  char *field = (char *)params + o->at;
  switch (o->type) {
  case PGB_TYPE_BOOL:
    return read_bool(node, o->name, (bool *)(void *)field);
  case PGB_TYPE_INT:
    return read_int(node, o, (int64_t *)(void *)field);
  case PGB_TYPE_REAL:
    return read_real(node, o->name, o->low, o->high, (double *)(void *)field);
  case PGB_TYPE_CHOICE:
    return read_choice(node, o, arena, (const char **)(void *)field);
  case PGB_TYPE_TEXT:
    return read_text(node, o->name, arena, (const char **)(void *)field);
  case PGB_TYPE_ARRAY:
    return pgb_array_read(node, o->name, o->low, o->high, arena, (pgb_array *)(void *)field);
  }
  assert(false && "an option of no known type");
  return pgb_ok();
}

static pgb_status check_keys(const pgb_option *table, size_t n, const pgb_yaml *map, const char *others) {
  char copy[LIST_TEXT];
  const char *names[2 * WORD];
  if (map->kind != PGB_YAML_MAP)
    return pgb_yaml_fail(map, 0, "%s stands where keys with values are due; write {key: value}",
                         pgb_yaml_kind_name(map->kind));
  assert(n <= WORD);
  for (size_t i = 0; i < n; i++)
    names[i] = table[i].name;
  const size_t all = n + split_words(others, copy, sizeof copy, names + n, WORD);
  for (const pgb_yaml *c = map->first; c != NULL; c = c->next) {
    size_t i = 0;
    while (i < all && strcmp(names[i], c->key) != 0)
      i++;
    if (i == all)
      return pgb_unknown(c, 1, "key", c->key, names, all);
  }
  return pgb_ok();
}

pgb_status pgb_options_read(const pgb_option *table, size_t n, const pgb_yaml *map, const char *others,
                            pgb_arena *arena, void *params) {
  assert((table != NULL || n == 0) && (params != NULL || n == 0) && arena != NULL);
  if (map != NULL)
    PGB_TRY(check_keys(table, n, map, others));
  for (size_t i = 0; i < n; i++) {
    const pgb_option *o = &table[i];
    const pgb_yaml *node = map != NULL ? pgb_yaml_get(map, o->name) : NULL;
    pgb_yaml *fallback = NULL;
    if (node == NULL && o->fallback != NULL) {
      PGB_TRY(pgb_yaml_read_text(o->fallback, o->name, arena, &fallback));
      node = fallback;
    }
    if (node != NULL)
      PGB_TRY(pgb_option_read(o, node, arena, params));
    else if (o->type != PGB_TYPE_ARRAY && map != NULL)
      return pgb_yaml_fail(map, 0, "missing key '%s': it has no default; add it: %s", o->name, o->help);
    else if (o->type != PGB_TYPE_ARRAY)
      return pgb_fail(PGB_USAGE, "missing key '%s': it has no default; add it: %s", o->name, o->help);
  }
  return pgb_ok();
}

/* An array as nested flow lists: before value i open a bracket for every level that begins there. */
static pgb_status array_text(const pgb_array *a, pgb_arena *arena, char **out) {
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(arena, a->size * (PGB_REAL_TEXT + 2 * PGB_MAX_RANK) + 1, 1, &memory));
  char *at = memory;
  *out = memory;
  for (size_t i = 0; i < a->size; i++) {
    size_t span[PGB_MAX_RANK] = {0}; /* values below one list of each level */
    size_t below = 1;
    for (size_t level = a->rank; level-- > 0;)
      span[level] = below *= a->dim[level];
    if (i > 0) {
      memcpy(at, ", ", 2);
      at += 2;
    }
    for (size_t level = 0; level < a->rank; level++)
      if (i % span[level] == 0)
        *at++ = '[';
    pgb_real_text(a->data[i], at);
    at += strlen(at);
    for (size_t level = 0; level < a->rank; level++)
      if ((i + 1) % span[level] == 0)
        *at++ = ']';
  }
  return pgb_ok();
}

pgb_status pgb_option_text(const pgb_option *option, const void *params, pgb_arena *arena, char **out) {
  assert(option != NULL && params != NULL && arena != NULL && out != NULL);
  const char *field = (const char *)params + option->at;
  char number[PGB_REAL_TEXT];
  switch (option->type) {
  case PGB_TYPE_BOOL:
    return pgb_arena_text(arena, *(const bool *)(const void *)field ? "true" : "false", out);
  case PGB_TYPE_INT:
    return pgb_arena_printf(arena, out, "%" PRId64, *(const int64_t *)(const void *)field);
  case PGB_TYPE_REAL:
    pgb_real_text(*(const double *)(const void *)field, number);
    return pgb_arena_text(arena, number, out);
  case PGB_TYPE_CHOICE:
  case PGB_TYPE_TEXT:
    return pgb_arena_text(arena, *(const char *const *)(const void *)field, out);
  case PGB_TYPE_ARRAY:
    return array_text((const pgb_array *)(const void *)field, arena, out);
  }
  assert(false && "an option of no known type");
  return pgb_ok();
}
