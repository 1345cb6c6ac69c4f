#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlite_late.h"

/* "weir", in the file's header: what the database is for. */
#define APPLICATION 0x77656972
#define SCHEMA      1 /* raised with every change that old programs misread */

enum statement { BEGIN, CLEAR, PUT, DROP, COMMIT, STATEMENTS };

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [CLEAR] = "DELETE FROM item",
    [PUT] = "INSERT OR REPLACE INTO item(kind, key, value) VALUES(?1, ?2, ?3)",
    [DROP] = "DELETE FROM item WHERE kind = ?1 AND key = ?2",
    [COMMIT] = "COMMIT",
};

struct state {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    char *path;
    /* What was not synced may be gone although a second fsync succeeds. */
    bool sync_failed;
};

/* ---- what went wrong ---- */

static enum weir_code set_io(struct weir_err *err, const char *path,
                             const char *what)
{
    return weir_err_set(err, WEIR_IO, "state file %s: %s", path, what);
}

static enum weir_code set_errno(struct weir_err *err, const char *path,
                                int number)
{
    char text[128];

    return set_io(err, path, strerror_r(number, text, sizeof(text)));
}

/* Says who has the file, as the kernel knows it. */
static enum weir_code set_locked(struct weir_err *err, const char *path)
{
    /* The bytes that SQLite locks, see its file format, "lock-byte page". */
    struct flock lock = {.l_type = F_WRLCK,
                         .l_whence = SEEK_SET,
                         .l_start = 0x40000000,
                         .l_len = 512};
    char holder[96] = "another program", name[32] = "", file[64];
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0 || fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
        lock.l_pid = 0; /* gone in the meantime, or not to be known */
    if (lock.l_pid > 0)
        snprintf(holder, sizeof(holder), "process %d", (int)lock.l_pid);
    snprintf(file, sizeof(file), "/proc/%d/comm", (int)lock.l_pid);
    if (fd >= 0)
        close(fd);
    fd = lock.l_pid > 0 ? open(file, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        ssize_t n = read(fd, name, sizeof(name) - 1);

        name[n > 0 ? n : 0] = '\0';
        name[strcspn(name, "\n")] = '\0';
        close(fd);
    }
    weir_err_set(err, WEIR_LOCKED, "state file %s is held by %s%s%s%s", path,
                 holder, *name ? " (" : "", name, *name ? ")" : "");
    weir_err_hint(err, "end that one first, or use another file");
    return WEIR_LOCKED;
}

/* The database's last error as ours. */
static enum weir_code set_failed(struct state *state, struct weir_err *err)
{
    int code = sim_sqlite.extended_errcode(state->db);
    int number = sim_sqlite.system_errno(state->db);

    if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
        state->sync_failed = true;
    switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return set_locked(err, state->path);
    case SQLITE_NOMEM: return weir_err_nomem(err);
    case SQLITE_NOTADB:
        return set_io(err, state->path,
                      "not a state file of the simulator; left as it is");
    case SQLITE_CORRUPT: return set_io(err, state->path, "it is damaged");
    case SQLITE_FULL: return set_io(err, state->path, "the disk is full");
    case SQLITE_READONLY:
        return set_io(err, state->path, "it, or its folder, cannot be written");
    default: break;
    }
    return number ? set_errno(err, state->path, number)
                  : set_io(err, state->path, sim_sqlite.errmsg(state->db));
}

/* ---- opening ---- */

static enum weir_code run(struct state *state, const char *sql,
                          struct weir_err *err)
{
    return sim_sqlite.exec(state->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? WEIR_OK
               : set_failed(state, err);
}

/* The first column of the first row, a number. */
static enum weir_code ask(struct state *state, const char *sql, int64_t *out,
                          struct weir_err *err)
{
    sqlite3_stmt *statement;
    int code = sim_sqlite.prepare_v2(state->db, sql, -1, &statement, NULL);

