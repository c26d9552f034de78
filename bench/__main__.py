"""`python -m bench [S1 S3 …]`: take the figures one after the other, keep each in a file, show all in one table."""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench import (
    consuming,
    footprint,
    listing,
    machine,
    order_to_everything,
    placing,
    relaying,
    report,
    waking,
)
from bench.figure import Measurement


@dataclass(frozen=True)
class Bench:
    name: str
    seconds: float
    """How long its load lasts unless told otherwise; starting and stopping the parts comes on top."""
    measure: Callable[[float], Measurement]


BENCHES = {
    "S1": Bench(placing.NAME, placing.SECONDS, placing.measure),
    "S2": Bench(order_to_everything.NAME, order_to_everything.SECONDS, order_to_everything.measure),
    "S3": Bench(relaying.NAME, relaying.SECONDS, relaying.measure),
    "S4": Bench(consuming.NAME, consuming.SECONDS, consuming.measure),
    "S5": Bench(listing.NAME, listing.SECONDS, listing.measure),
    "S7": Bench(waking.NAME, waking.SECONDS, waking.measure),
    "S8": Bench(footprint.NAME, footprint.SECONDS, footprint.measure),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("ids", nargs="*", metavar="ID", help=f"of {', '.join(BENCHES)}; all of them unless named")
    parser.add_argument("--seconds", type=float, help="another length of the load; such a figure is shown, not kept")
    arguments = parser.parse_args()
    if unknown := set(arguments.ids) - BENCHES.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}: name some of {', '.join(BENCHES)}")
    found = {each: _take(each, arguments.seconds) for each in arguments.ids or BENCHES}
    report.show(found)


def _take(bench_id: str, seconds: float | None) -> Measurement:
    bench = BENCHES[bench_id]
    print(f"{bench_id} {bench.name} …", flush=True)
    facts, started = machine.facts(), time.monotonic()
    measurement = bench.measure(seconds or bench.seconds)
    took = round(time.monotonic() - started, 1)
    if seconds is None:
        document = report.as_document(bench_id, measurement, seconds=bench.seconds)
        file = report.keep(f"{bench_id.lower()}_{bench.name}", document | {"took_seconds": took, "taken_on": facts})
        print(f"{bench_id} took {took} s: {file.relative_to(machine.CHECKOUT)}", flush=True)
    return measurement


if __name__ == "__main__":
    main()
