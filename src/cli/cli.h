/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_CLI_CLI_H
#define PGB_CLI_CLI_H

#include "comm/comm.h"
#include "env/plugins.h"
#include "study/run.h"
#include "study/study.h"

#include <stdio.h>

typedef enum pgb_format { PGB_FORMAT_TEXT, PGB_FORMAT_JSON, PGB_FORMAT_CSV } pgb_format;
typedef enum pgb_progress { PGB_PROGRESS_AUTO, PGB_PROGRESS_ALWAYS, PGB_PROGRESS_NEVER } pgb_progress;

/* Bits: both is strong and weak. */
typedef enum pgb_scaling_mode { PGB_STRONG = 1, PGB_WEAK = 2 } pgb_scaling_mode;

enum { PGB_MAX_REPEATS = 256 };

/* The command line, as typed. Texts point into argv. */
typedef struct pgb_arguments {
  const char *command;     /* "variance" if none was given         */
  const char *word;        /* operand of list, describe and merge, or NULL */
  const char *const *more; /* [n_more] the words after it, of merge */
  size_t n_more;
  pgb_request request;
  const char *env[PGB_MAX_REPEATS], *policy[PGB_MAX_REPEATS], *plugin[PGB_MAX_REPEATS];
  size_t n_plugin;
  const pgb_plugins *plugins; /* loaded by main, NULL where none is asked for */
  const char *output;         /* NULL: named after study and time */
  const char *resume;         /* result file of an interrupted run, or NULL */
  pgb_share share;            /* of --cell; n 0: not given */
  double interval;            /* seconds between checkpoints */
  double time_limit;          /* seconds from `began` on; 0: none */
  double began;               /* pgb_clock when the program started */
  bool simd_given;            /* and not as auto */
  const char *repeats;        /* of scaling, as typed; NULL: not given */
  pgb_scaling_mode scaling;   /* of scaling; 0: not given              */
  bool force, save_gradients, dry_run, quiet, help, version;
  pgb_progress progress;
  pgb_format format;
} pgb_arguments;

/* The one table of options: parser, --help and completion read it. */
typedef struct pgb_flag {
  int id; /* short letter, or a number above 255 */
  const char *name, *value, *help;
} pgb_flag;
extern const pgb_flag pgb_flags[]; /* ends with name NULL */

typedef struct pgb_command {
  const char *name, *operand, *help;
  /* Collective. */
  pgb_status (*run)(const pgb_arguments *arguments, pgb_comm *comm, int argc, char **argv);
} pgb_command;
extern const pgb_command pgb_commands[]; /* ends with name NULL */
const pgb_command *pgb_command_find(const char *name);

/* PGB_USAGE for anything not understood, with the nearest valid word. arguments->request points into
 * *arguments. */
pgb_status pgb_arguments_read(int argc, char **argv, pgb_arguments *arguments) PGB_MUST_CHECK;

/* Collective. Loads what --plugin names on every rank, checks that all ranks loaded the same bytes, and hands
 * the environments to arguments->request. *out outlives whatever is run with the arguments. */
pgb_status pgb_plugins_open(pgb_arguments *arguments, pgb_comm *comm, pgb_plugins **out) PGB_MUST_CHECK;

/* "90", "60s", "5m", "2h", "1d" of --<flag> in seconds, above 0. */
pgb_status pgb_duration_read(const char *flag, const char *text, double *seconds) PGB_MUST_CHECK;

/* "k/n" of --cell, 1 <= k <= n. */
pgb_status pgb_share_read(const char *text, pgb_share *out) PGB_MUST_CHECK;

/* Drops from "all" what no cell can use; what the user named and no cell can use is an error. */
pgb_status pgb_keep_usable(pgb_study *study) PGB_MUST_CHECK;

pgb_status pgb_cmd_variance(const pgb_arguments *arguments, pgb_comm *comm, int argc,
                            char **argv) PGB_MUST_CHECK;
pgb_status pgb_cmd_verify(const pgb_arguments *arguments, pgb_comm *comm, int argc,
                          char **argv) PGB_MUST_CHECK;
pgb_status pgb_cmd_explain(const pgb_arguments *arguments, pgb_comm *comm, int argc,
                           char **argv) PGB_MUST_CHECK;
pgb_status pgb_cmd_scaling(const pgb_arguments *arguments, pgb_comm *comm, int argc,
                           char **argv) PGB_MUST_CHECK;
pgb_status pgb_cmd_list(const pgb_arguments *arguments, pgb_comm *comm, int argc, char **argv) PGB_MUST_CHECK;
pgb_status pgb_cmd_describe(const pgb_arguments *arguments, pgb_comm *comm, int argc,
                            char **argv) PGB_MUST_CHECK;

/* Collective. The study that the command line asks for, the same on all ranks; what no cell of it can use is
 * dropped, or PGB_USAGE where the user named it. Texts in the arena. */
pgb_status pgb_study_load(const pgb_request *request, pgb_comm *comm, pgb_arena *arena,
                          pgb_study **out) PGB_MUST_CHECK;
pgb_status pgb_cmd_merge(const pgb_arguments *arguments, pgb_comm *comm, int argc,
                         char **argv) PGB_MUST_CHECK;

void pgb_print_help(FILE *out);
void pgb_print_version(FILE *out, const pgb_comm *comm);

#endif
