/* SPDX-License-Identifier: MIT */
/* The option reader: one word a line. What it takes is resolved, for options such as --env carry study text.
 */
#include "cli/cli.h"
#include "fuzz.h"

#include <getopt.h>

enum { MAX_WORDS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  PROMISE(text != NULL);
  if (size > 0)
    memcpy(text, data, size);
  text[size] = '\0';
  char name[] = "pgbench";
  char *words[MAX_WORDS + 2] = {name};
  int n = 1;
  for (char *word = text; word != NULL && n <= MAX_WORDS;) {
    char *end = strchr(word, '\n');
    words[n++] = word;
    if (end != NULL)
      *end = '\0';
    word = end == NULL ? NULL : end + 1;
  }
  pgb_arguments arguments;
  optind = 0; /* getopt_long of glibc begins anew */
  pgb_status s = pgb_arguments_read(n, words, &arguments);
  if (s.code == PGB_OK) {
    pgb_study *study = NULL;
    s = pgb_study_resolve(&arguments.request, &study);
    PROMISE((s.code == PGB_OK) == (study != NULL));
    pgb_study_destroy(study);
  }
  if (s.code != PGB_OK)
    promise_refusal(s);
  free(text);
  return 0;
}
