/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "core/option.h"

#include <getopt.h>
#include <string.h>

enum {
  ID_STUDY = 256,
  ID_ENV,
  ID_POLICY,
  ID_PLUGIN,
  ID_ESTIMATOR,
  ID_BASELINE,
  ID_BATCH,
  ID_REPLICATES,
  ID_GAMMA,
  ID_SEED,
  ID_FORCE,
  ID_SAVE_GRADIENTS,
  ID_RESUME,
  ID_INTERVAL,
  ID_TIME_LIMIT,
  ID_CELL,
  ID_SIMD,
  ID_DRY_RUN,
  ID_QUIET,
  ID_PROGRESS,
  ID_FORMAT,
  ID_SCALING,
  ID_REPEATS
};

const pgb_flag pgb_flags[] = {
    {ID_STUDY, "study", "FILE|NAME", "a study file or a named study; options override it [default]"},
    {ID_ENV, "env", "NAME[:key=value,...]", "problem to measure, repeatable"},
    {ID_POLICY, "policy", "NAME[:key=value,...]", "policy, repeatable [the one that fits the problem]"},
    {ID_ESTIMATOR, "estimator", "A[:key=value],B", "list of estimators [all]"},
    {ID_BASELINE, "baseline", "A,B", "list of baselines [all that apply]"},
    {ID_BATCH, "batch", "N,N", "episodes in one gradient estimate"},
    {ID_REPLICATES, "replicates", "R", "independent batches per cell"},
    {ID_GAMMA, "gamma", "G", "discount in (0, 1]"},
    {ID_SEED, "seed", "S", "64-bit seed"},
    {'o', "output", "FILE", "result file [pgbench-<study>-<UTC time>.h5]"},
    {ID_FORCE, "force", NULL, "overwrite the result file"},
    {ID_SAVE_GRADIENTS, "save-gradients", NULL, "keep every batch gradient in the file"},
    {ID_RESUME, "resume", "FILE", "finish the interrupted run of this result file, from FILE.part"},
    {ID_INTERVAL, "checkpoint-interval", "TIME", "how much work a kill may cost: 90, 60s, 5m, 2h [60s]"},
    {ID_TIME_LIMIT, "time-limit", "TIME", "stop before so long has passed, resumable [none]"},
    {ID_CELL, "cell", "k/n",
     "only the k-th (from 1) of n shares of the cells, for job arrays; join them with `pgbench merge`"},
    {ID_SIMD, "simd", "auto|avx512|avx2|sse2|none", "instruction set of the kernels [auto]"},
    {ID_DRY_RUN, "dry-run", NULL, "print the plan with memory and work, run nothing"},
    {ID_QUIET, "quiet", NULL, "print verdict, throughput and file name alone"},
    {ID_PROGRESS, "progress", "auto|always|never", "progress line on stderr [auto: on a terminal]"},
    {ID_FORMAT, "format", "text|json|csv", "of the tables on stdout [text]"},
    {ID_PLUGIN, "plugin", "FILE.so", "load environments of your own, repeatable"},
    {ID_SCALING, "scaling", "strong|weak|both",
     "what `pgbench scaling` times: the study, or it times ranks [both]"},
    {ID_REPEATS, "repeats", "N", "runs of which `pgbench scaling` takes the median [3]"},
    {'h', "help", NULL, "this text"},
    {'V', "version", NULL, "version and how it was built"},
    {0, NULL, NULL, NULL},
};

enum { MAX_FLAGS = 64, MAX_WORD = 128 };

/* A word that is no option: suggests the nearest long one. */
static pgb_status unknown_flag(const char *word) {
  const char *names[MAX_FLAGS];
  size_t n = 0;
  for (const pgb_flag *f = pgb_flags; f->name != NULL; f++)
    names[n++] = f->name;
  char bare[MAX_WORD];
  (void)snprintf(bare, sizeof bare, "%s", word + strspn(word, "-"));
  bare[strcspn(bare, "=")] = '\0';
  const char *near = NULL;
  for (size_t i = 0; i < n; i++)
    if (strcmp(bare, names[i]) == 0)
      near = names[i]; /* written with one dash */
  if (near == NULL && bare[0] != '\0' && bare[1] != '\0')
    near = pgb_nearest(bare, names, n);
  if (near != NULL)
    return pgb_fail(PGB_USAGE, "%s: no such option; did you mean --%s? `pgbench --help` lists all", word,
                    near);
  return pgb_fail(PGB_USAGE, "%s: no such option; `pgbench --help` lists all", word);
}

