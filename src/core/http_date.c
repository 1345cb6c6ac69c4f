#include <stdlib.h>
#include <string.h>

#include "weir/retry.h"

/* A walk over the text; each step says whether the expected part was there. */
struct reader {
    const char *at;
};

struct date {
    int year, month, day, hour, minute, second; /* month from 0 */
};

static bool literal(struct reader *r, const char *text)
{
    size_t len = strlen(text);

    if (strncmp(r->at, text, len) != 0)
        return false;
    r->at += len;
    return true;
}

static bool digits(struct reader *r, int n, int *out)
{
    int value = 0;

    for (int i = 0; i < n; i++) {
        if (r->at[i] < '0' || r->at[i] > '9')
            return false;
        value = value * 10 + (r->at[i] - '0');
    }
    r->at += n;
    *out = value;
    return true;
}

/* The index of the word that stands here, or -1. */
static int word(struct reader *r, const char *const *words, int n)
{
    for (int i = 0; i < n; i++) {
        if (literal(r, words[i]))
            return i;
    }
    return -1;
}

static bool month(struct reader *r, struct date *date)
{
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr",
                                        "May", "Jun", "Jul", "Aug",
                                        "Sep", "Oct", "Nov", "Dec"};

    date->month = word(r, names, 12);
    return date->month >= 0;
}

static bool time_of_day(struct reader *r, struct date *date)
{
    return digits(r, 2, &date->hour) && literal(r, ":") &&
           digits(r, 2, &date->minute) && literal(r, ":") &&
           digits(r, 2, &date->second);
}

static bool end(const struct reader *r)
{
    return *r->at == '\0';
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool imf_fixdate(struct reader r, struct date *date)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu",
                                       "Fri", "Sat", "Sun"};

    return word(&r, days, 7) >= 0 && literal(&r, ", ") &&
           digits(&r, 2, &date->day) && literal(&r, " ") && month(&r, date) &&
           literal(&r, " ") && digits(&r, 4, &date->year) && literal(&r, " ") &&
           time_of_day(&r, date) && literal(&r, " GMT") && end(&r);
}

/* Sunday, 06-Nov-94 08:49:37 GMT.  The window for its two digits is fixed,
 * so that this stays a pure function: RFC 9110 asks for one of 50 years
 * around now, which reads every date near now the same until 2069. */
static bool rfc850(struct reader r, struct date *date)
{
    static const char *const days[] = {"Monday",   "Tuesday", "Wednesday",
                                       "Thursday", "Friday",  "Saturday",
                                       "Sunday"};

    if (word(&r, days, 7) < 0 || !literal(&r, ", ") ||
        !digits(&r, 2, &date->day) || !literal(&r, "-") || !month(&r, date) ||
        !literal(&r, "-") || !digits(&r, 2, &date->year) || !literal(&r, " ") ||
        !time_of_day(&r, date) || !literal(&r, " GMT") || !end(&r))
        return false;
    date->year += date->year < 70 ? 2000 : 1900;
    return true;
}

/* Sun Nov  6 08:49:37 1994 */
static bool asctime_date(struct reader r, struct date *date)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu",
                                       "Fri", "Sat", "Sun"};

    if (word(&r, days, 7) < 0 || !literal(&r, " ") || !month(&r, date) ||
        !literal(&r, " "))
        return false;
    if (literal(&r, " ") ? !digits(&r, 1, &date->day)
                         : !digits(&r, 2, &date->day))
        return false;
    return literal(&r, " ") && time_of_day(&r, date) && literal(&r, " ") &&
           digits(&r, 4, &date->year) && end(&r);
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool exists(const struct date *date)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30,
                                  31, 31, 30, 31, 30, 31};
    int length = lengths[date->month];

    if (date->month == 1 && is_leap(date->year))
        length++;
    /* Second 60 is a leap second (RFC 9110 section 5.6.7). */
    return date->day >= 1 && date->day <= length && date->hour <= 23 &&
           date->minute <= 59 && date->second <= 60;
}

/* Days since 1970-01-01 in the Gregorian calendar, counted in years that
 * begin in March, so that the leap day is the last one. */
static int64_t days_since_epoch(const struct date *date)
{
    int64_t y = date->month < 2 ? date->year - 1 : date->year;
    int64_t m = (date->month + 10) % 12;
    int64_t day_of_year = (153 * m + 2) / 5 + date->day - 1;

    return 365 * y + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

int64_t weir_http_date(const char *text)
{
    struct reader r = {text};
    struct date date;
    int64_t seconds;

    if (!imf_fixdate(r, &date) && !rfc850(r, &date) && !asctime_date(r, &date))
        return -1;
    if (!exists(&date) || date.year < 1970)
        return -1;
    seconds = days_since_epoch(&date) * 86400 + date.hour * 3600 +
              date.minute * 60 + date.second;
    return seconds * 1000;
}
