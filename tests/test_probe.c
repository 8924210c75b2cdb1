/* SPDX-License-Identifier: MIT */
#include "io/probe.h"

#include "check.h"

#include <signal.h>
#include <stdlib.h>

static void ends_well(void *self) {
  *(int *)self = 1;
}

static void ends_by_signal(void *self) {
  (void)raise(*(int *)self);
}

static void never_ends(void *self) {
  for (volatile int *x = self; *x == 0;)
    continue;
}

static void gives_up(void *self) {
  (void)self;
  (void)printf("a child that prints is not heard\n");
  (void)fflush(stdout);
  abort();
}

int main(void) {
  checks c = {0};
  int seen = 0;
  CHECK_OK(&c, pgb_probe("sound.h5", ends_well, &seen));
  CHECK(&c, seen == 0); /* it was a child that ran it */
  const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU, SIGKILL};
  for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) {
    int signal_number = deadly[i];
    const pgb_status s = pgb_probe("bad.h5", ends_by_signal, &signal_number);
    CHECK(&c, s.code == PGB_USAGE && strstr(s.text, "bad.h5: is damaged: ") != NULL);
  }
  CHECK(&c, pgb_probe("bad.h5", gives_up, NULL).code == PGB_USAGE);
  CHECK(&c, pgb_probe("bad.h5", never_ends, &seen).code == PGB_USAGE);
  return check_end(&c, "probe");
}
