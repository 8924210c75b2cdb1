/* SPDX-License-Identifier: MIT */
#include "io/store_text.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the character at s, 0 if it is not one: overlong forms, surrogates and values past U+10FFFF are
 * wrong. */
static size_t character(const unsigned char *s) {
  if (s[0] < 0x80)
    return 1;
  const size_t n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
  if (s[0] < 0xC2 || s[0] > 0xF4)
    return 0;
  uint32_t value = s[0] & (0x7Fu >> n);
  for (size_t i = 1; i < n; i++) {
    if ((s[i] & 0xC0) != 0x80) /* the terminating zero too */
      return 0;
    value = value << 6 | (s[i] & 0x3Fu);
  }
  const uint32_t least = n == 2 ? 0x80 : n == 3 ? 0x800 : 0x10000;
  return value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF) ? 0 : n;
}

pgb_status pgb_store_utf8(const char *text, pgb_arena *arena, const char **out) {
  const unsigned char *s = (const unsigned char *)text;
  size_t length = 0, wrong = 0;
  *out = text;
  while (s[length] != '\0') {
    const size_t n = character(s + length);
    wrong += n == 0;
    length += n == 0 ? 1 : n;
  }
  if (wrong == 0)
    return pgb_ok();
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(arena, length + 2 * wrong + 1, 1, &memory));
  char *to = memory;
  for (size_t i = 0; i < length;) {
    const size_t n = character(s + i);
    memcpy(to, n == 0 ? "\xEF\xBF\xBD" : text + i, n == 0 ? 3 : n);
    to += n == 0 ? 3 : n;
    i += n == 0 ? 1 : n;
  }
  *out = memory;
  return pgb_ok();
}
