"""The text forms of values (R-BAT-08) against wire values and Python values. Knows nothing of this project's code."""

import base64
import datetime
import decimal
import re
import struct

NANOS = 10**9
EPOCH = datetime.date(1970, 1, 1).toordinal()
MEMBERS = {
    "BOOLEAN": "bool",
    "SHORT": "short",
    "INT": "int",
    "LONG": "long",
    "DECIMAL": "decimal",
    "FLOAT": "float",
    "DOUBLE": "double",
    "NAIVE_DATE": "naive_date",
    "NAIVE_DATETIME": "naive_datetime",
    "UTC_DATETIME": "utc_datetime",
    "BINARY": "binary",
    "XML": "xml",
    "STRING": "string",
    "JSON": "json",
    "NAIVE_TIME": "naive_time",
}
BITS = {"SHORT": 16, "INT": 32, "LONG": 64}
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z?)")


def time_nanos(text):
    """Nanoseconds since 1970 of a date and time."""
    match = TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is no date and time")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"'{text}' is no time of a day")
    days = datetime.date(year, month, day).toordinal() - EPOCH
    return (days * 86400 + hour * 3600 + minute * 60 + second) * NANOS + int((match[7] or "0").ljust(9, "0"))


def single(text):
    """The nearest value of 32 bits."""
    return struct.unpack("<f", struct.pack("<f", float(text)))[0]


def canonical(kind, value):
    """A value read anywhere, as text or as what SQLite gives, in one form for comparing by value."""
    if value is None or value is False and kind != "BOOLEAN":
        return value
    if kind == "BOOLEAN":
        return {"true": True, "false": False, "1": True, "0": False, "True": True, "False": False}[str(value)]
    if kind in BITS:
        number = int(value)
        if not -(1 << BITS[kind] - 1) <= number < 1 << BITS[kind] - 1:
            raise ValueError(f"{number} is no {kind}")
        return number
    if kind == "DECIMAL":
        return decimal.Decimal(str(value))
    if kind == "FLOAT":
        return single(value)
    if kind == "DOUBLE":
        return float(value)
    if kind == "NAIVE_DATE":
        return datetime.date.fromisoformat(value).toordinal()
    if kind in ("NAIVE_DATETIME", "UTC_DATETIME"):
        return time_nanos(value)
    if kind == "BINARY":
        return base64.b64decode(value, validate=True) if isinstance(value, str) else bytes(value)
    return str(value)


def set_wire(wire, kind, text):
    """Fills a ValueType message from a cell's text, or None."""
    if text is None:
        wire.null = True
        return
    value = canonical(kind, text)
    member = MEMBERS[kind]
    if kind == "NAIVE_DATE":
        wire.naive_date.seconds = (value - EPOCH) * 86400
        wire.naive_date.SetInParent()
    elif kind in ("NAIVE_DATETIME", "UTC_DATETIME"):
        time = getattr(wire, member)
        time.seconds, time.nanos = divmod(value, NANOS)
        time.SetInParent()
    else:
        setattr(wire, member, text if kind == "DECIMAL" else value)


def wire_text(wire):
    """[member, text] of a ValueType; times as seconds with nine decimals, binary as base64."""
    member = wire.WhichOneof("inner")
    value = getattr(wire, member)
    if hasattr(value, "nanos"):
        if not 0 <= value.nanos < NANOS:
            raise ValueError(f"nanos {value.nanos}")
        return [member, f"{value.seconds}.{value.nanos:09d}"]
    if isinstance(value, bytes):
        return [member, base64.b64encode(value).decode()]
    return [
        member,
        (
            str(value).lower()
            if isinstance(value, bool)
            else repr(value) if isinstance(value, float) else str(value)
        ),
    ]
