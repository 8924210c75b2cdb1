/* SPDX-License-Identifier: MIT */
/* pgbench(1) in the macros of man(7). */
#include "cli/cli.h"
#include "cli/manual.h"

#include <ctype.h>
#include <string.h>

const char *const pgb_kinds[PGB_KINDS] = {"env", "policy", "estimator", "baseline", "study"};

#define NAME_AT(table)                                                                                       \
  for (size_t k = 0; (table)[k] != NULL; k++)                                                                \
    if (k == i) {                                                                                            \
      *title = (table)[k]->title;                                                                            \
      return (table)[k]->name;                                                                               \
    }

const char *pgb_kind_name(size_t kind, size_t i, const char **title) {
  switch (kind) {
  case 0:
    NAME_AT(pgb_env_table(PGB_ISA_NONE));
    break;
  case 1:
    NAME_AT(pgb_policy_table(PGB_ISA_NONE));
    break;
  case 2:
    NAME_AT(pgb_estimator_table(PGB_ISA_NONE));
    break;
  case 3:
    NAME_AT(pgb_baseline_table);
    break;
  default:
    for (const pgb_named_study *s = pgb_named_studies; s->name != NULL; s++)
      if (s - pgb_named_studies == (ptrdiff_t)i) {
        *title = s->title;
        return s->name;
      }
  }
  return NULL;
}

/* Text that man(7) shows as it stands: no hyphens for minus signs, no escapes, no requests. */
static void text(FILE *out, const char *words) {
  for (const char *c = words; *c != '\0'; c++)
    if (*c == '\\')
      (void)fputs("\\e", out);
    else if (*c == '-')
      (void)fputs("\\-", out);
    else if (*c == '\'' || *c == '`')
      (void)fputs(*c == '\'' ? "\\(aq" : "\\(ga", out);
    else if (*c == '~' || *c == '^')
      (void)fputs(*c == '~' ? "\\(ti" : "\\(ha", out);
    else if (*c == '.' && (c == words || c[-1] == '\n'))
      (void)fputs("\\&.", out);
    else
      (void)fputc(*c, out);
}

static void heading(FILE *out, const char *name) {
  (void)fprintf(out, ".SH %s\n", name);
}

static void paragraph(FILE *out, const char *words) {
  (void)fputs(".PP\n", out);
  text(out, words);
  (void)fputc('\n', out);
}

static void section(FILE *out, const char *name, const char *words) {
  heading(out, name);
  text(out, words);
  (void)fputc('\n', out);
}

/* One entry of a list: a bold word, its operand in italics, what it does. */
static void entry(FILE *out, const char *before, const char *name, const char *operand, const char *help) {
  (void)fprintf(out, ".TP\n\\fB");
  text(out, before);
  text(out, name);
  (void)fputs("\\fR", out);
  if (operand != NULL) {
    (void)fputs(" \\fI", out);
    text(out, operand);
    (void)fputs("\\fR", out);
  }
  (void)fputc('\n', out);
  text(out, help);
  (void)fputc('\n', out);
}

static void example(FILE *out, const char *command, const char *what) {
  (void)fputs(".TP\n\\fB", out);
  text(out, command);
  (void)fputs("\\fR\n", out);
  text(out, what);
  (void)fputc('\n', out);
}

static void options(FILE *out) {
  heading(out, "OPTIONS");
  for (const pgb_flag *f = pgb_flags; f->name != NULL; f++) {
    char before[16] = "--";
    if (f->id < 256)
      (void)snprintf(before, sizeof before, "-%c, --", f->id);
    entry(out, before, f->name, f->value, f->help);
  }
}

static void names(FILE *out) {
  static const char *const headings[PGB_KINDS] = {"ENVIRONMENTS", "POLICIES", "ESTIMATORS", "BASELINES",
                                                  "NAMED STUDIES"};
  for (size_t kind = 0; kind < PGB_KINDS; kind++) {
    const char *title = NULL;
    const char *name = NULL;
    heading(out, headings[kind]);
    for (size_t i = 0; (name = pgb_kind_name(kind, i, &title)) != NULL; i++)
      entry(out, "", name, NULL, title);
  }
  paragraph(out, "`pgbench describe NAME` tells the options of any of these, its formula, bias and source.");
}

