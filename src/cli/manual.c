/* SPDX-License-Identifier: MIT */
/* Writes the man page and the completion of bash: pgbench_manual DATE PAGE COMPLETION. Run by the build. */
#include "cli/manual.h"

#include "io/provenance.h"

#include <string.h>

static int write_file(const char *path, const char *date, int completion) {
  FILE *out = fopen(path, "w");
  if (out == NULL)
    return 1;
  if (completion)
    pgb_print_bash_completion(out);
  else
    pgb_print_man_page(out, date, pgb_provenance_build().version);
  const int lost = ferror(out);
  return fclose(out) != 0 || lost;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    (void)fprintf(stderr, "usage: pgbench_manual DATE PAGE COMPLETION\n");
    return 2;
  }
  for (int i = 2; i < argc; i++)
    if (write_file(argv[i], argv[1], i == 3) != 0) {
      (void)fprintf(stderr, "pgbench_manual: %s: cannot be written; check its folder and disk\n", argv[i]);
      return 1;
    }
  return 0;
}
