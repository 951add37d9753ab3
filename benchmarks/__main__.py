"""`make bench`: every measurement, one after the other."""

from __future__ import annotations

from benchmarks import delivery, killing, loop, page, reading

if __name__ == "__main__":
    loop.main()
    print()
    reading.main()
    print()
    delivery.main(1_000)  # `python -m benchmarks.delivery`: ten thousand, in a quarter of an hour
    print()
    killing.main()
    print()
    page.main()
