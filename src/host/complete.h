/* complete: what a half-typed word of weir's command line can become. */
#ifndef HOST_COMPLETE_H
#define HOST_COMPLETE_H

#include <stdio.h>

/* Prints a line "VALUE<TAB>HELP" for each thing that the last of `n` words
 * can become (words[0] is the program), and ":files" where names of files
 * fit too.  A script is read for what it declares, and not run. */
void host_complete(FILE *out, int n, char **words);

#endif