    if (code == SQLITE_OK) {
        code = sim_sqlite.step(statement);
        if (code == SQLITE_ROW)
            *out = sim_sqlite.column_int64(statement, 0);
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        enum weir_code failed = set_failed(state, err);

        sim_sqlite.finalize(statement);
        return failed;
    }
    sim_sqlite.finalize(statement);
    return WEIR_OK;
}

/* Nothing but an ordinary file that is empty or a database is opened at all.
 * One that is not there is made here: SQLite, refused, would try to read it
 * and say that it is not there. */
static enum weir_code check_file(const char *path, struct weir_err *err)
{
    static const char magic[16] = "SQLite format 3";
    char start[sizeof(magic)] = "";
    struct stat info;
    ssize_t n;
    int fd;

    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return set_io(err, path, "not an ordinary file");
    fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return set_errno(err, path, errno);
    n = read(fd, start, sizeof(start));
    close(fd);
    if (n < 0)
        return set_errno(err, path, EIO);
    if (n == 0 || memcmp(start, magic, sizeof(magic)) == 0)
        return WEIR_OK;
    return set_io(err, path,
                  "not a state file of the simulator; left as it is");
}

/* Ours, new, or somebody else's: nothing has been written yet. */
static enum weir_code check_schema(struct state *state, bool *is_new,
                                   struct weir_err *err)
{
    int64_t application = 0, schema = 0, tables = 0, faults = 0;
    enum weir_code code =
        ask(state, "PRAGMA application_id", &application, err);

    if (code == WEIR_OK)
        code = ask(state, "PRAGMA user_version", &schema, err);
    if (code == WEIR_OK)
        code = ask(state, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (code)
        return code;
    *is_new = application == 0 && schema == 0 && tables == 0;
    if (*is_new)
        return WEIR_OK;
    if (application != APPLICATION)
        return set_io(err, state->path,
                      "a database of something else; left as it is");
    if (schema > SCHEMA) {
        weir_err_set(err, WEIR_IO,
                     "state file %s: written by a newer weir (schema %lld, "
                     "this one knows %d); left as it is",
                     state->path, (long long)schema, SCHEMA);
        weir_err_hint(err, "use that version, or another file");
        return WEIR_IO;
    }
    /* Reading every page once finds damage before anything builds on it. */
    code = ask(state,
               "SELECT count(*) FROM pragma_quick_check(1)"
               " WHERE quick_check <> 'ok'",
               &faults, err);
    return code == WEIR_OK && faults > 0
               ? set_io(err, state->path, "it is damaged")
               : code;
}

static enum weir_code make_schema(struct state *state, struct weir_err *err)
{
    char sql[512];

    snprintf(sql, sizeof(sql),
             "BEGIN IMMEDIATE;"
             "CREATE TABLE item(kind TEXT NOT NULL, key NOT NULL,"
             " value TEXT NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID;"
             "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
             APPLICATION, SCHEMA);
    return run(state, sql, err);
}

static enum weir_code prepare(struct state *state, struct weir_err *err)
{
    for (int i = 0; i < STATEMENTS; i++) {
        if (sim_sqlite.prepare_v3(state->db, texts[i], -1,
                                  SQLITE_PREPARE_PERSISTENT,
                                  &state->statements[i], NULL) != SQLITE_OK)
            return set_failed(state, err);
    }
    return WEIR_OK;
}

static enum weir_code open_database(struct state *state, struct weir_err *err)
{
    bool is_new = false;
    enum weir_code code = check_file(state->path, err);

    if (code)
        return code;
    if (sim_sqlite.open_v2(state->path, &state->db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                               SQLITE_OPEN_EXRESCODE,
                           NULL) != SQLITE_OK)
        return state->db ? set_failed(state, err) : weir_err_nomem(err);
    if (sim_sqlite.db_readonly(state->db, "main") == 1)
        return set_io(err, state->path, "it cannot be written");
    code = run(state, "PRAGMA locking_mode = EXCLUSIVE", err);
    if (code == WEIR_OK)
        code = check_schema(state, &is_new, err);
    if (code == WEIR_OK)
        code = run(state,
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                   "BEGIN IMMEDIATE; COMMIT",
                   err);
    if (code == WEIR_OK && is_new)
        code = make_schema(state, err);
    if (code == WEIR_OK)
        code = prepare(state, err);
    return code;
}

enum weir_code state_open(const char *path, struct state **out,
                          struct weir_err *err)
{
    struct state *state;
    enum weir_code code;

