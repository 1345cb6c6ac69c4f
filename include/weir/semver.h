/*
 * semver: versions that can be compared, as Semantic Versioning 2.0.0 orders
 * them (https://semver.org/#spec-item-11).
 *
 * MAJOR.MINOR.PATCH and, after a hyphen, words of a pre-release:
 * 1.4.0-rc.1 < 1.4.0 < 1.10.0.  Build metadata ("+5") is not taken: two
 * versions that differ in it would be neither equal nor one the newer.
 */
#ifndef WEIR_SEMVER_H
#define WEIR_SEMVER_H

#include <stddef.h>

#include "weir/err.h"

/* Bytes of the longest version taken. */
#define WEIR_SEMVER_MAX ((size_t)64)

/* WEIR_OK if the text is a version; WEIR_VALIDATION and what is wrong. */
enum weir_code weir_semver_check(const char *text, size_t len,
                                 struct weir_err *err);

/* Below 0, 0 or above 0 as `a` is older than, the same as or newer than `b`.
 * Both have passed weir_semver_check. */
int weir_semver_compare(const char *a, const char *b);

#endif
