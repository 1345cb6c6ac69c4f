"""Bundles that somebody made to do harm, or that lost something on the way:
each is refused by the name of its fault, and nothing of it runs."""

import io
import struct
import tarfile
import zipfile

import pytest

from bundle_fixture import LINE, MANIFEST, archive, bundle_of, entry, manifest_of

MAIN = b"print('it has run')\n"


def hostile(extra=(), files=None, **more):
    return bundle_of(files or {"main.lua": MAIN}, extra=extra, **more)


def patched(name, instead):
    """A bundle with a file of that name, which is then written over in both
    places: names that Python does not write."""
    made = hostile(extra=[(name, b"x")])
    assert made.count(name.encode()) == 2 and len(name) == len(instead)
    return made.replace(name.encode(), instead)


def tar_of(header):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.addfile(header)
    return out.getvalue()


def refused(run_bundle, data, why, code=4):
    result = run_bundle(data)
    assert "it has run" not in result.stdout
    assert result.returncode == code, result.stderr
    assert why in result.stderr
    assert result.stderr.count("\n") == 1
    return result


def test_what_is_sound_runs(run_bundle):
    result = run_bundle(hostile())
    assert (result.returncode, result.stdout, result.stderr) == (0, "it has run\n", "")


@pytest.mark.parametrize("name,why", [
    ("../x.lua", "file name \"../x.lua\" has a '..' part, which leads out of the bundle"),
    ("a/../../x", "has a '..' part"),
    ("/etc/cron.d/x", "is absolute"),
    ("C:/x", "is absolute: it begins with a drive"),
    ("./x", "has a '.' part"),
    ("a//x", "has an empty part"),
    ("a\x1b[2Jx", "has a control character"),
    ("x" * 300, "is longer than 255 bytes"),
    ("main.lua/x", 'the name "main.lua" is that of a file and that of a folder'),
    ("MAIN.lua", 'the file names "main.lua" and "MAIN.lua" differ in case only'),
    ("extra.lua", "extra.lua is in the archive, and not in the manifest"),
])
def test_names(run_bundle, name, why):
    refused(run_bundle, hostile(extra=[(name, b"x")]), why)


@pytest.mark.parametrize("instead,why", [
    (b"aa\x00bbb", "has a NUL byte"),
    (b"aa\xffbbb", "is not UTF-8"),
    (b"aa\\bbb", "has a backslash"),
    ("aaäbb".encode(), "is not marked as UTF-8"),
    (b"..\\\\bb", "has a backslash"),
])
def test_names_written_by_hand(run_bundle, instead, why):
    refused(run_bundle, patched("qqqqqq", instead), why)


def test_a_name_twice(run_bundle):
    with pytest.warns(UserWarning, match="Duplicate name"):
        made = hostile(extra=[("main.lua", b"os.execute('true')")])
    refused(run_bundle, made, 'two files have the name "main.lua" (duplicate name)')


@pytest.mark.parametrize("mode,why", [
    (0o120777, "is a symbolic link"),
    (0o020666, "is a device"),
    (0o060666, "is a device"),
    (0o010666, "is a named pipe (device)"),
    (0o140777, "is a socket (device)"),
    (0o040755, "is a folder with an entry of its own"),
])
def test_kinds(run_bundle, mode, why):
    refused(run_bundle, hostile(extra=[(entry("x", mode), b"/etc/passwd")]), f'"x" {why}')


@pytest.mark.parametrize("kind,name", [
    (tarfile.SYMTYPE, "x"), (tarfile.LNKTYPE, "x"), (tarfile.CHRTYPE, "x"), (tarfile.REGTYPE, "../x"),
])
def test_another_kind_of_archive(run_bundle, kind, name):
    header = tarfile.TarInfo(name)
    header.type = kind
    header.linkname = "/etc/passwd"
    refused(run_bundle, tar_of(header), "is no bundle")
    refused(run_bundle, LINE + b"PK\3\4" + tar_of(header), "it is cut short, or no archive")


# Bombs ------------------------------------------------------------------------


def test_a_bomb_by_ratio(run_bundle):
    bomb = entry("zeros", method=zipfile.ZIP_DEFLATED)
    refused(run_bundle, hostile(extra=[(bomb, bytes(10_000_000))]),
            '"zeros" is compressed: 10000000 bytes from')


def test_a_bomb_by_count(run_bundle):
    many = [(f"{i:05}", b"") for i in range(5000)]
    refused(run_bundle, hostile(extra=many), "at most 4096 are allowed (count of a bomb)")


def test_a_bomb_by_size(run_bundle):
    made = bytearray(hostile(extra=[("big", b"x")]))
    at = made.rindex(b"PK\1\2")
    struct.pack_into("<II", made, at + 20, 0x7FFFFFFF, 0x7FFFFFFF)
    refused(run_bundle, bytes(made), "(size of a bomb)")


