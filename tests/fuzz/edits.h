/* SPDX-License-Identifier: MIT */
#ifndef PGB_TESTS_FUZZ_EDITS_H
#define PGB_TESTS_FUZZ_EDITS_H

#include "fuzz.h"

#include <unistd.h>

/* For readers of which random bytes would never get past the door: the input is a list of edits to a file
 * that is valid. Each is a kind, a place of three bytes, and what it takes of the bytes behind them. */
enum { EDIT_XOR, EDIT_NUMBER, EDIT_CUT, EDIT_INSERT, EDIT_KINDS };
enum { EDIT_HEAD = 4, EDIT_WORD = 8 };

/* bytes: [n] with room for `size` more. Returns how many there are then. */
static inline size_t apply_edits(const uint8_t *data, size_t size, unsigned char *bytes, size_t n) {
  while (size > EDIT_HEAD && n > 0) {
    const int kind = data[0] % EDIT_KINDS;
    const size_t at = (data[1] | (size_t)data[2] << 8 | (size_t)data[3] << 16) % n;
    const size_t given = size - EDIT_HEAD < EDIT_WORD ? size - EDIT_HEAD : EDIT_WORD;
    const size_t room = n - at < given ? n - at : given;
    size_t used = kind == EDIT_XOR || kind == EDIT_CUT ? 1 : given;
    if (kind == EDIT_XOR) {
      bytes[at] ^= data[EDIT_HEAD];
    } else if (kind == EDIT_NUMBER) {
      memcpy(bytes + at, data + EDIT_HEAD, room);
    } else if (kind == EDIT_CUT) {
      n = at;
    } else {
      memmove(bytes + at + given, bytes + at, n - at);
      memcpy(bytes + at, data + EDIT_HEAD, given);
      n += given;
    }
    data += EDIT_HEAD + used;
    size -= EDIT_HEAD + used;
  }
  return n;
}

/* All of a file, [*n]; the caller frees it. */
static inline unsigned char *load(const char *path, size_t *n) {
  FILE *file = fopen(path, "rb");
  PROMISE(file != NULL && fseek(file, 0, SEEK_END) == 0);
  const long end = ftell(file);
  rewind(file);
  unsigned char *bytes = malloc((size_t)end);
  PROMISE(bytes != NULL && fread(bytes, 1, (size_t)end, file) == (size_t)end && fclose(file) == 0);
  *n = (size_t)end;
  return bytes;
}

static inline void save(const char *path, const unsigned char *bytes, size_t n) {
  FILE *file = fopen(path, "wb");
  PROMISE(file != NULL && fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
}

#endif