/* The start of several long options, or of none. */
static pgb_status ambiguous_flag(const char *word) {
  const char *bare = word + strspn(word, "-");
  const size_t length = strcspn(bare, "=");
  char list[MAX_WORD] = "";
  size_t used = 0;
  size_t n = 0;
  for (const pgb_flag *f = pgb_flags; f->name != NULL; f++)
    if (strncmp(f->name, bare, length) == 0) {
      if (used < sizeof list)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s--%s", n > 0 ? ", " : "", f->name);
      n++;
    }
  if (n < 2 || length == 0)
    return unknown_flag(word);
  return pgb_fail(PGB_USAGE, "%.*s: could be %s; write more of it", (int)length + 2, word, list);
}

/* What getopt_long stumbled over. It has moved past a long option, and leaves the letter or the number of a
 * known option in optopt (0 for a long one that it does not know). */
static pgb_status explain_flag(int result, int argc, char **argv) {
  const char *word = argv[optind - 1 < argc ? optind - 1 : argc - 1];
  const pgb_flag *known = pgb_flags;
  while (known->name != NULL && known->id != optopt)
    known++;
  if (optopt == 0)
    return ambiguous_flag(word);
  if (known->name == NULL) { /* a letter, perhaps of a long name with one dash before it */
    for (int i = 1; i < argc && i <= optind; i++)
      if (argv[i][0] == '-' && argv[i][1] != '-' && strchr(argv[i] + 1, optopt) != NULL)
        return unknown_flag(argv[i]);
    return pgb_fail(PGB_USAGE, "-%c: no such option; `pgbench --help` lists all", optopt);
  }
  if (result == ':')
    return pgb_fail(PGB_USAGE, "--%s: its value is missing; write --%s %s", known->name, known->name,
                    known->value);
  return pgb_fail(PGB_USAGE, "%s: takes no value; write --%s alone", word, known->name);
}

/* Index of a word in "a|b|c", or PGB_USAGE. */
static pgb_status choose(const char *flag, const char *word, const char *const *choices, size_t n, int *out) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(word, choices[i]) == 0) {
      *out = (int)i;
      return pgb_ok();
    }
  char all[MAX_WORD] = "";
  size_t used = 0;
  for (size_t i = 0; i < n && used < sizeof all; i++)
    used += (size_t)snprintf(all + used, sizeof all - used, "%s%s",
                             i == 0      ? ""
                             : i + 1 < n ? ", "
                                         : " or ",
                             choices[i]);
  return pgb_fail(PGB_USAGE, "--%s %s: no such choice; use %s", flag, word, all);
}

static pgb_status append(const char *flag, const char **list, size_t *n, const char *text) {
  if (*n == PGB_MAX_REPEATS)
    return pgb_fail(PGB_USAGE, "--%s: given more than %d times; use a study file", flag, PGB_MAX_REPEATS);
  list[(*n)++] = text;
  return pgb_ok();
}

pgb_status pgb_share_read(const char *text, pgb_share *out) {
  if (!pgb_share_parse(text, out))
    return pgb_fail(
        PGB_USAGE,
        "--cell %s: is no share k/n of the cells with 1 <= k <= n; write 1/4 for the first of four", text);
  return pgb_ok();
}

static pgb_status take_choice(pgb_arguments *a, int id, const char *value) {
  static const char *const formats[] = {"text", "json", "csv"};
  static const char *const when[] = {"auto", "always", "never"};
  static const char *const modes[] = {"strong", "weak", "both"};
  int chosen = 0;
  if (id == ID_SIMD) {
    a->simd_given = strcmp(value, "auto") != 0;
    return pgb_isa_parse(value, &a->request.isa);
  }
  if (id == ID_CELL)
    return pgb_share_read(value, &a->share);
  if (id == ID_FORMAT) {
    PGB_TRY(choose("format", value, formats, 3, &chosen));
    a->format = (pgb_format)chosen;
    return pgb_ok();
  }
  if (id == ID_SCALING) {
    PGB_TRY(choose("scaling", value, modes, 3, &chosen));
    a->scaling = (pgb_scaling_mode)(chosen + 1);
    return pgb_ok();
  }
  PGB_TRY(choose("progress", value, when, 3, &chosen));
  a->progress = (pgb_progress)chosen;
  return pgb_ok();
}

