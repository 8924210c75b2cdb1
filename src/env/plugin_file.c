/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700 /* realpath */
#include "env/plugin_file.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char not_one[] = "is not a shared object of this machine; build it here with cc -shared -fPIC "
                              "$(pkg-config --cflags pgbench)";
static const char cut[] = "is cut short; copy it again";

static bool lies_within(uint64_t at, uint64_t n, uint64_t size) {
  return at <= size && n <= size - at;
}

/* Whether everything that the file's own tables place in it is there. */
static pgb_status check_whole(FILE *in, uint64_t size) {
  ElfW(Ehdr) head;
  if (fread(&head, sizeof head, 1, in) != 1 || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
      head.e_type != ET_DYN || head.e_phentsize != sizeof(ElfW(Phdr)))
    return pgb_fail(PGB_USAGE, not_one);
  if (!lies_within(head.e_phoff, (uint64_t)head.e_phnum * head.e_phentsize, size) ||
      !lies_within(head.e_shoff, (uint64_t)head.e_shnum * head.e_shentsize, size))
    return pgb_fail(PGB_USAGE, cut);
  if (fseek(in, (long)head.e_phoff, SEEK_SET) != 0)
    return pgb_fail(PGB_USAGE, not_one);
  for (unsigned k = 0; k < head.e_phnum; k++) {
    ElfW(Phdr) part;
    if (fread(&part, sizeof part, 1, in) != 1 || !lies_within(part.p_offset, part.p_filesz, size))
      return pgb_fail(PGB_USAGE, cut);
  }
  return pgb_ok();
}

pgb_status pgb_plugin_file(const char *file, char path[PATH_MAX]) {
  struct stat about;
  if (file[0] == '\0')
    return pgb_fail(PGB_USAGE, "the name is empty; give a shared object");
  if (realpath(file, path) == NULL || stat(path, &about) != 0)
    return pgb_fail(PGB_USAGE, "cannot be found (%s); give the path of a shared object", strerror(errno));
  if (!S_ISREG(about.st_mode)) /* opening a pipe would wait */
    return pgb_fail(PGB_USAGE, "is no file; give the path of a shared object");
  FILE *in = fopen(path, "rb");
  if (in == NULL)
    return pgb_fail(PGB_USAGE, "cannot be read (%s); give it read permission", strerror(errno));
  pgb_status s = check_whole(in, (uint64_t)about.st_size);
  (void)fclose(in); /* only read */
  return s;
}
