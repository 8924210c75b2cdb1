/* SPDX-License-Identifier: MIT */
/* The reader of result files: one of two parts whose bytes were edited is refused with a message that names
 * it, and no file is written, or the two become one. */
#include "cli/cli.h"
#include "edits.h"
#include "study/merge.h"

#include <getopt.h>
#include <signal.h>

/* Measures a share of a study of one cell, as the program does: more cells are more of the same and take
 * time. */
static void measure(char *share, char *output) {
  char *words[] = {(char[]){"pgbench"},
                   (char[]){"--env=bandit"},
                   (char[]){"--batch=2"},
                   (char[]){"--cell"},
                   share,
                   (char[]){"-o"},
                   output,
                   (char[]){"--estimator=reinforce"},
                   (char[]){"--replicates"},
                   (char[]){"3"},
                   (char[]){"--baseline=none,loo"},
                   (char[]){"--force"},
                   (char[]){"--quiet"},
                   (char[]){"--save-gradients"},
                   NULL};
  int argc = sizeof words / sizeof *words - 1;
  char **argv = words;
  pgb_arguments arguments;
  pgb_comm *comm = NULL;
  optind = 0;
  PROMISE(pgb_comm_create(&argc, &argv, &comm).code == PGB_OK);
  PROMISE(pgb_arguments_read(argc, argv, &arguments).code == PGB_OK);
  PROMISE(pgb_cmd_variance(&arguments, comm, argc, argv).code == PGB_OK);
  pgb_comm_destroy(comm);
  static const int caught[] = {SIGTERM, SIGINT, SIGUSR1}; /* by the command; libFuzzer has its own ways */
  for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
    (void)signal(caught[i], SIG_DFL);
}

static void merge(const char *output, const char *edited, const char *other, bool changed) {
  const char *const parts[] = {edited, other};
  const pgb_merge_request request = {.output = output, .parts = parts, .n_parts = 2, .plugins = ""};
  pgb_arena *arena = NULL;
  pgb_study *study = NULL;
  pgb_merged merged;
  PROMISE(pgb_arena_create(&arena).code == PGB_OK);
  const pgb_status s = pgb_merge(&request, arena, &study, &merged);
  if (s.code != PGB_OK) {
    promise_refusal(s);
    PROMISE(changed && access(output, F_OK) != 0);
    PROMISE(s.code != PGB_USAGE || strstr(s.text, edited) != NULL);
  } else {
    PROMISE(unlink(output) == 0);
  }
  pgb_study_destroy(study);
  pgb_arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static unsigned char *parts[2]; /* made once: libFuzzer hands a target nothing of its own */
  static size_t lengths[2];
  char folder[] = "/tmp/pgbench-fuzz-XXXXXX";
  char output[64], edited[64], other[64];
  PROMISE(mkdtemp(folder) != NULL);
  (void)snprintf(output, sizeof output, "%s/out.h5", folder);
  (void)snprintf(edited, sizeof edited, "%s/edited.h5", folder);
  (void)snprintf(other, sizeof other, "%s/other.h5", folder);
  for (int i = 0; i < 2; i++)
    if (parts[i] == NULL) {
      measure(i == 0 ? (char[]){"1/2"} : (char[]){"2/2"}, edited);
      parts[i] = load(edited, &lengths[i]);
    }
  unsigned char *bytes = malloc(lengths[0] + size);
  PROMISE(bytes != NULL);
  memcpy(bytes, parts[0], lengths[0]);
  save(edited, bytes, apply_edits(data, size, bytes, lengths[0]));
  save(other, parts[1], lengths[1]);
  free(bytes);
  merge(output, edited, other, size > EDIT_HEAD);
  PROMISE(unlink(edited) == 0 && unlink(other) == 0 && rmdir(folder) == 0);
  return 0;
}
