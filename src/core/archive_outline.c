/*
 * The structure of an archive, looked at before libarchive reads a file.
 *
 * ZIP says some things twice and leaves room between others, so that two
 * readers of one archive can see different files.  Here the local headers, the
 * directory and its end must stand one behind the other without a gap and say
 * the same: then there is one reading.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "archive_internal.h"
#include "excerpt.h"

/* APPNOTE 4.3.7, 4.3.9, 4.3.12, 4.3.16: signatures and sizes. */
#define LOCAL_SIGNATURE     0x04034b50U
#define DATA_SIGNATURE      0x08074b50U
#define DIRECTORY_SIGNATURE 0x02014b50U
#define END_SIGNATURE       0x06054b50U
enum { LOCAL_SIZE = 30, DATA_SIZE = 16, DIRECTORY_SIZE = 46, END_SIZE = 22 };

/* APPNOTE 4.4.4 */
enum { FLAG_ENCRYPTED = 1, FLAG_DATA_FOLLOWS = 8, FLAG_UTF8 = 0x800 };

static unsigned u16(const unsigned char *at)
{
    return at[0] | (unsigned)at[1] << 8;
}

static uint32_t u32(const unsigned char *at)
{
    return u16(at) | (uint32_t)u16(at + 2) << 16;
}

__attribute__((format(printf, 2, 3))) static enum weir_code
refuse(struct weir_err *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    weir_err_vset(err, WEIR_VALIDATION, fmt, args);
    va_end(args);
    return WEIR_VALIDATION;
}

/* ---- its end ---- */

struct end {
    size_t at; /* of the record itself */
    size_t n;
    size_t directory; /* bytes of it */
    size_t before;    /* bytes of the archive before the directory */
};

/* Why the last bytes are no end of an archive. */
static enum weir_code no_end(const unsigned char *bytes, size_t len,
                             struct weir_err *err)
{
    for (size_t at = len < END_SIZE ? 0 : len - END_SIZE; at > 0; at--) {
        if (u32(bytes + at - 1) == END_SIGNATURE)
            return refuse(err,
                          "%zu bytes stand after the end of the archive "
                          "(trailing tail)",
                          len - (at - 1) - END_SIZE);
    }
    return refuse(err, "the end of the archive is missing: it is cut short, or "
                       "no archive");
}

static enum weir_code read_end(const unsigned char *bytes, size_t len,
                               struct end *out, struct weir_err *err)
{
    const unsigned char *end = bytes + len - END_SIZE;

    if (len < END_SIZE || u32(end) != END_SIGNATURE)
        return no_end(bytes, len, err);
    if (u16(end + 20) != 0)
        return refuse(err, "the archive is cut short: the comment that its end "
                           "announces is not there");
    if (u16(end + 4) != 0 || u16(end + 6) != 0 || u16(end + 8) != u16(end + 10))
        return refuse(err, "the archive is a part of several");
    *out = (struct end){len - END_SIZE, u16(end + 10), u32(end + 12),
                        u32(end + 16)};
    if (out->n == 0xFFFF || out->directory == 0xFFFFFFFFU ||
        out->before == 0xFFFFFFFFU)
        return refuse(err, "the archive is of the large kind (ZIP64), which no "
                           "bundle needs");
    if (out->directory > out->at || out->before > out->at - out->directory)
        return refuse(err,
                      "the archive is cut short: its end tells of %zu bytes "
                      "before it, and there are %zu",
                      out->directory + out->before, out->at);
    return WEIR_OK;
}

enum weir_code weir_archive_find(const void *bytes, size_t len, size_t *start,
                                 struct weir_err *err)
{
    struct end end = {0};
    enum weir_code code = read_end(bytes, len, &end, err);

    if (code == WEIR_OK)
        *start = end.at - end.directory - end.before;
    return code;
}

/* ---- its files ---- */

struct reader {
    const unsigned char *bytes;
    struct end end;
    size_t directory_at; /* in the directory */
    size_t file_at;      /* where the next file must begin */
    size_t total;        /* bytes of files so far */
};