def test_one_file_for_many_entries(run_bundle):
    """Entries of the directory that share the bytes of one file (a quine of a
    bomb: https://www.bamsoftware.com/hacks/zipbomb/)."""
    made = hostile(extra=[("big", b"x" * 1000)])
    at = made.rindex(b"PK\1\2")
    end = made.rindex(b"PK\5\6")
    record = bytearray(made[at:end])
    record[46:49] = b"bug"
    size, = struct.unpack_from("<I", made, end + 12)
    tail = bytearray(made[end:])
    struct.pack_into("<HHI", tail, 8, 4, 4, size + len(record))
    refused(run_bundle, made[:end] + bytes(record) + bytes(tail), "overlapping or hidden bytes")


# What is too little, and too much ------------------------------------------------


def test_cut_short_anywhere(run_bundle, run_weir, tmp_path):
    made = hostile()
    for length in range(24, len(made), 97):
        refused(run_bundle, made[:length], "cut short")


def test_a_tail(run_bundle):
    refused(run_bundle, hostile() + b"\0", "1 bytes stand after the end of the archive (trailing tail)")
    refused(run_bundle, hostile() + hostile(), "stand before the archive")


def test_bytes_between(run_bundle):
    made = hostile()
    at = made.index(b"PK\1\2")
    end = made.rindex(b"PK\5\6")
    tail = bytearray(made[end:])
    before, = struct.unpack_from("<I", tail, 16)
    struct.pack_into("<I", tail, 16, before + 5)
    refused(run_bundle, made[:at] + b"extra" + made[at:end] + bytes(tail), "(hidden bytes)")


def test_another_first_line(run_bundle):
    refused(run_bundle, hostile(line=b"#!/bin/sh\n"), "stand before the archive, and they are not")


def test_two_names_for_one_file(run_bundle):
    """The file's own header says another name than the directory: one reader
    would see this, another that."""
    made = bytearray(hostile(extra=[("first.lua", b"x")]))
    at = made.index(b"first.lua")
    made[at:at + 9] = b"other.lua"
    refused(run_bundle, bytes(made), "has another name in its own header")


def test_encrypted(run_bundle):
    made = bytearray(hostile(extra=[("x", b"x")]))
    at = made.rindex(b"PK\1\2")
    made[at + 8] |= 1
    refused(run_bundle, bytes(made), '"x" is encrypted')


# The manifest -----------------------------------------------------------------------


def test_a_file_that_is_missing(run_bundle):
    files = {"main.lua": MAIN, "gone.lua": b"return 1\n"}
    made = LINE + archive([(MANIFEST, manifest_of(files)), ("main.lua", MAIN)])
    refused(run_bundle, made, "gone.lua is in the manifest, and not in the archive (missing file)")


def test_another_file_than_the_manifest_tells_of(run_bundle):
    made = LINE + archive([(MANIFEST, manifest_of({"main.lua": MAIN})),
                           ("main.lua", MAIN.replace(b"it", b"IT"))])
    refused(run_bundle, made, "main.lua is not the file that the manifest tells of")


def test_without_a_manifest(run_bundle):
    refused(run_bundle, LINE + archive([("main.lua", MAIN)]),
            "is an archive, but no bundle: its first file is not weir-manifest.json")


@pytest.mark.parametrize("more,why", [
    ({"nmae": "x"}, "manifest.json: unknown member \"nmae\" (did you mean \"name\"?)"),
    ({"name": "a b"}, "/name: must be letters"),
    ({"version": "1"}, "/version: version \"1\" must be three numbers"),
    ({"main": "other.lua"}, None),
    ({"format": 2}, "has format 2, and this weir reads format 1"),
    ({"needs": {"nett": []}}, "/needs: "),
    ({"needs": {"net": "tenant"}}, "/needs: "),
    ({"needs": None}, "/needs: must be object, not null"),
    ({"expires": "soon"}, "/expires: expected a day such as 2027-01-31"),
    ({"args": {"params": [{"nome": "x"}]}}, "/args/params/0: unknown member"),
    ({"args": {"about": "\x1b]0;x\x07", "params": []}}, "/args: has a control character"),
])
def test_a_manifest_with_a_fault(run_bundle, more, why):
    main = more.pop("main", "main.lua")
    data = hostile(**more) if main == "main.lua" else bundle_of({"main.lua": MAIN}, main=main)
    refused(run_bundle, data, why or '/main: "other.lua" is none of the files')


def test_words_of_the_author_look_like_ours(run_weir, tmp_path):
    """Lines of inspect that begin as ours do are ours."""
    path = tmp_path / "x.weir"
    lie = "signed by ops (key 0123456789ABCDEF), which is trusted here"
    path.write_bytes(hostile(args={
        "about": f"Fine.\n\nsignature {lie}\n  signature {lie}\n",
        "params": [{"name": "a", "help": f"x\n  signature {lie}", "choices": [f"y\n  signature {lie}"]}]}))
    shown = run_weir("bundle", "inspect", path).stdout
    assert shown.count(lie) == 4
    assert [line for line in shown.split("\n") if line.startswith(("  signature", "signature"))] == [
        "  signature not signed"]
    assert "            signature signed by ops" in shown


def test_what_this_host_cannot_run(run_bundle):
    refused(run_bundle, hostile(weir="99.0.0"), "needs weir 99.0.0 or newer, and this is weir", code=5)
    refused(run_bundle, hostile(expires="2020-01-31T23:59:59Z"),
            '"test" 1.0.0 expired on 2020-01-31T23:59:59Z', code=5)
