/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_CLI_SIGNALS_H
#define PGB_CLI_SIGNALS_H

/* SIGTERM, SIGINT and SIGUSR1 are from now on requests, which pgb_signals_caught tells; a second SIGINT ends
 * the program as it would have without this. */
void pgb_signals_catch(void);

/* The number of the last such signal, 0 for none. */
int pgb_signals_caught(void);

#endif
