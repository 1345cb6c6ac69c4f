/*
 * version: of libweir, and of what it stands on.
 */
#ifndef WEIR_VERSION_H
#define WEIR_VERSION_H

#define WEIR_VERSION "0.1.0"

/* WEIR_VERSION of the library that is linked. */
const char *weir_version(void);
/* "libcurl/7.88.1 OpenSSL/3.0.19 zlib/… cJSON/… libyaml/… PCRE2/…"; static. */
const char *weir_version_libraries(void);

#endif