/* One record of the directory. */
struct record {
    const unsigned char *at;
    const char *name;
    size_t name_len, extra_len;
    unsigned flags, method;
    uint32_t crc, packed, size, offset;
    char shown[WEIR_EXCERPT];
};

static enum weir_code read_record(struct reader *r, struct record *out,
                                  struct weir_err *err)
{
    const unsigned char *at = r->bytes + r->directory_at;
    size_t left = r->end.at - r->directory_at;

    if (left < DIRECTORY_SIZE || u32(at) != DIRECTORY_SIGNATURE)
        return refuse(err, "the archive's directory has fewer files than its "
                           "end says");
    *out = (struct record){.at = at,
                           .name = (const char *)at + DIRECTORY_SIZE,
                           .name_len = u16(at + 28),
                           .extra_len = u16(at + 30),
                           .flags = u16(at + 8),
                           .method = u16(at + 10),
                           .crc = u32(at + 16),
                           .packed = u32(at + 20),
                           .size = u32(at + 24),
                           .offset = u32(at + 42)};
    if (u16(at + 32) != 0 || u16(at + 34) != 0)
        return refuse(err, "the archive's directory has comments or parts "
                           "elsewhere");
    if (left - DIRECTORY_SIZE < out->name_len + out->extra_len)
        return refuse(err, "the archive's directory is cut short");
    r->directory_at += DIRECTORY_SIZE + out->name_len + out->extra_len;
    weir_excerpt_quote(out->shown, out->name, out->name_len);
    return WEIR_OK;
}

static bool has_high(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] >= 0x80)
            return true;
    }
    return false;
}

static enum weir_code check_record(struct reader *r, const struct record *it,
                                   struct weir_err *err)
{
    enum weir_code code = weir_archive_check_name(it->name, it->name_len, err);

    if (code)
        return code;
    if (it->flags & FLAG_ENCRYPTED)
        return refuse(err, "%s is encrypted", it->shown);
    if (it->method != 0)
        return refuse(err,
                      "%s is compressed: %u bytes from %u (ratio %u); the "
                      "files of a bundle are stored as they are, so that "
                      "nothing small can unpack to something big",
                      it->shown, it->size, it->packed,
                      it->packed ? it->size / it->packed : it->size);
    if (it->flags & ~(unsigned)(FLAG_DATA_FOLLOWS | FLAG_UTF8))
        return refuse(err,
                      "%s needs a feature of ZIP that bundles do not use "
                      "(flags 0x%04x)",
                      it->shown, it->flags);
    if (!(it->flags & FLAG_UTF8) && has_high(it->name, it->name_len))
        return refuse(err,
                      "%s is not marked as UTF-8, and so is read "
                      "otherwise elsewhere",
                      it->shown);
    if (it->packed != it->size)
        return refuse(err, "%s is stored, and yet has two sizes: %u and %u",
                      it->shown, it->packed, it->size);
    if (it->size > WEIR_ARCHIVE_MAX_BYTES - r->total)
        return weir_err_set(err, WEIR_LIMIT,
                            "the files of the archive are over %zu bytes "
                            "together (size of a bomb)",
                            WEIR_ARCHIVE_MAX_BYTES);
    r->total += it->size;
    return WEIR_OK;
}

/* The three figures of a file, where they stand a second time. */
static bool same_figures(const struct record *it, const unsigned char *at)
{
    return u32(at) == it->crc && u32(at + 4) == it->packed &&
           u32(at + 8) == it->size;
}

/* A local header may leave out what follows the data, in whole or in part. */
static bool fair_figures(const struct record *it, const unsigned char *at)
{
    if (!(it->flags & FLAG_DATA_FOLLOWS))
        return same_figures(it, at);
    return (u32(at) == 0 || u32(at) == it->crc) &&
           (u32(at + 4) == 0 || u32(at + 4) == it->packed) &&
           (u32(at + 8) == 0 || u32(at + 8) == it->size);
}

/* The file's own header, data and what follows: where the one before ended,
 * and in agreement with the directory. */
