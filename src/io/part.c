/* SPDX-License-Identifier: MIT */
#include "io/part.h"

#include "io/store_file.h"

#include <zlib.h>

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The head: what this is, in which layout and byte order. */
typedef struct head {
  char magic[16];
  uint64_t order;
} head;

static const head own = {"pgbench part 1\n", 0x0102030405060708u};
enum { KIND = 13 }; /* bytes of the magic that all layouts share */

/* Bytes on their way: HDF5 is asked for as much at a time, and the disk gets as much. */
enum { BUFFER = 1 << 20 };

pgb_status pgb_part_name(const char *path, pgb_arena *arena, const char **out) {
  char *name = NULL;
  PGB_TRY(pgb_arena_printf(arena, &name, "%s.part", path));
  *out = name;
  return pgb_ok();
}

/* ---- Writing ---- */

struct pgb_part_writer {
  pgb_store_file *file;
  uint64_t at; /* of the buffer's first byte in the file */
  size_t n;    /* bytes in the buffer                    */
  uLong sum;   /* of all bytes before the buffer's       */
  unsigned char *buffer;
};

static void flush_bytes(pgb_part_writer *part) {
  part->sum = crc32_z(part->sum, part->buffer, part->n);
  pgb_store_file_write(part->file, part->at, part->buffer, part->n);
  part->at += part->n;
  part->n = 0;
}

pgb_status pgb_part_create(const char *name, pgb_part_writer **out) {
  assert(name != NULL && out != NULL);
  void *memory = NULL;
  void *buffer = NULL;
  *out = NULL;
  PGB_TRY(pgb_alloc(1, sizeof(pgb_part_writer), &memory));
  pgb_part_writer *part = memory;
  pgb_status s = pgb_alloc(BUFFER, 1, &buffer);
  if (s.code == PGB_OK)
    s = pgb_store_file_create(name, true, &part->file);
  if (s.code != PGB_OK) {
    free(buffer);
    free(part);
    return s;
  }
  part->buffer = buffer;
  part->sum = crc32_z(0, NULL, 0);
  pgb_part_put(part, &own, sizeof own);
  *out = part;
  return s;
}

void pgb_part_put(pgb_part_writer *part, const void *bytes, size_t n) {
  assert(part != NULL && (bytes != NULL || n == 0));
  const unsigned char *from = bytes;
  while (n > 0) {
    const size_t k = n < BUFFER - part->n ? n : BUFFER - part->n;
    memcpy(part->buffer + part->n, from, k);
    part->n += k;
    from += k;
    n -= k;
    if (part->n == BUFFER)
      flush_bytes(part);
  }
}

void pgb_part_put_text(pgb_part_writer *part, const char *text) {
  const uint64_t length = strlen(text);
  pgb_part_put(part, &length, sizeof length);
  pgb_part_put(part, text, (size_t)length);
}

pgb_status pgb_part_close(pgb_part_writer *part) {
  assert(part != NULL);
  flush_bytes(part);
  const uint64_t sum = part->sum;
  pgb_store_file_write(part->file, part->at, &sum, sizeof sum);
  const pgb_status s = pgb_store_file_commit(part->file);
  free(part->buffer);
  free(part);
  return s;
}

void pgb_part_discard(pgb_part_writer *part) {
  if (part == NULL)
    return;
  pgb_store_file_discard(part->file);
  free(part->buffer);
  free(part);
}

/* ---- Reading ---- */

struct pgb_part_reader {
  FILE *file;
  uint64_t left; /* bytes before the checksum that are not read yet */
  char name[];
};

static pgb_status not_read(const char *name, int error) {
  return pgb_fail(PGB_USAGE, "%s: cannot be read: %s; see that the file is there and that you may read it",
                  name, strerror(error));
}

static pgb_status damaged(const char *name) {
  return pgb_fail(
      PGB_USAGE,
      "%s: is damaged: its checksum does not fit its content; take a copy that is whole, or start "
      "the run anew (with --force)",
      name);
}

/* What the first bytes say: none of them, another layout, another machine. */
static pgb_status check_head(const char *name, const head *found, size_t n) {
  if (n == 0)
    return pgb_fail(
        PGB_USAGE,
        "%s: is empty: no checkpoint, but what a full disk, a crash of the machine or a broken copy "
        "leaves; take a copy that is whole, or remove it and start the run anew",
        name);
  if (n < KIND || memcmp(found->magic, own.magic, KIND) != 0)
    return pgb_fail(PGB_USAGE,
                    "%s: is no checkpoint of pgbench; name the result file of the run, without .part", name);
  if (n < sizeof *found)
    return damaged(name);
  if (memcmp(found->magic, own.magic, sizeof own.magic) != 0)
    return pgb_fail(PGB_USAGE,
                    "%s: is a checkpoint of another layout; finish the run with the version that began it",
                    name);
  if (found->order != own.order)
    return pgb_fail(PGB_USAGE, "%s: is from a machine of another byte order; finish the run on one like that",
                    name);
  return pgb_ok();
}

