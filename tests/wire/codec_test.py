"""Our codec against Python's protobuf: random messages of every type both ways, then damaged bytes.

Usage: codec_test.py DRIVER DESCRIPTORS SEED COUNT

For valid bytes the message that Python reads from what we write equals the one it wrote. For damaged bytes
both accept or both refuse, and what both accept reads the same. Differences that are meant: see `excused`.
"""
import random
import sys

from oracle import Driver, Maker, content, load_messages, parse, quiet

PACKAGES = ("fivetran_sdk.v2", "grpc.health.v1", "grpc.reflection.v1")


def excused(reason, theirs):
    # Ours stops at 64 levels of nesting, theirs at 100.
    return theirs is not None and b"nested too deep" in reason


def check(driver, name, kind, data, tally):
    theirs = parse(kind, data)
    accepted, answer = driver.ask("c", name, data)
    if accepted != (theirs is not None):
        if not accepted and excused(answer, theirs):
            tally["excused"] += 1
            return
        raise SystemExit(f"{name}: accepted by us: {accepted}, by Python: {theirs is not None}\n"
                         f"{data.hex()}\n{answer}")
    tally["accepted" if accepted else "refused"] += 1
    if not accepted:
        return
    ours = parse(kind, answer)
    if ours is None or content(ours) != content(theirs):
        raise SystemExit(f"{name}: differs\n{data.hex()}\n{answer.hex()}\ntheirs: {theirs}\nours: {ours}")


def main(program, descriptors, seed, count):
    quiet()
    rand = random.Random(int(seed))
    maker = Maker(rand)
    driver = Driver(program)
    kinds = load_messages(descriptors, PACKAGES)
    tally = {"accepted": 0, "refused": 0, "excused": 0}
    for round_number in range(int(count)):
        for name, kind in kinds.items():
            message = maker.fill(kind())
            data = message.SerializeToString()
            before = tally["accepted"]
            check(driver, name, kind, data, tally)
            if tally["accepted"] == before:
                raise SystemExit(f"{name}: a valid message was refused\n{data.hex()}")
            if round_number == 0:
                for end in range(min(len(data), 300)):
                    check(driver, name, kind, data[:end], tally)
            for _ in range(6):
                check(driver, name, kind, maker.mutate(data[:400] if rand.random() < 0.2 else data), tally)
    driver.close()
    print(f"{len(kinds)} message types, {tally}")
    if min(tally["accepted"], tally["refused"]) < 1000:
        raise SystemExit("too few of one kind to mean anything")


if __name__ == "__main__":
    main(*sys.argv[1:])
