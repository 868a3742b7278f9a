#!/usr/bin/env python3
"""The driver of the interoperability tests; docs/internals/interop.md tells what they show.

    run.py peers [go|python|node|java …]   fetch and build the foreign programs (kept for the next run)
    run.py cases PEER                      gRPC's official cases, PEER as client of ours and as server for ours
    run.py pair CLIENT SERVER [CASE …]     the same for any two of weir, go, python, node, java
    run.py h2spec                          h2spec, strict, on our server
    run.py grpcurl                         grpcurl asks a connector of ours through reflection
    run.py connectors PEER                 clients on python or node drive our source and destination
    run.py engine                          our engine drives a Python source and a Python destination
    run.py table                           the results of the last runs as Markdown

Exit code 0 passed, 1 failed, 77 skipped: what the test needs could not be had, and a line 'SKIP: …' says what.
WEIR_INTEROP=required makes a skip a failure.
"""

import argparse
import json
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import cases  # noqa: E402
import connectors  # noqa: E402
import engine  # noqa: E402
import grpcurl  # noqa: E402
import h2spec  # noqa: E402
import peers  # noqa: E402


def command_peers(options, built):
    built.require(*(options.words or peers.KINDS))
    for name, version in built.versions().items():
        peers.say(f"{name} {version}")
    return True


def program(options, name):
    path = Path(options.bin) / name
    if not path.exists():
        raise RuntimeError(f"{path} is not built")
    return str(path)


def run_pairs(options, built, pairs, only=()):
    weir = program(options, "weir_interop") if any("weir" in pair for pair in pairs) else None
    built.require(*{name for pair in pairs for name in pair if name != "weir"})
    good = True
    for client, server in pairs:
        results = cases.run_direction(client, server, built, weir, only)
        if not only:
            cases.save(Path(options.results) / "cases.json", {f"{client}->{server}": results})
        good = good and not any(outcome.startswith("fail") for outcome in results.values())
    return good


def command_cases(options, built):
    return run_pairs(
        options, built, [pair for peer in options.words for pair in ((peer, "weir"), ("weir", peer))]
    )


def command_pair(options, built):
    client, server, *only = options.words
    return run_pairs(options, built, [(client, server)], only)


def command_h2spec(options, built):
    built.require("go")
    return h2spec.run(
        built, [program(options, "weir_interop"), "server", "--port=0"], Path(options.results) / "h2spec.xml"
    )


def command_grpcurl(options, built):
    built.require("go")
    return grpcurl.run(built, [program(options, "source-files"), "--port", "0"])


def command_connectors(options, built):
    built.require(*options.words)
    return all(
        connectors.run(built, peer, program(options, "source-files"), program(options, "destination-sqlite"))
        for peer in options.words
    )


def command_engine(options, built):
    built.require("python")
    weir = program(options, "weir")
    engine.foreign_to_foreign(built, weir)
    engine.foreign_to_ours(built, weir, program(options, "destination-sqlite"))
    engine.files_to_foreign(built, weir, program(options, "source-files"))
    return True


def command_table(options, built):
    path = Path(options.results) / "cases.json"
    print(cases.table(json.loads(path.read_text()), built.versions()))
    return True


COMMANDS = {
    "peers": command_peers,
    "cases": command_cases,
    "pair": command_pair,
    "h2spec": command_h2spec,
    "grpcurl": command_grpcurl,
    "connectors": command_connectors,
    "engine": command_engine,
    "table": command_table,
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--peers", default=str(peers.ROOT / "build" / "interop-peers"), help="where the peers are built"
    )
    parser.add_argument(
        "--bin", default=str(peers.ROOT / "build" / "release" / "bin"), help="where our programs are"
    )
    parser.add_argument("--results", default=str(peers.ROOT / "build" / "interop-results"))
    parser.add_argument("--built-only", action="store_true", help="skip rather than build a missing peer")
    parser.add_argument("command", choices=sorted(COMMANDS))
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    built = peers.Peers(options.peers, options.built_only)
    try:
        return 0 if COMMANDS[options.command](options, built) else 1
    except peers.Skip as reason:
        print(f"SKIP: {options.command}: {reason}", flush=True)
        return 1 if os.environ.get("WEIR_INTEROP") == "required" else peers.SKIP_CODE
    except RuntimeError as error:
        print(f"FAIL: {options.command}: {error}", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