/* Reads all of it once and compares. size: of the file. */
static pgb_status check_sum(pgb_part_reader *part, uint64_t size) {
  void *buffer = NULL;
  uint64_t stored = 0;
  uint64_t left = size - sizeof stored;
  uLong sum = crc32_z(0, NULL, 0);
  PGB_TRY(pgb_alloc(BUFFER, 1, &buffer));
  bool whole = true;
  while (whole && left > 0) {
    const size_t n = left < BUFFER ? (size_t)left : BUFFER;
    whole = fread(buffer, 1, n, part->file) == n;
    sum = crc32_z(sum, buffer, n);
    left -= n;
  }
  free(buffer);
  whole = whole && fread(&stored, sizeof stored, 1, part->file) == 1;
  if (ferror(part->file))
    return not_read(part->name, errno);
  return whole && stored == sum ? pgb_ok() : damaged(part->name);
}

static pgb_status check_part(pgb_part_reader *part) {
  struct stat info;
  head found;
  if (stat(part->name, &info) != 0)
    return not_read(part->name, errno);
  if (!S_ISREG(info.st_mode)) /* opening a pipe would wait for its other end */
    return pgb_fail(PGB_USAGE, "%s: is no regular file, hence no checkpoint; name the result file of the run",
                    part->name);
  part->file = fopen(part->name, "rb");
  if (part->file == NULL)
    return not_read(part->name, errno);
  memset(&found, 0, sizeof found);
  PGB_TRY(check_head(part->name, &found, fread(&found, 1, sizeof found, part->file)));
  const uint64_t size = (uint64_t)info.st_size;
  if (size < sizeof found + sizeof(uint64_t))
    return damaged(part->name);
  rewind(part->file);
  PGB_TRY(check_sum(part, size));
  part->left = size - sizeof found - sizeof(uint64_t);
  return fseek(part->file, (long)sizeof found, SEEK_SET) == 0 ? pgb_ok() : not_read(part->name, errno);
}

pgb_status pgb_part_open(const char *name, pgb_part_reader **out) {
  assert(name != NULL && out != NULL);
  void *memory = NULL;
  const size_t length = strlen(name) + 1;
  *out = NULL;
  PGB_TRY(pgb_alloc(1, sizeof(pgb_part_reader) + length, &memory));
  pgb_part_reader *part = memory;
  memcpy(part->name, name, length);
  pgb_status s = check_part(part);
  if (s.code == PGB_OK)
    *out = part;
  else
    pgb_part_end(part);
  return s;
}

pgb_status pgb_part_misfit(const pgb_part_reader *part) {
  return pgb_fail(
      PGB_USAGE,
      "%s: holds something else than its study asks for, though its checksum fits; start the run anew (with "
      "--force) and report this as a bug",
      part->name);
}

pgb_status pgb_part_get(pgb_part_reader *part, void *bytes, size_t n) {
  assert(part != NULL && (bytes != NULL || n == 0));
  if (n > part->left)
    return pgb_part_misfit(part);
  if (fread(bytes, 1, n, part->file) != n)
    return ferror(part->file) ? not_read(part->name, errno) : damaged(part->name);
  part->left -= n;
  return pgb_ok();
}

pgb_status pgb_part_get_text(pgb_part_reader *part, pgb_arena *arena, const char **out) {
  uint64_t length = 0;
  void *text = NULL;
  PGB_TRY(pgb_part_get(part, &length, sizeof length));
  if (length > part->left)
    return pgb_part_misfit(part);
  PGB_TRY(pgb_arena_alloc(arena, (size_t)length + 1, 1, &text));
  PGB_TRY(pgb_part_get(part, text, (size_t)length));
  *out = text;
  return pgb_ok();
}

void pgb_part_end(pgb_part_reader *part) {
  if (part == NULL)
    return;
  if (part->file != NULL)
    (void)fclose(part->file); /* only read */
  free(part);
}

static pgb_status remove_one(const char *name) {
  if (unlink(name) == 0 || errno == ENOENT)
    return pgb_ok();
  return pgb_fail(PGB_RUNTIME, "%s: cannot be removed: %s; remove it by hand", name, strerror(errno));
}

pgb_status pgb_part_remove(const char *name) {
  pgb_arena *arena = NULL;
  char *left = NULL;
  PGB_TRY(pgb_arena_create(&arena));
  pgb_status s = pgb_arena_printf(arena, &left, "%s.tmp", name);
  if (s.code == PGB_OK)
    s = remove_one(left);
  if (s.code == PGB_OK)
    s = remove_one(name);
  pgb_arena_destroy(arena);
  return s;
}
