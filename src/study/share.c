/* SPDX-License-Identifier: MIT */
#include "study/share.h"

#include "core/option.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

bool pgb_share_parse(const char *text, pgb_share *out) {
  char first[32];
  uint64_t k = 0;
  uint64_t n = 0;
  const size_t length = strcspn(text, "/");
  if (text[length] == '\0' || length >= sizeof first)
    return false;
  (void)snprintf(first, sizeof first, "%.*s", (int)length, text);
  if (!pgb_parse_unsigned(first, &k) || !pgb_parse_unsigned(text + length + 1, &n) || k < 1 || k > n)
    return false;
  *out = (pgb_share){.k = (size_t)k, .n = (size_t)n};
  return true;
}

bool pgb_share_has(const pgb_share *share, size_t cell) {
  return share->n == 0 || cell % share->n == share->k - 1;
}

size_t pgb_share_count(const pgb_share *share, size_t n_cells) {
  size_t n = 0;
  for (size_t c = 0; c < n_cells; c++)
    n += pgb_share_has(share, c);
  return n;
}

int pgb_share_rank(int place, int ranks) {
  (void)ranks;
  return place;
}

size_t pgb_share_begin(size_t n, int place, int ranks) {
  const size_t each = n / (size_t)ranks, more = n % (size_t)ranks;
  return each * (size_t)place + more * (size_t)place / (size_t)ranks;
}
