/* SPDX-License-Identifier: MIT */
/* What an environment says of itself: names, texts, options. */
#include "env/plugins.h"

#include <assert.h>
#include <string.h>

enum { MAX_NAME = 32, MAX_OPTIONS = 64, MAX_PARAMS = 1 << 20 };

static const char name_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
static const char key_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

static bool is_empty(const char *text) {
  return text == NULL || text[strspn(text, " ")] == '\0';
}

static bool is_word(const char *text, const char *letters) {
  const size_t n = text != NULL ? strspn(text, letters) : 0;
  return n > 0 && n <= MAX_NAME && text[n] == '\0' && strchr("0123456789_-", text[0]) == NULL;
}

static pgb_status check_class(const pgb_env_class *c) {
  const struct {
    bool missing;
    const char *name;
  } fields[] = {{is_empty(c->title), "title"},
                {is_empty(c->source), "source"},
                {c->prepare == NULL, "prepare"},
                {c->reset == NULL, "reset"},
                {c->step == NULL, "step"},
                {c->n_options > 0 && c->options == NULL, "options"},
                {c->n_obs_fields > 0 && c->obs_fields == NULL, "obs_fields"}};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    if (fields[i].missing)
      return pgb_fail(PGB_USAGE, "%s is empty; every environment has one", fields[i].name);
  if (c->policy_gain != 1 && c->policy_gain != -1)
    return pgb_fail(PGB_USAGE, "policy_gain is %g; give 1, or -1 where a linear policy is u = -K x",
                    c->policy_gain);
  if (c->n_options > MAX_OPTIONS || c->params_size > MAX_PARAMS)
    return pgb_fail(PGB_USAGE, "%zu options in params of %zu bytes; keep to %d in %d", c->n_options,
                    c->params_size, (int)MAX_OPTIONS, (int)MAX_PARAMS);
  return pgb_ok();
}

/* Size of an option's field in params, 0 for no known type; every type is aligned to at most 8 bytes. */
static size_t size_of(pgb_type type, size_t *alignment) {
  *alignment = _Alignof(double);
  switch (type) {
  case PGB_TYPE_BOOL:
    *alignment = 1;
    return sizeof(bool);
  case PGB_TYPE_INT:
    return sizeof(int64_t);
  case PGB_TYPE_REAL:
    return sizeof(double);
  case PGB_TYPE_CHOICE:
  case PGB_TYPE_TEXT:
    *alignment = _Alignof(char *);
    return sizeof(char *);
  case PGB_TYPE_ARRAY:
    *alignment = _Alignof(pgb_array);
    return sizeof(pgb_array);
  }
  return 0;
}

/* Why one option is not well-formed, or NULL. */
static const char *option_fault(const pgb_option *o, size_t params_size) {
  size_t alignment = 1;
  const size_t size = size_of(o->type, &alignment);
  const bool ranged = o->type == PGB_TYPE_INT || o->type == PGB_TYPE_REAL || o->type == PGB_TYPE_ARRAY;
  if (strcmp(o->name, "name") == 0)
    return "is the key that names the environment; call it something else";
  if (is_empty(o->unit) || is_empty(o->help))
    return "has no unit or no help; give both (unit \"1\" where there is none)";
  if (size == 0)
    return "has a type that is none of pgb_type; use one of them";
  if (o->at > params_size || size > params_size - o->at || o->at % alignment != 0)
    return "lies outside params or is not aligned there; give offsetof of a field of its type";
  if (ranged && !(o->low < o->high))
    return "has a range that is empty; low must be less than high";
  if ((o->type == PGB_TYPE_CHOICE) != (o->choices != NULL))
    return "must have choices if it is of PGB_TYPE_CHOICE, and else none";
  if (o->fallback == NULL && o->type != PGB_TYPE_ARRAY)
    return "has no default; give one, so that the environment runs by its name alone";
  return NULL;
}

static bool overlap(const pgb_option *a, const pgb_option *b) {
  size_t alignment = 0;
  return a->at < b->at + size_of(b->type, &alignment) && b->at < a->at + size_of(a->type, &alignment);
}

static pgb_status check_options(const pgb_env_class *c) {
  for (size_t i = 0; i < c->n_options; i++) {
    const pgb_option *o = &c->options[i];
    if (!is_word(o->name, key_letters))
      return pgb_fail(PGB_USAGE,
                      "option %zu: name '%.40s' is not a word of at most %d letters, digits and _; rename it",
                      i + 1, o->name != NULL ? o->name : "(NULL)", (int)MAX_NAME);
    const char *fault = option_fault(o, c->params_size);
    if (fault != NULL)
      return pgb_fail(PGB_USAGE, "option %s: %s", o->name, fault);
    for (size_t j = 0; j < i; j++) {
      if (strcmp(o->name, c->options[j].name) == 0)
        return pgb_fail(PGB_USAGE, "option %s: stands there twice; remove one", o->name);
      if (overlap(o, &c->options[j]))
        return pgb_fail(PGB_USAGE, "option %s: shares bytes of params with %s; give each its own field",
                        o->name, c->options[j].name);
    }
  }
  return pgb_ok();
}

/* The reader itself judges the defaults. */
static pgb_status check_defaults(const pgb_env_class *c) {
  pgb_arena *arena = NULL;
  void *params = NULL;
  PGB_TRY(pgb_arena_create(&arena));
  pgb_status s = pgb_arena_alloc(arena, 1, c->params_size + 1, &params);
  for (size_t i = 0; i < c->n_options && s.code == PGB_OK; i++) {
    s = pgb_options_read(&c->options[i], 1, NULL, NULL, arena, params);
    if (s.code == PGB_USAGE)
      s = pgb_fail(PGB_USAGE, "option %s: its default is refused: %.300s", c->options[i].name, s.text);
  }
  pgb_arena_destroy(arena);
  return s;
}

static pgb_status check_fields(const pgb_env_class *c) {
  for (size_t i = 0; i < c->n_obs_fields; i++) {
    const pgb_field *f = &c->obs_fields[i];
    if (is_empty(f->name) || is_empty(f->unit) || !(f->low < f->high))
      return pgb_fail(PGB_USAGE, "obs_fields[%zu]: needs a name, a unit and low < high; complete it", i);
  }
  return pgb_ok();
}

pgb_status pgb_env_check_tables(const pgb_env_class *c) {
  assert(c != NULL);
  if (!is_word(c->name, name_letters))
    return pgb_fail(PGB_USAGE,
                    "env: name '%.40s' is not a word of at most %d of a-z, 0-9, _ and -, a letter first; "
                    "rename it",
                    c->name != NULL ? c->name : "(NULL)", (int)MAX_NAME);
  pgb_status s = check_class(c);
  if (s.code == PGB_OK)
    s = check_options(c);
  if (s.code == PGB_OK)
    s = check_fields(c);
  if (s.code == PGB_OK)
    s = check_defaults(c);
  return s.code == PGB_USAGE ? pgb_fail(s.code, "env %s: %.440s", c->name, s.text) : s;
}

pgb_status pgb_env_check(const pgb_env_class *c) {
  PGB_TRY(pgb_env_check_tables(c));
  return pgb_env_check_run(c);
}