static pgb_status take(pgb_arguments *a, int id, const char *value) {
  pgb_request *r = &a->request;
  switch (id) {
  case ID_STUDY:
    r->study = value;
    break;
  case ID_ENV:
    return append("env", a->env, &r->n_env, value);
  case ID_POLICY:
    return append("policy", a->policy, &r->n_policy, value);
  case ID_PLUGIN:
    return append("plugin", a->plugin, &a->n_plugin, value);
  case ID_ESTIMATOR:
    r->estimator = value;
    break;
  case ID_BASELINE:
    r->baseline = value;
    break;
  case ID_BATCH:
    r->batch = value;
    break;
  case ID_REPLICATES:
    r->replicates = value;
    break;
  case ID_GAMMA:
    r->gamma = value;
    break;
  case ID_SEED:
    r->seed = value;
    break;
  case 'o':
    a->output = value;
    break;
  case ID_FORCE:
    a->force = true;
    break;
  case ID_SAVE_GRADIENTS:
    a->save_gradients = true;
    break;
  case ID_RESUME:
    a->resume = value;
    break;
  case ID_INTERVAL:
    return pgb_duration_read("checkpoint-interval", value, &a->interval);
  case ID_TIME_LIMIT:
    return pgb_duration_read("time-limit", value, &a->time_limit);
  case ID_DRY_RUN:
    a->dry_run = true;
    break;
  case ID_QUIET:
    a->quiet = true;
    break;
  case ID_REPEATS:
    a->repeats = value;
    break;
  case 'h':
    a->help = true;
    break;
  case 'V':
    a->version = true;
    break;
  default:
    return take_choice(a, id, value);
  }
  return pgb_ok();
}

static pgb_status take_words(pgb_arguments *a, int n, char **words) {
  for (int i = 0; i < n; i++) {
    if (i == 0 && pgb_command_find(words[i]) != NULL)
      a->command = words[i];
    else if (i == 1 && pgb_command_find(a->command)->operand != NULL)
      a->word = words[i];
    else if (i > 1 && strcmp(a->command, "merge") == 0) {
      a->more = (const char *const *)words + i;
      a->n_more = (size_t)(n - i);
      break;
    } else if (i == 0) {
      const char *names[16];
      size_t count = 0;
      for (const pgb_command *c = pgb_commands; c->name != NULL; c++)
        names[count++] = c->name;
      const char *near = pgb_nearest(words[i], names, count);
      return pgb_fail(PGB_USAGE, "%s: no such command; %s%s%s", words[i],
                      near != NULL ? "did you mean " : "see ", near != NULL ? near : "`pgbench --help`",
                      near != NULL ? "?" : "");
    } else
      return pgb_fail(PGB_USAGE, "%s: one word too many for %s; see `pgbench --help`", words[i], a->command);
  }
  return pgb_ok();
}

pgb_status pgb_arguments_read(int argc, char **argv, pgb_arguments *a) {
  struct option table[MAX_FLAGS] = {{NULL, 0, NULL, 0}};
  size_t n = 0;
  for (const pgb_flag *f = pgb_flags; f->name != NULL; f++)
    table[n++] = (struct option){f->name, f->value != NULL ? required_argument : no_argument, NULL, f->id};
  memset(a, 0, sizeof *a);
  a->command = "variance";
  a->interval = 60;
  PGB_TRY(pgb_isa_parse("auto", &a->request.isa));
  a->request.env = a->env;
  a->request.policy = a->policy;
  opterr = 0;
  for (;;) {
    const int id = getopt_long(argc, argv, ":o:hV", table, NULL);
    if (id == -1)
      break;
    if (id == '?' || id == ':')
      return explain_flag(id, argc, argv);
    PGB_TRY(take(a, id, optarg));
  }
  PGB_TRY(take_words(a, argc - optind, argv + optind));
  if (strcmp(a->command, "scaling") != 0 && (a->repeats != NULL || a->scaling != 0))
    return pgb_fail(PGB_USAGE,
                    "--%s: belongs to the command scaling; write `pgbench scaling`, or leave it out",
                    a->repeats != NULL ? "repeats" : "scaling");
  return pgb_ok();
}
