/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "core/clock.h"

#include <signal.h>

static pgb_status run(int argc, char **argv, double began, pgb_comm *comm) {
  pgb_arguments arguments;
  pgb_status s = pgb_comm_agree(comm, pgb_arguments_read(argc, argv, &arguments));
  if (s.code != PGB_OK)
    return s;
  arguments.began = began;
  if (arguments.help || arguments.version) {
    if (pgb_comm_rank(comm) == 0 && arguments.help)
      pgb_print_help(stdout);
    else if (pgb_comm_rank(comm) == 0)
      pgb_print_version(stdout, comm);
    return s;
  }
  pgb_plugins *plugins = NULL;
  s = pgb_plugins_open(&arguments, comm, &plugins);
  if (s.code == PGB_OK)
    s = pgb_command_find(arguments.command)->run(&arguments, comm, argc, argv);
  pgb_plugins_destroy(plugins);
  return s;
}

int main(int argc, char **argv) {
  const double began = pgb_clock();
  pgb_comm *comm = NULL;
  (void)signal(SIGXFSZ, SIG_IGN); /* a file size limit is then an error of the write, told like any other */
  pgb_status s = pgb_comm_create(&argc, &argv, &comm);
  if (s.code != PGB_OK) {
    (void)fprintf(stderr, "pgbench: %s\n", s.text);
    return (int)s.code;
  }
  s = run(argc, argv, began, comm);
  const bool broken = pgb_comm_broken(comm);
  if (s.code != PGB_OK && s.text[0] != '\0' && (pgb_comm_rank(comm) == 0 || broken))
    (void)fprintf(stderr, "pgbench: %s\n", s.text);
  if (broken) /* the ranks can no longer agree: end the job from here */
    pgb_comm_abort(comm, (int)s.code);
  if (pgb_comm_rank(comm) == 0 && fflush(stdout) != 0 && s.code == PGB_OK) {
    (void)fprintf(stderr, "pgbench: stdout: cannot be written; check where it goes\n");
    s.code = PGB_RUNTIME;
  }
  pgb_comm_destroy(comm);
  return (int)s.code;
}
