/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "core/option.h"

#include <string.h>

static void line(const char *name, const char *text) {
  if (text != NULL && text[0] != '\0')
    (void)printf("  %-9s %s\n", name, text);
}

/* "a|b" as "a, b". */
static void words(const char *name, const char *list) {
  if (list == NULL)
    return;
  (void)printf("  %-9s ", name);
  for (const char *at = list; *at != '\0'; at += strspn(at, "|")) {
    const size_t n = strcspn(at, "|");
    (void)printf("%s%.*s", at == list ? "" : ", ", (int)n, at);
    at += n;
  }
  (void)printf("\n");
}

static void options(const pgb_option *table, size_t n) {
  if (n > 0)
    (void)printf("  options\n");
  for (size_t i = 0; i < n; i++) {
    const pgb_option *o = &table[i];
    (void)printf("    %-13s %s\n", o->name, o->help);
    (void)printf("    %-13s unit %s, ", "", o->unit);
    if (o->type == PGB_TYPE_CHOICE)
      (void)printf("one of %s, ", o->choices);
    else if (o->type == PGB_TYPE_TEXT)
      (void)printf("text, ");
    else if (o->type == PGB_TYPE_BOOL)
      (void)printf("true or false, ");
    else
      (void)printf("%s %g to %g, ",
                   o->type == PGB_TYPE_INT    ? "integer"
                   : o->type == PGB_TYPE_REAL ? "number"
                                              : "numbers",
                   o->low, o->high);
    (void)printf("default %s\n", o->fallback != NULL ? o->fallback : "none");
  }
}

static void fields(const pgb_env_class *c) {
  if (c->n_obs_fields > 0)
    (void)printf("  observation\n");
  for (size_t i = 0; i < c->n_obs_fields; i++)
    (void)printf("    %-24s %s\n", c->obs_fields[i].name, c->obs_fields[i].unit);
}

static bool describe_env(const pgb_request *r, const char *name) {
  const pgb_env_class *c = pgb_env_find(r->isa, name);
  const char *origin = "";
  for (size_t i = 0; i < r->n_extra && c == NULL; i++)
    if (strcmp(r->extra[i].class_->name, name) == 0) {
      c = r->extra[i].class_;
      origin = r->extra[i].origin;
    }
  if (c == NULL)
    return false;
  (void)printf("env %s\n", c->name);
  line("what", c->title);
  line("source", c->source);
  line("origin", origin);
  line("end", c->limit_truncates ? "the time limit is a truncation" : "the horizon is the problem's own end");
  fields(c);
  options(c->options, c->n_options);
  return true;
}

static bool describe_policy(const pgb_request *r, const char *name) {
  const pgb_policy_class *c = pgb_policy_find(r->isa, name);
  if (c == NULL)
    return false;
  (void)printf("policy %s\n", c->name);
  line("what", c->title);
  line("formula", c->formula);
  line("source", c->source);
  options(c->options, c->n_options);
  if (c->n_options == 0)
    (void)printf("  options\n");
  (void)printf("    %-13s parameters: a list in the order of the labels, zero, random:SCALE or FILE.h5\n",
               "theta");
  if (c->start != NULL)
    (void)printf(
        "    %-13s unit 1, default orthogonal weights from the seed, to which random:SCALE adds; zero leaves "
        "nothing\n    %-13s but the last biases a gradient\n",
        "", "");
  else
    (void)printf("    %-13s unit 1, default zero\n", "");
  return true;
}

static bool describe_estimator(const pgb_request *r, const char *name) {
  const pgb_estimator_class *c = pgb_estimator_find(r->isa, name);
  if (c == NULL)
    return false;
  (void)printf("estimator %s\n", c->name);
  line("what", c->title);
  line("formula", c->formula);
  line("bias", c->bias);
  line("source", c->source);
  words("aliases", c->aliases);
  options(c->options, c->n_options);
  return true;
}

static bool describe_baseline(const pgb_request *r, const char *name) {
  (void)r;
  const pgb_baseline_class *c = pgb_baseline_find(name);
  if (c == NULL)
    return false;
  (void)printf("baseline %s\n", c->name);
  line("what", c->title);
  line("formula", c->formula);
  line("bias", c->bias);
  line("source", c->source);
  words("aliases", c->aliases);
  (void)printf("  %-9s at least %zu episode%s\n", "batch", c->min_batch, c->min_batch == 1 ? "" : "s");
  return true;
}

static bool describe_study(const pgb_request *r, const char *name) {
  (void)r;
  for (const pgb_named_study *s = pgb_named_studies; s->name != NULL; s++)
    if (strcmp(s->name, name) == 0) {
      (void)printf("study %s: %s\n%s", s->name, s->title, s->text);
      return true;
    }
  return false;
}

/* All names that describe takes. Aliases are cut out of copies. */
typedef struct all_names {
  const char *name[256];
  char copy[1024];
  size_t n, used;
} all_names;

enum { MAX_NAMES = sizeof((all_names *)0)->name / sizeof *((all_names *)0)->name };

static void add(all_names *a, const char *name, const char *aliases) {
  if (a->n < MAX_NAMES)
    a->name[a->n++] = name;
  const size_t size = aliases != NULL ? strlen(aliases) + 1 : 0;
  if (size == 0 || size > sizeof a->copy - a->used)
    return;
  memcpy(a->copy + a->used, aliases, size);
  a->n += pgb_cut_words(a->copy + a->used, a->name + a->n, MAX_NAMES - a->n);
  a->used += size;
}

static void add_all(const pgb_request *r, all_names *a) {
  for (const pgb_env_class *const *c = pgb_env_table(r->isa); *c != NULL; c++)
    add(a, (*c)->name, NULL);
  for (size_t i = 0; i < r->n_extra; i++)
    add(a, r->extra[i].class_->name, NULL);
  for (const pgb_policy_class *const *c = pgb_policy_table(r->isa); *c != NULL; c++)
    add(a, (*c)->name, NULL);
  for (const pgb_estimator_class *const *c = pgb_estimator_table(r->isa); *c != NULL; c++)
    add(a, (*c)->name, (*c)->aliases);
  for (const pgb_baseline_class *const *c = pgb_baseline_table; *c != NULL; c++)
    add(a, (*c)->name, (*c)->aliases);
  for (const pgb_named_study *s = pgb_named_studies; s->name != NULL; s++)
    add(a, s->name, NULL);
}

pgb_status pgb_cmd_describe(const pgb_arguments *a, pgb_comm *comm, int argc, char **argv) {
  static bool (*const kinds[])(const pgb_request *, const char *) = {
      describe_env, describe_policy, describe_estimator, describe_baseline, describe_study};
  (void)argc;
  (void)argv;
  if (a->word == NULL)
    return pgb_fail(PGB_USAGE, "describe: needs a name; `pgbench list` has them");
  all_names all = {.n = 0, .used = 0};
  add_all(&a->request, &all);
  bool found = false;
  for (size_t i = 0; i < all.n; i++)
    found = found || strcmp(all.name[i], a->word) == 0;
  if (!found) {
    const char *near = pgb_nearest(a->word, all.name, all.n);
    return pgb_fail(PGB_USAGE, "describe %.60s: no such name; %s%s%s", a->word,
                    near != NULL ? "did you mean " : "", near != NULL ? near : "`pgbench list` has them",
                    near != NULL ? "?" : "");
  }
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds && pgb_comm_rank(comm) == 0; i++)
    (void)kinds[i](&a->request, a->word);
  return pgb_ok();
}