static void closing(FILE *out) {
  section(out, "PLUGINS",
          "--plugin loads environments out of a shared object: a C file with the pgb_env_class that the "
          "built-in ones have, ending in PGB_PLUGIN(&class) of the header env/plugin.h. Every rank loads it, "
          "checks its version, its tables and some hundred steps, and refuses it with the reason if anything "
          "is wrong. It runs inside the program: one that crashes ends the job.");
  (void)fputs(".PP\n.nf\n", out);
  text(out, "cc -O3 -shared -fPIC $(pkg-config --cflags pgbench) myenv.c -o myenv.so\n"
            "pgbench --plugin ./myenv.so --env myenv\n");
  (void)fputs(".fi\n", out);
  heading(out, "EXIT STATUS");
  entry(out, "", "0", NULL, "done and VALID, or nothing to judge");
  entry(out, "", "1", NULL, "the machine failed: disk, memory, MPI");
  entry(out, "", "2", NULL, "bad usage, study file, plugin or other input");
  entry(out, "", "3", NULL, "INVALID: the measurement contradicts the exact value");
  entry(out, "", "75", NULL, "stopped early, resumable");
  heading(out, "EXAMPLES");
  example(out, "mpirun -n 64 pgbench",
          "the default study on 64 ranks; the figures are those of any other number");
  example(out, "pgbench --env cartpole --batch 1,64", "one environment, two batch sizes");
  example(out, "pgbench --dry-run --study my.yaml", "what a study would take, and the study in full");
  section(
      out, "NOTES",
      "PostgreSQL has a program and a manual page of the same name, in the same section. Which program "
      "answers is a matter of PATH; `pgbench --version` tells. man(1) follows PATH: with PREFIX/bin before "
      "the other's folder it shows this page, else `man -M PREFIX/share/man pgbench` does.");
  heading(out, "SEE ALSO");
  (void)fputs(".BR pgbench\\-report (1),\n.BR mpirun (1)\n", out);
}

void pgb_print_man_page(FILE *out, const char *date, const char *version) {
  (void)fprintf(
      out, ".\\\" SPDX-License-Identifier: MIT\n.\\\" Made by pgbench_manual from the program's tables.\n");
  (void)fprintf(out, ".TH PGBENCH 1 \"%s\" \"pgbench %s\" \"Policy\\-gradient benchmark\"\n", date, version);
  heading(out, "NAME");
  (void)fputs("pgbench \\- policy\\-gradient variance, measured beside its exact value\n", out);
  heading(out, "SYNOPSIS");
  for (const pgb_command *c = pgb_commands; c->name != NULL; c++) {
    const bool implied = c == pgb_commands; /* the first is what runs without a command */
    (void)fprintf(out, "%s.B pgbench\n%s", c == pgb_commands ? "" : ".br\n",
                  implied ? "[\\fBvariance\\fR]\n" : "");
    if (!implied)
      (void)fprintf(out, ".B %s\n", c->name);
    if (c->operand != NULL) {
      (void)fputs(".RI ", out);
      text(out, c->operand);
      (void)fputc('\n', out);
    }
    (void)fputs(".RI [ options ]\n", out);
  }
  section(out, "DESCRIPTION",
          "Measures how much the estimate of a policy gradient varies, with and without baselines, on "
          "problems whose exact gradient and variance are known where theory knows them, and says VALID "
          "or INVALID. Runs on any number of MPI ranks with the same figures, bit for bit.");
  heading(out, "COMMANDS");
  for (const pgb_command *c = pgb_commands; c->name != NULL; c++)
    entry(out, "", c->name, c->operand, c->help);
  options(out);
  names(out);
  closing(out);
}
