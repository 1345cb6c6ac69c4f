/* Times of a manifest: a day or an instant, in UTC (RFC 3339). */
#include <stdio.h>
#include <time.h>

#include "excerpt.h"
#include "weir/manifest.h"

/* Exactly `n` digits at `text` as a number, or -1. */
static int digits(const char *text, int n)
{
    int value = 0;

    for (int i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = 10 * value + (text[i] - '0');
    }
    return value;
}

static bool read_clock(const char *text, struct tm *tm)
{
    tm->tm_hour = digits(text + 11, 2);
    tm->tm_min = digits(text + 14, 2);
    tm->tm_sec = digits(text + 17, 2);
    return text[10] == 'T' && text[13] == ':' && text[16] == ':' &&
           text[19] == 'Z' && tm->tm_hour >= 0 && tm->tm_hour < 24 &&
           tm->tm_min >= 0 && tm->tm_min < 60 && tm->tm_sec >= 0 &&
           tm->tm_sec < 60;
}

enum weir_code weir_manifest_read_time(const char *text, size_t len,
                                       int64_t *out, struct weir_err *err)
{
    struct tm tm = {.tm_hour = 23, .tm_min = 59, .tm_sec = 59}, again;
    char shown[WEIR_EXCERPT];
    bool ok = (len == 10 || len == 20) && text[4] == '-' && text[7] == '-';
    time_t seconds = 0;

    if (ok) {
        tm.tm_year = digits(text, 4) - 1900;
        tm.tm_mon = digits(text + 5, 2) - 1;
        tm.tm_mday = digits(text + 8, 2);
        ok = tm.tm_year >= 100 && tm.tm_mon >= 0 && tm.tm_mday > 0 &&
             (len == 10 || read_clock(text, &tm));
    }
    if (ok) {
        again = tm; /* which timegm makes a day that exists */
        seconds = timegm(&again);
        ok = again.tm_mday == tm.tm_mday && again.tm_mon == tm.tm_mon;
    }
    if (!ok)
        return weir_err_set(err, WEIR_VALIDATION,
                            "expected a day such as 2027-01-31, or a time such "
                            "as 2027-01-31T18:00:00Z, got %s",
                            weir_excerpt_quote(shown, text, len));
    *out = seconds;
    return WEIR_OK;
}

int64_t weir_manifest_time_of_clock(int64_t now)
{
    if (now < WEIR_MANIFEST_TIME_FIRST)
        return WEIR_MANIFEST_TIME_FIRST;
    return now > WEIR_MANIFEST_TIME_LAST ? WEIR_MANIFEST_TIME_LAST : now;
}

bool weir_manifest_expired(int64_t expires, int64_t now)
{
    return expires != 0 && (now > expires || now < WEIR_MANIFEST_TIME_FIRST);
}

const char *weir_manifest_time_text(int64_t seconds,
                                    char out[WEIR_MANIFEST_TIME])
{
    time_t time = (time_t)seconds;
    struct tm tm;

    if (gmtime_r(&time, &tm))
        strftime(out, WEIR_MANIFEST_TIME, "%Y-%m-%dT%H:%M:%SZ", &tm);
    else /* a year that no int holds */
        snprintf(out, WEIR_MANIFEST_TIME, "%lld", (long long)seconds);
    return out;
}
