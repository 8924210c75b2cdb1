/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "core/option.h"

#include <string.h>

static void line(const char *name, const char *text) {
  if (text != NULL && text[0] != '\0')
    (void)printf("  %-9s %s\n", name, text);
}

static void options(const pgb_option *table, size_t n) {
  if (n > 0)
    (void)printf("  options\n");
  for (size_t i = 0; i < n; i++) {
    const pgb_option *o = &table[i];
    (void)printf("    %-12s %s\n", o->name, o->help);
    (void)printf("    %-12s unit %s, ", "", o->unit);
    if (o->type == PGB_TYPE_CHOICE)
      (void)printf("one of %s, ", o->choices);
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

static bool describe_env(pgb_isa isa, const char *name) {
  const pgb_env_class *c = pgb_env_find(isa, name);
  if (c == NULL)
    return false;
  (void)printf("env %s\n", c->name);
  line("what", c->title);
  line("source", c->source);
  line("end", c->limit_truncates ? "the time limit is a truncation" : "the horizon is the problem's own end");
  fields(c);
  options(c->options, c->n_options);
  return true;
}

static bool describe_policy(pgb_isa isa, const char *name) {
  const pgb_policy_class *c = pgb_policy_find(isa, name);
  if (c == NULL)
    return false;
  (void)printf("policy %s\n", c->name);
  line("what", c->title);
  line("formula", c->formula);
  line("source", c->source);
  options(c->options, c->n_options);
  if (c->n_options == 0)
    (void)printf("  options\n");
  (void)printf("    %-12s parameters: a list in the order of the labels, zero, random:SCALE or FILE.h5\n",
               "theta");
  (void)printf("    %-12s unit 1, default zero\n", "");
  return true;
}

static bool describe_estimator(pgb_isa isa, const char *name) {
  const pgb_estimator_class *c = pgb_estimator_find(isa, name);
  if (c == NULL)
    return false;
  (void)printf("estimator %s\n", c->name);
  line("what", c->title);
  line("formula", c->formula);
  line("bias", c->bias);
  line("source", c->source);
  options(c->options, c->n_options);
  return true;
}

static bool describe_baseline(pgb_isa isa, const char *name) {
  (void)isa;
  const pgb_baseline_class *c = pgb_baseline_find(name);
  if (c == NULL)
    return false;
  (void)printf("baseline %s\n", c->name);
  line("what", c->title);
  line("formula", c->formula);
  line("bias", c->bias);
  line("source", c->source);
  line("aliases", c->aliases);
  (void)printf("  %-9s at least %zu episode%s\n", "batch", c->min_batch, c->min_batch == 1 ? "" : "s");
  return true;
}

static bool describe_study(pgb_isa isa, const char *name) {
  (void)isa;
  for (const pgb_named_study *s = pgb_named_studies; s->name != NULL; s++)
    if (strcmp(s->name, name) == 0) {
      (void)printf("study %s: %s\n%s", s->name, s->title, s->text);
      return true;
    }
  return false;
}

/* All names that describe takes; how many. */
static size_t all_names(pgb_isa isa, const char **names, size_t room) {
  size_t n = 0;
  for (const pgb_env_class *const *c = pgb_env_table(isa); *c != NULL && n < room; c++)
    names[n++] = (*c)->name;
  for (const pgb_policy_class *const *c = pgb_policy_table(isa); *c != NULL && n < room; c++)
    names[n++] = (*c)->name;
  for (const pgb_estimator_class *const *c = pgb_estimator_table(isa); *c != NULL && n < room; c++)
    names[n++] = (*c)->name;
  for (const pgb_baseline_class *const *c = pgb_baseline_table; *c != NULL && n < room; c++)
    names[n++] = (*c)->name;
  for (const pgb_named_study *s = pgb_named_studies; s->name != NULL && n < room; s++)
    names[n++] = s->name;
  return n;
}

pgb_status pgb_cmd_describe(const pgb_arguments *a, pgb_comm *comm, int argc, char **argv) {
  static bool (*const kinds[])(pgb_isa, const char *) = {describe_env, describe_policy, describe_estimator,
                                                         describe_baseline, describe_study};
  (void)argc;
  (void)argv;
  if (a->word == NULL)
    return pgb_fail(PGB_USAGE, "describe: needs a name; `pgbench list` has them");
  const char *names[128];
  const size_t n = all_names(a->request.isa, names, sizeof names / sizeof *names);
  bool found = pgb_baseline_find(a->word) != NULL;
  for (size_t i = 0; i < n; i++)
    found = found || strcmp(names[i], a->word) == 0;
  if (!found) {
    const char *near = pgb_nearest(a->word, names, n);
    return pgb_fail(PGB_USAGE, "describe %s: no such name; %s%s%s", a->word,
                    near != NULL ? "did you mean " : "", near != NULL ? near : "`pgbench list` has them",
                    near != NULL ? "?" : "");
  }
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds && pgb_comm_rank(comm) == 0; i++)
    (void)kinds[i](a->request.isa, a->word);
  return pgb_ok();
}
