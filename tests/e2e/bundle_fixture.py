"""Bundles for tests: made by weir, and made by hand."""

import hashlib
import io
import json
import stat
import zipfile

import pytest

LINE = b"#!/usr/bin/env weir\n"
MANIFEST = "weir-manifest.json"
NO_NEEDS = "declares no weir.needs, so the bundle may do nothing"


def entry(name, mode=0o100644, method=zipfile.ZIP_STORED):
    """A file's header as weir writes it, but for what is given."""
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.create_system = 3
    info.compress_type = method
    if stat.S_ISDIR(mode):
        info.external_attr |= 0x10
    return info


def manifest_of(files, main="main.lua", **more):
    """The manifest's text for {path: bytes}."""
    return json.dumps({
        "format": 1, "name": "test", "version": "1.0.0", "weir": "0.1.0",
        "main": main, "needs": {},
        "files": [
            {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for path, data in sorted(files.items(), key=lambda item: item[0].encode())],
        **more})


def archive(entries, method=zipfile.ZIP_STORED):
    """A ZIP of [(header or name, bytes)], in that order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for header, data in entries:
            if isinstance(header, str):
                header = entry(header, method=method)
            zipped.writestr(header, data, compress_type=header.compress_type)
    return out.getvalue()


def bundle_of(files, main="main.lua", extra=(), line=LINE, **more):
    """A bundle made by hand of {path: bytes}; `extra` entries are in the archive
    only, `more` goes into the manifest."""
    files = {path: data.encode() if isinstance(data, str) else data
             for path, data in files.items()}
    entries = [(MANIFEST, manifest_of(files, main, **more)), *files.items(), *extra]
    return line + archive(entries)


@pytest.fixture
def make_bundle(run_weir, script, tmp_path):
    """make_bundle({name: text}, *options) → path of the bundle of main.lua; what
    create said is its `.made`, and warnings but the one that most tests deserve,
    of no weir.needs, its `.warnings`."""

    def make(files, *options, main="main.lua", output="test.weir"):
        for name, text in files.items():
            script(text, name)
        path = tmp_path / output
        made = run_weir("bundle", "create", main, "-o", path, *options, cwd=tmp_path)
        assert made.returncode == 0, made.stderr
        make.made = made
        make.warnings = [line for line in made.stderr.splitlines() if NO_NEEDS not in line]
        return path

    return make


@pytest.fixture
def run_bundle(run_weir, tmp_path):
    """run_bundle(path or bytes, *arguments) runs it as if somebody had agreed."""

    def run(bundle, *arguments, **more):
        if isinstance(bundle, bytes):
            path = tmp_path / "by_hand.weir"
            path.write_bytes(bundle)
            bundle = path
        return run_weir("bundle", "run", "--accept", bundle, *arguments, **more)

    return run
