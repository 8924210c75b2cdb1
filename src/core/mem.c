/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* madvise is in no standard */
#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { ALIGN = 64, HUGE_PAGE = 2 << 20 };

struct pgb_arena {
  struct pgb_arena *next;   /* the first ALIGN bytes of every piece link to the piece before */
  struct pgb_arena *parent; /* of a scratch arena, in its first piece                        */
  bool is_short;            /* in the first piece                                            */
};

static size_t up(size_t bytes, size_t align) {
  return (bytes + align - 1) / align * align;
}

/* Whole huge pages of a large piece are asked for as such, before they are written: rows that are read far
 * apart cost no page table walks, and zeroing them few page faults. */
static void ask_for_huge_pages(void *piece, size_t bytes) {
#ifdef MADV_HUGEPAGE
  if (bytes >= HUGE_PAGE)
    (void)madvise(piece, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#else
  (void)piece;
  (void)bytes;
#endif
}

static pgb_status allocate(size_t bytes, void **out) {
  const size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : ALIGN;
  if (bytes > SIZE_MAX - align)
    return pgb_fail(PGB_RUNTIME, "memory: the size does not fit an address; ask for a smaller study");
  const size_t padded = bytes == 0 ? ALIGN : up(bytes, ALIGN);
  *out = aligned_alloc(align, up(padded, align));
  if (*out == NULL)
    return pgb_fail(PGB_RUNTIME,
                    "memory: %zu bytes are not to be had; ask for a smaller study or more memory", padded);
  ask_for_huge_pages(*out, bytes);
  memset(*out, 0, padded);
  return pgb_ok();
}

pgb_status pgb_alloc(size_t count, size_t size, void **out) {
  *out = NULL;
  if (size != 0 && count > SIZE_MAX / size)
    return pgb_fail(PGB_RUNTIME,
                    "memory: %zu items of %zu bytes do not fit an address; ask for a smaller study", count,
                    size);
  return allocate(count * size, out);
}

pgb_status pgb_arena_create(pgb_arena **out) {
  void *piece = NULL;
  *out = NULL;
  PGB_TRY(allocate(sizeof(pgb_arena), &piece));
  *out = piece;
  return pgb_ok();
}

static void remember(pgb_arena *arena) {
  for (; arena != NULL; arena = arena->parent)
    arena->is_short = true;
}

pgb_status pgb_arena_scratch(pgb_arena *parent, pgb_arena **out) {
  pgb_status s = pgb_arena_create(out);
  if (s.code == PGB_OK)
    (*out)->parent = parent;
  else
    remember(parent);
  return s;
}

pgb_status pgb_arena_sufficed(const pgb_arena *arena) {
  return arena->is_short
             ? pgb_fail(PGB_RUNTIME,
                        "memory: ran short; ask for a smaller study or take fewer ranks to a node")
             : pgb_ok();
}

void pgb_arena_destroy(pgb_arena *arena) {
  while (arena != NULL) {
    pgb_arena *next = arena->next;
    free(arena);
    arena = next;
  }
}

pgb_status pgb_arena_alloc(pgb_arena *arena, size_t count, size_t size, void **out) {
  *out = NULL;
  if (size != 0 && count > (SIZE_MAX - ALIGN) / size)
    return pgb_fail(PGB_RUNTIME,
                    "memory: %zu items of %zu bytes do not fit an address; ask for a smaller study", count,
                    size);
  void *piece = NULL;
  const pgb_status s = allocate(ALIGN + count * size, &piece);
  if (s.code != PGB_OK) {
    remember(arena);
    return s;
  }
  pgb_arena *link = piece;
  link->next = arena->next;
  arena->next = link;
  *out = (char *)piece + ALIGN;
  return pgb_ok();
}

pgb_status pgb_arena_text(pgb_arena *arena, const char *text, char **out) {
  return pgb_arena_printf(arena, out, "%s", text);
}

pgb_status pgb_arena_printf(pgb_arena *arena, char **out, const char *format, ...) {
  *out = NULL;
  va_list args;
  va_list again;
  va_start(args, format);
  va_copy(again, args);
  const int length = vsnprintf(NULL, 0, format, args);
  va_end(args);
  void *text = NULL;
  pgb_status s = length < 0 ? pgb_fail(PGB_RUNTIME, "text: cannot be formatted; report this as a bug")
                            : pgb_arena_alloc(arena, (size_t)length + 1, 1, &text);
  if (s.code == PGB_OK) {
    (void)vsnprintf(text, (size_t)length + 1, format, again);
    *out = text;
  }
  va_end(again);
  return s;
}

double pgb_peak_bytes(void) {
  struct rusage use;
  return getrusage(RUSAGE_SELF, &use) == 0 ? 1024.0 * (double)use.ru_maxrss : 0; /* Linux counts in KiB */
}
