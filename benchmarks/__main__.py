"""`make bench`: every measurement, one after the other."""

from __future__ import annotations

from benchmarks import loop, reading

if __name__ == "__main__":
    loop.main()
    print()
    reading.main()
