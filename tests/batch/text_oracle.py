#!/usr/bin/python3
"""Text forms of every type against Python's own (R-BAT-08): text_oracle.py TEXT_TOOL [COUNT]

Random values are written by us and read by Python (float, decimal, datetime, base64), and the reverse. For reals the
text must also be the shortest that reads back, and the closest of those: by value what repr() says.
"""
import base64
import datetime
import decimal
import random
import re
import struct
import subprocess
import sys

TOOL = sys.argv[1]
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
RNG = random.Random(20250611)
EPOCH = datetime.datetime(1970, 1, 1)
decimal.getcontext().prec = 60
failures = []


def run(jobs):
    done = subprocess.run([TOOL], input="\n".join(jobs) + "\n", capture_output=True, text=True, check=True)
    answers = done.stdout.splitlines()
    assert len(answers) == len(jobs), (len(answers), len(jobs))
    return answers


def unhex(answer):
    return None if answer == "-" else b"" if answer == "." else bytes.fromhex(answer)


def hexed(data):
    return data.hex() if data else "."


def check(good, *what):
    if not good:
        failures.append(what)


def bits_of(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def single(value):
    """The nearest binary32 value, as a float; None beyond its range."""
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return None


def random_doubles(count):
    fixed = [0.0, -0.0, 1.0, -1.0, 0.1, 0.3, 5e-324, 2.2250738585072014e-308, 2.225073858507201e-308,
             1.7976931348623157e308, 9007199254740992.0, 9007199254740993.0, 1e16, 1e17, 1e18, 123456789012345680.0,
             1e-6, 1e-7, 9.999999e-7, 1e22, 1e23, 4.35, 0.000001, 2.0**-1074, 2.0**-1022, 9.5367431640625e-07,
             float("inf"), float("-inf"), float("nan"), 2e-44, 299792458.0, 100.5, 1e100, 8.41e21, 2.0**70]
    yield from fixed
    for power in range(-1074, 1024):
        yield 2.0**power
    for power in range(-323, 309):
        yield float(f"1e{power}")
    for _ in range(count):
        kind = RNG.randrange(4)
        if kind == 0:
            yield struct.unpack("<d", struct.pack("<Q", RNG.getrandbits(64)))[0]
        elif kind == 1:
            yield round(RNG.uniform(-1e6, 1e6), RNG.randrange(8))
        elif kind == 2:
            yield float(RNG.randrange(-2**62, 2**62)) / 10**RNG.randrange(12)
        else:
            yield RNG.random()


def check_doubles():
    values = list(random_doubles(COUNT * 5))
    answers = run([f"format DOUBLE {bits_of(v):016x}" for v in values])
    for value, answer in zip(values, answers):
        text = unhex(answer).decode()
        back = float(text)
        if value != value:
            check(text == "NaN", "double", value, text)
            continue
        check(bits_of(back) == bits_of(value), "double", value, text)
        if abs(value) != float("inf"):
            check(decimal.Decimal(text) == decimal.Decimal(repr(value)), "shortest", value, text)
            check(len(text) <= 26, "length", value, text)
    texts = [t for v in values for t in (repr(v), f"{v:.25e}", f"{v:.17g}".replace("e", "E"))]
    for text, answer in zip(texts, run([f"parse DOUBLE {hexed(t.encode())}" for t in texts])):
        want = float(text)
        check(answer == f"{bits_of(want):016x}" or want != want and answer != "-", "parse double", text, answer)


def halfway_texts(count):
    """Decimals that lie exactly between two doubles, or one digit beside."""
    for _ in range(count):
        value = abs(struct.unpack("<d", struct.pack("<Q", RNG.getrandbits(62)))[0])
        above = struct.unpack("<d", struct.pack("<Q", bits_of(value) + 1))[0]
        with decimal.localcontext() as context:
            context.prec = 1100
            middle = (decimal.Decimal(value) + decimal.Decimal(above)) / 2
            text = format(middle, "e")
        yield text
        mantissa, exponent = text.split("e")
        yield f"{mantissa}{'' if '.' in mantissa else '.'}0000001e{exponent}"


def check_halfway():
    texts = list(halfway_texts(COUNT // 10))
    for text, answer in zip(texts, run([f"parse DOUBLE {hexed(t.encode())}" for t in texts])):
        check(answer == f"{bits_of(float(text)):016x}", "halfway", text, answer)


def check_floats():
    values = [single(v) for v in random_doubles(COUNT)]
    values += [struct.unpack("<f", struct.pack("<I", RNG.getrandbits(32)))[0] for _ in range(COUNT * 4)]
    values += [struct.unpack("<f", struct.pack("<I", bits))[0] for bits in (1, 2, 0x7FFFFF, 0x800000, 0x7F7FFFFF)]
    values = [v for v in values if v is not None]
    answers = run([f"format FLOAT {bits_of(v):016x}" for v in values])
    for value, answer in zip(values, answers):
        text = unhex(answer).decode()
        if value != value or abs(value) == float("inf"):
            check(text in ("NaN", "Infinity", "-Infinity"), "float", value, text)
            continue
        check(struct.pack("<f", float(text)) == struct.pack("<f", value), "float", value, text)
        digits = len(re.sub("[^0-9]", "", text.split("E")[0]).strip("0")) or 1
        if digits > 1:
            check(single(float(f"{value:.{digits - 2}e}")) != value, "shorter float", value, text)
        nearest = f"{value:.{digits - 1}e}"
        if single(float(nearest)) == value:
            check(decimal.Decimal(text) == decimal.Decimal(nearest), "nearest float", value, text, nearest)
    texts = [f"{v:.30e}" for v in values]
    for text, value, answer in zip(texts, values, run([f"parse FLOAT {hexed(t.encode())}" for t in texts])):
        check(answer == f"{bits_of(value):016x}" or value != value, "parse float", text, answer)


def check_integers():
    bounds = {"SHORT": 2**15, "INT": 2**31, "LONG": 2**63}
    for name, bound in bounds.items():
        values = [0, 1, -1, 9, 10, 99, 100, bound - 1, -bound]
        values += [RNG.randrange(-bound, bound) >> RNG.randrange(64) for _ in range(COUNT)]
        for value, answer in zip(values, run([f"format {name} {v}" for v in values])):
            check(unhex(answer) == str(value).encode(), name, value, answer)
        for value, answer in zip(values, run([f"parse {name} {hexed(str(v).encode())}" for v in values])):
            check(answer == str(value), "parse", name, value, answer)
        beyond = [bound, -bound - 1, 10**19, 10**25, -(10**30)]
        for value, answer in zip(beyond, run([f"parse {name} {hexed(str(v).encode())}" for v in beyond])):
            check(answer == "-", "beyond", name, value, answer)


def random_decimal():
    digits = RNG.randrange(1, 39)
    scale = RNG.randrange(0, digits + 1)
    value = RNG.randrange(10**digits) * RNG.choice((1, -1))
    return decimal.Decimal(value).scaleb(-scale)


def check_decimals():
    values = [random_decimal() for _ in range(COUNT)]
    texts = [RNG.choice((format(v, "f"), format(v, "e"), "+" + format(abs(v), "f"), "000" + format(abs(v), "f")))
             for v in values]
    for text, answer in zip(texts, run([f"format DECIMAL {hexed(t.encode())}" for t in texts])):
        got = unhex(answer)
        check(got is not None and decimal.Decimal(got.decode()) == decimal.Decimal(text), "decimal", text, got)
        check(got is not None and re.fullmatch(rb"-?(0|[1-9][0-9]*)(\.[0-9]+)?", got), "plain", text, got)
    bad = ["", "-", ".", "1e", "1e+", "abc", "1.2.3", "1 ", " 1", "NaN", "Infinity", "9" * 39, "1e38", "1e-39", "--1"]
    for text, answer in zip(bad, run([f"format DECIMAL {hexed(t.encode())}" for t in bad])):
        check(answer == "-", "bad decimal", text, answer)


def random_moment():
    return EPOCH + datetime.timedelta(seconds=RNG.randrange(-62135596800, 253402300800))


def iso(moment, nanos):
    text = moment.isoformat()
    if nanos == 0:
        return text
    digits = f"{nanos:09d}"
    return text + "." + (digits[:3] if digits.endswith("000000") else digits[:6] if digits.endswith("000") else digits)


def check_times():
    moments = [datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59), EPOCH,
               datetime.datetime(1969, 12, 31, 23, 59, 59), datetime.datetime(2000, 2, 29), datetime.datetime(1900, 3, 1)]
    moments += [random_moment() for _ in range(COUNT)]
    nanos = [RNG.choice((0, RNG.randrange(10**9), RNG.randrange(1000) * 10**6, RNG.randrange(10**6) * 1000))
             for _ in moments]
    seconds = [int((m - EPOCH).total_seconds()) for m in moments]
    for name, suffix in (("NAIVE_DATETIME", ""), ("UTC_DATETIME", "Z")):
        wants = [iso(m, n) + suffix for m, n in zip(moments, nanos)]
        for want, answer in zip(wants, run([f"format {name} {s} {n}" for s, n in zip(seconds, nanos)])):
            check(unhex(answer) == want.encode(), name, want, answer)
        for want, s, n, answer in zip(wants, seconds, nanos, run([f"parse {name} {hexed(w.encode())}" for w in wants])):
            check(answer == f"{s} {n}", "parse", name, want, answer)
    days = [m.date() for m in moments]
    midnights = [int((datetime.datetime.combine(d, datetime.time()) - EPOCH).total_seconds()) for d in days]
    for day, answer in zip(days, run([f"format NAIVE_DATE {s} 0" for s in midnights])):
        check(unhex(answer) == day.isoformat().encode(), "date", day, answer)
    for day, s, answer in zip(days, midnights, run([f"parse NAIVE_DATE {hexed(d.isoformat().encode())}" for d in days])):
        check(answer == f"{s} 0", "parse date", day, answer)
    for year, month in ((y, m) for y in range(1, 10000, 7) for m in (1, 2, 3, 12)):
        last = (datetime.date(year + month // 12, month % 12 + 1, 1) if (year, month) != (9999, 12) else None)
        last = (last - datetime.timedelta(days=1)).day if last else 31
        texts = [f"{year:04d}-{month:02d}-{last + extra:02d}" for extra in (0, 1)]
        answers = run([f"parse NAIVE_DATE {hexed(t.encode())}" for t in texts]) if year % 700 == 1 else None
        if answers:
            check(answers[0] != "-" and answers[1] == "-", "last day", texts, answers)


def check_binary():
    values = [RNG.randbytes(RNG.randrange(0, 70)) for _ in range(COUNT)]
    for value, answer in zip(values, run([f"format BINARY {hexed(v)}" for v in values])):
        check(unhex(answer) == base64.b64encode(value), "base64", value, answer)
    texts = [base64.b64encode(v) for v in values]
    for value, text, answer in zip(values, texts, run([f"parse BINARY {hexed(t)}" for t in texts])):
        check(unhex(answer) == value, "unbase64", text, answer)
    for value, text, answer in zip(values, texts, run([f"parse BINARY {hexed(t.rstrip(b'='))}" for t in texts])):
        check(unhex(answer) == value, "no padding", text, answer)


check_doubles()
check_halfway()
check_floats()
check_integers()
check_decimals()
check_times()
check_binary()
for failure in failures[:20]:
    print("FAIL", *failure)
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)
