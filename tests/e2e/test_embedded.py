"""The embedded modules: run as compiled at build time, and compiled anew where
the Lua that is installed is not the one they were compiled by."""

import os
import re
import subprocess

import pytest

# Between weir and Lua: notes how each embedded chunk is loaded, and says what
# it is told about the release.
BETWEEN = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef IDENT
const char lua_ident[] = IDENT;
#endif

int luaL_loadbufferx(void *L, const char *text, size_t len, const char *name,
                     const char *mode)
{
    int (*real)(void *, const char *, size_t, const char *, const char *) =
        dlsym(RTLD_NEXT, "luaL_loadbufferx");
    FILE *notes = fopen(getenv("NOTES"), "a");

    if (name[0] == '=' && name[1] == '[')
        fprintf(notes, "%s %s\n", name + 1, mode);
    fclose(notes);
    return real(L, text, len, name, mode);
}
"""

SCRIPT = """
local cxone = require "cxone"
local tenant = cxone.connect()
for filter in tenant.filters:list() do print(filter.name) end
print(debug.getinfo(cxone.connect).linedefined)
tenant.filters:get("flt_of_nobody")
"""


@pytest.fixture(name="loaded")
def loaded_fixture(weir, tmp_path):
    """Runs the script → {chunk: mode}, and what was printed."""
    def loaded(*defines):
        source, library = tmp_path / "between.c", tmp_path / "between.so"
        notes, script = tmp_path / "notes", tmp_path / "script.lua"
        source.write_text(BETWEEN)
        script.write_text(SCRIPT)
        subprocess.run(["gcc", "-shared", "-fPIC", *defines, "-o", library,
                        source, "-ldl"], check=True)
        notes.write_text("")
        done = subprocess.run(
            [weir, "run", "--sim", "--traceback", script], check=False,
            capture_output=True, text=True, env={
                **os.environ, "LD_PRELOAD": str(library), "NOTES": str(notes),
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")
                + ":verify_asan_link_order=0"})
        assert "flt_of_nobody" in done.stderr and "traceback" in done.stderr
        err = re.sub(r"127.0.0.1:\d+", "ORIGIN", done.stderr)
        return (dict(line.split() for line in notes.read_text().splitlines()),
                (done.returncode, done.stdout, err))
    return loaded


def test_modules_are_run_as_they_were_compiled(loaded):
    modes, _ = loaded()
    assert "[cxone]" in modes and "[weir.page]" in modes
    assert set(modes.values()) == {"b"}


def test_another_release_of_lua_compiles_them_anew(loaded):
    _, shown = loaded()
    modes, same = loaded('-DIDENT="$LuaVersion: Lua 5.4.99  Copyright $"')
    assert "[cxone]" in modes and set(modes.values()) == {"t"}
    assert same == shown and shown[0] == 1
