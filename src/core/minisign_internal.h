/* What the files of minisign share: lines, comments, base64 in a line. */
#ifndef WEIR_MINISIGN_INTERNAL_H
#define WEIR_MINISIGN_INTERNAL_H

#include "ed25519.h"
#include "weir/minisign.h"

#define WEIR_MINISIGN_UNTRUSTED "untrusted comment: "

struct weir_minisign_secret {
    unsigned char id[WEIR_MINISIGN_ID];
    unsigned char seed[WEIR_ED25519_SEED];
    unsigned char key[WEIR_ED25519_KEY];
};

/* Lines of a text that is being read. */
struct weir_minisign_lines {
    const char *text;
    size_t len, at;
    unsigned number; /* of the line that was taken last */
};
struct weir_minisign_line {
    const char *text; /* without its line end */
    size_t len;
};

/* `what` ("the signature") is expected there.  WEIR_OK, WEIR_SYNTAX. */
enum weir_code weir_minisign_line(struct weir_minisign_lines *lines,
                                  const char *what,
                                  struct weir_minisign_line *out,
                                  struct weir_err *err);
/* A comment line with its prefix, which is taken off. */
enum weir_code weir_minisign_comment(struct weir_minisign_lines *lines,
                                     const char *prefix, size_t max,
                                     struct weir_minisign_line *out,
                                     struct weir_err *err);
/* A line of exactly `want` bytes in base64. */
enum weir_code weir_minisign_bytes(struct weir_minisign_lines *lines,
                                   const char *what, unsigned char *out,
                                   size_t want, struct weir_err *err);
/* Nothing may follow. */
enum weir_code weir_minisign_end(const struct weir_minisign_lines *lines,
                                 struct weir_err *err);

/* What is wrong with a comment ("is not UTF-8"), or NULL. */
const char *weir_minisign_comment_fault(const char *text, size_t len,
                                        size_t max);

#endif