    code = sim_sqlite_load(err);
    if (code)
        return code;
    state = calloc(1, sizeof(*state));
    if (!state)
        return weir_err_nomem(err);
    state->path = strdup(path);
    code = state->path ? open_database(state, err) : weir_err_nomem(err);
    if (code) {
        state_close(state);
        return code;
    }
    *out = state;
    return WEIR_OK;
}

void state_close(struct state *state)
{
    if (!state)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        sim_sqlite.finalize(state->statements[i]);
    sim_sqlite.close(state->db);
    free(state->path);
    free(state);
}

/* ---- reading ---- */

static bool show_row(sqlite3_stmt *row, state_item_fn *fn, void *ud)
{
    const char *kind = (const char *)sim_sqlite.column_text(row, 0);
    struct state_key key = {.number = sim_sqlite.column_int64(row, 1)};
    const char *value;

    if (sim_sqlite.column_type(row, 1) != SQLITE_INTEGER) {
        key.text = (const char *)sim_sqlite.column_text(row, 1);
        key.len = (size_t)sim_sqlite.column_bytes(row, 1);
    }
    value = (const char *)sim_sqlite.column_text(row, 2);
    return fn(ud, kind ? kind : "", &key, value ? value : "",
              (size_t)sim_sqlite.column_bytes(row, 2));
}

enum weir_code state_each(struct state *state, state_item_fn *fn, void *ud,
                          struct weir_err *err)
{
    sqlite3_stmt *rows;
    int code = sim_sqlite.prepare_v2(
        state->db, "SELECT kind, key, value FROM item ORDER BY kind, key", -1,
        &rows, NULL);
    enum weir_code failed;

    if (code == SQLITE_OK) {
        while ((code = sim_sqlite.step(rows)) == SQLITE_ROW) {
            if (!show_row(rows, fn, ud))
                break;
        }
    }
    failed = code == SQLITE_DONE || code == SQLITE_ROW ? WEIR_OK
                                                       : set_failed(state, err);
    sim_sqlite.finalize(rows);
    return failed;
}

/* ---- writing ---- */

static void undo(struct state *state)
{
    if (!sim_sqlite.get_autocommit(state->db))
        sim_sqlite.exec(state->db, "ROLLBACK", NULL, NULL, NULL);
}

static enum weir_code step(struct state *state, enum statement which,
                           struct weir_err *err)
{
    sqlite3_stmt *statement = state->statements[which];
    enum weir_code code = WEIR_OK;

    if (sim_sqlite.step(statement) != SQLITE_DONE)
        code = set_failed(state, err);
    sim_sqlite.reset(statement);
    sim_sqlite.clear_bindings(statement);
    if (code)
        undo(state);
    return code;
}

static void bind_key(sqlite3_stmt *statement, const char *kind,
                     const struct state_key *key)
{
    sim_sqlite.bind_text(statement, 1, kind, -1, SQLITE_STATIC);
    if (key->text)
        sim_sqlite.bind_text64(statement, 2, key->text, key->len, SQLITE_STATIC,
                               SQLITE_UTF8);
    else
        sim_sqlite.bind_int64(statement, 2, key->number);
}

enum weir_code state_begin(struct state *state, struct weir_err *err)
{
    if (state->sync_failed)
        return set_io(err, state->path,
                      "it could not be synced to disk before; start again");
    undo(state);
    return step(state, BEGIN, err);
}

enum weir_code state_clear(struct state *state, struct weir_err *err)
{
    return step(state, CLEAR, err);
}

enum weir_code state_put(struct state *state, const char *kind,
                         const struct state_key *key, const char *value,
                         size_t len, struct weir_err *err)
{
    sqlite3_stmt *statement = state->statements[PUT];

    bind_key(statement, kind, key);
    sim_sqlite.bind_text64(statement, 3, value, len, SQLITE_STATIC,
                           SQLITE_UTF8);
    return step(state, PUT, err);
}

enum weir_code state_drop(struct state *state, const char *kind,
                          const struct state_key *key, struct weir_err *err)
{
    bind_key(state->statements[DROP], kind, key);
    return step(state, DROP, err);
}

enum weir_code state_commit(struct state *state, struct weir_err *err)
{
    return step(state, COMMIT, err);
}
