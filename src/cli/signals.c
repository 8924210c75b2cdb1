/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700 /* SA_RESTART */
#include "cli/signals.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

/* The one variable of the program that is not on a stack: a handler is given nothing else to write to. */
static volatile sig_atomic_t caught;

static void handler(int number) {
  caught = number;
}

void pgb_signals_catch(void) {
  static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1};
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  (void)sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    action.sa_flags = SA_RESTART;
    if (numbers[i] == SIGINT)
      action.sa_flags |= (int)SA_RESETHAND;
    (void)sigaction(numbers[i], &action, NULL); /* fails for numbers that are no signals */
  }
}

int pgb_signals_caught(void) {
  return (int)caught;
}