static enum weir_code check_file(struct reader *r, const struct record *it,
                                 struct weir_err *err)
{
    const unsigned char *at = r->bytes + r->file_at;
    size_t left = r->end.before - r->file_at, need;

    if (it->offset != r->file_at)
        return refuse(err,
                      "%s does not begin where the file before it ends (byte "
                      "%u, expected %zu): overlapping or hidden bytes",
                      it->shown, it->offset, r->file_at);
    if (left < LOCAL_SIZE || u32(at) != LOCAL_SIGNATURE)
        return refuse(err,
                      "%s has no header of its own: the archive is "
                      "damaged",
                      it->shown);
    need = LOCAL_SIZE + u16(at + 26) + (size_t)u16(at + 28);
    if (u16(at + 26) != it->name_len || left < need ||
        memcmp(at + LOCAL_SIZE, it->name, it->name_len) != 0)
        return refuse(err,
                      "%s has another name in its own header than in the "
                      "archive's directory",
                      it->shown);
    if (u16(at + 6) != it->flags || u16(at + 8) != it->method ||
        !fair_figures(it, at + 14))
        return refuse(err,
                      "%s has another size or form in its own header than "
                      "in the archive's directory",
                      it->shown);
    if (left - need < it->size)
        return refuse(err, "%s is cut short", it->shown);
    need += it->size;
    if (it->flags & FLAG_DATA_FOLLOWS) {
        if (left - need < DATA_SIZE || u32(at + need) != DATA_SIGNATURE ||
            !same_figures(it, at + need + 4))
            return refuse(err,
                          "%s has another size behind its data than in "
                          "the archive's directory",
                          it->shown);
        need += DATA_SIZE;
    }
    r->file_at += need;
    return WEIR_OK;
}

static enum weir_code read_entries(struct reader *r,
                                   struct archive_outline *outline,
                                   struct weir_err *err)
{
    while (outline->n < r->end.n) {
        struct record record = {0};
        enum weir_code code = read_record(r, &record, err);

        if (code == WEIR_OK)
            code = check_record(r, &record, err);
        if (code == WEIR_OK)
            code = check_file(r, &record, err);
        if (code)
            return code;
        outline->entries[outline->n++] = (struct archive_entry_outline){
            record.name, record.name_len, record.size,
            u32(record.at + 38) >> 16};
    }
    if (r->directory_at != r->end.at)
        return refuse(err, "the archive's directory has more than its end says "
                           "(hidden files)");
    if (r->file_at != r->end.before)
        return refuse(err,
                      "%zu bytes stand between the last file and the "
                      "archive's directory (hidden bytes)",
                      r->end.before - r->file_at);
    return WEIR_OK;
}

enum weir_code archive_outline_read(const unsigned char *bytes, size_t len,
                                    struct archive_outline *out,
                                    struct weir_err *err)
{
    struct reader r = {.bytes = bytes};
    struct archive_outline outline = {NULL, 0};
    enum weir_code code = read_end(bytes, len, &r.end, err);

    if (code)
        return code;
    if (r.end.at != r.end.directory + r.end.before)
        return refuse(err,
                      "%zu bytes stand before the beginning of the "
                      "archive",
                      r.end.at - r.end.directory - r.end.before);
    if (r.end.n > WEIR_ARCHIVE_MAX_FILES)
        return weir_err_set(err, WEIR_LIMIT,
                            "the archive has %zu files; at most %zu are "
                            "allowed (count of a bomb)",
                            r.end.n, WEIR_ARCHIVE_MAX_FILES);
    r.directory_at = r.end.before;
    outline.entries = calloc(r.end.n + 1, sizeof(*outline.entries));
    if (!outline.entries)
        return weir_err_nomem(err);
    code = read_entries(&r, &outline, err);
    if (code)
        archive_outline_free(&outline);
    else
        *out = outline;
    return code;
}

void archive_outline_free(struct archive_outline *outline)
{
    free(outline->entries);
    outline->entries = NULL;
}
