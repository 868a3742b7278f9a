"""A second oracle, written from protocol/rules.md alone: R-DST-04, R-DST-05, R-DST-07, R-BAT-09, R-HIS-01 to R-HIS-05.

A table is a list of rows, a row a dict from column name to text or None; every question is answered by looking at all
rows. Texts are those of R-BAT-08. `...` is an unmodified cell.
"""
import datetime
import decimal

UNMODIFIED = ...
MAX = "9999-12-31T23:59:59.999Z"
EPOCH = datetime.datetime(1970, 1, 1)


def nanos(text):
    """Nanoseconds since 1970 of a UTC_DATETIME."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    day = datetime.datetime.fromisoformat(whole) - EPOCH
    return (day.days * 86400 + day.seconds) * 10**9 + int(fraction.ljust(9, "0") or "0")


def time_text(value):
    """The other way round, with 0, 3, 6 or 9 digits."""
    seconds, rest = divmod(value, 10**9)
    text = (EPOCH + datetime.timedelta(seconds=seconds)).isoformat()
    for digits in (0, 3, 6, 9):
        if rest % 10 ** (9 - digits) == 0:
            return text + (f".{rest // 10 ** (9 - digits):0{digits}}" if digits else "") + "Z"


def value(type, text):
    """What two cells of a key are compared by (R-DST-07)."""
    if text is None:
        return None
    if type == "DECIMAL":
        return decimal.Decimal(text)
    if type in ("SHORT", "INT", "LONG"):
        return int(text)
    if type in ("FLOAT", "DOUBLE"):
        return "NaN" if text.lower() == "nan" else float(text)
    if type == "UTC_DATETIME":
        return nanos(text)
    return text


class Table:
    def __init__(self, columns):
        self.columns = columns  # (name, type, key)
        self.types = {name: type for name, type, _ in columns}
        self.keys = [name for name, _, key in columns if key]
        self.own = [name for name in self.keys if name != "_fivetran_start"] or self.keys
        self.rows = []

    def key(self, row, names):
        return [value(self.types[name], row[name]) for name in names]

    def find(self, row):
        for stored in self.rows:
            if self.key(stored, self.keys) == self.key(row, self.keys):
                return stored
        return None

    def versions(self, row):
        return [stored for stored in self.rows if self.key(stored, self.own) == self.key(row, self.own)]

    def whole(self, row):
        """A replace row: what the file lacks is NULL (R-BAT-09)."""
        return {name: None if row.get(name, UNMODIFIED) is UNMODIFIED else row[name] for name in self.types}

    def part(self, row):
        return {name: row.get(name, UNMODIFIED) for name in self.types}

    def put(self, row):
        stored = self.find(row)
        if stored is None:
            self.rows.append(dict(row))
        else:
            stored.update(row)

    def write(self, replace=(), update=(), delete=()):
        for row in replace:
            self.put(self.whole(row))
        for row in update:
            stored = self.find(row)
            if stored is not None:
                stored.update({name: cell for name, cell in row.items() if cell is not UNMODIFIED})
        for row in delete:
            stored = self.find(row)
            if stored is not None:
                self.rows.remove(stored)

    def truncate(self, column, before, deleted=None):
        for row in list(self.rows):
            if row[column] is None or nanos(row[column]) >= nanos(before):
                continue
            if deleted:
                row[deleted] = "true"
            else:
                self.rows.remove(row)

    def write_history(self, earliest=(), replace=(), update=(), delete=()):
        self.begin(earliest)
        self.add_versions(replace, update)
        for row in delete:
            self.end(row)

    def begin(self, earliest):
        """R-HIS-02; several rows for a key count as the smallest start."""
        for row in earliest:
            start = min(nanos(other["_fivetran_start"]) for other in earliest
                        if self.key(other, self.own) == self.key(row, self.own))
            for stored in self.versions(row):
                if nanos(stored["_fivetran_start"]) >= start:
                    self.rows.remove(stored)
                elif stored["_fivetran_active"] == "true":
                    stored.update(_fivetran_active="false", _fivetran_end=time_text(start - 10**6))

    def add_versions(self, replace, update):
        """R-HIS-03: together, by start; of one start the replace rows first, then the update rows, as they come."""
        coming = [(nanos(row["_fivetran_start"]), 0, number, self.whole(row)) for number, row in enumerate(replace)]
        coming += [(nanos(row["_fivetran_start"]), 1, number, self.part(row)) for number, row in enumerate(update)]
        for start, _, _, row in sorted(coming, key=lambda each: each[:3]):
            if UNMODIFIED in row.values():
                earlier = [stored for stored in self.versions(row) if nanos(stored["_fivetran_start"]) <= start]
                if not earlier:
                    continue
                nearest = max(earlier, key=lambda stored: nanos(stored["_fivetran_start"]))
                row = {name: nearest[name] if cell is UNMODIFIED else cell for name, cell in row.items()}
            self.put(row)

    def end(self, row):
        """R-HIS-04."""
        end = nanos(row["_fivetran_end"])
        earlier = [stored for stored in self.versions(row) if nanos(stored["_fivetran_start"]) <= end]
        if not earlier:
            return
        version = max(earlier, key=lambda stored: nanos(stored["_fivetran_start"]))
        later = version["_fivetran_end"] is not None and nanos(version["_fivetran_end"]) > end
        if version["_fivetran_active"] == "true" or later:
            version.update(_fivetran_active="false", _fivetran_end=row["_fivetran_end"])

    def picture(self):
        """All rows by value, in an order of their own."""
        return sorted(repr([value(type, row[name]) for name, type, _ in self.columns]) for row in self.rows)
