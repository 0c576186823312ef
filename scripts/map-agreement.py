#!/usr/bin/env python3
"""Holds what a map expects against measurements: compares a map with a full one of the same service and axes.

    cargo run --release -- map --out partial
    cargo run --release -- map --full --out full
    scripts/map-agreement.py partial full

Of each model that the first map expects to be among the best at a point, or behind there, it says whether the second
measured the same. What the second leaves open tells nothing. Exit code 1 if fewer than 20 points can be held
against, or fewer than 95 % agree.
"""

import json
import pathlib
import sys


def points(folder):
    chart = json.loads((pathlib.Path(folder) / "summary.json").read_text())["map"]
    axes = (chart["x"], chart["y"])
    return axes, {(point["column"], point["row"]): point for point in chart["points"]}


def standing(point, entry):
    if entry in point["best"]:
        return "among the best"
    behind = [slower if isinstance(slower, str) else slower["entry"] for slower in point["slower"]]
    return "behind" if entry in behind else None


def main():
    (axes, partial), (others, full) = points(sys.argv[1]), points(sys.argv[2])
    if axes != others:
        raise SystemExit("the maps have other axes")
    held, contradicted = set(), {}
    for place, point in partial.items():
        for entry in point["concluded"]:
            expected, measured = standing(point, entry), standing(full[place], entry)
            if full[place]["known"]["how"] != "measured" or not expected or not measured:
                continue
            held.add(place)
            if expected != measured:
                contradicted.setdefault(place, []).append(f"{entry} is {measured}, expected {expected}")
    for (column, row), what in sorted(contradicted.items()):
        print(f"{axes[0]['values'][column]} x {axes[1]['values'][row]}: {'; '.join(what)}")
    agree = len(held) - len(contradicted)
    print(f"{agree} of {len(held)} expected points agree ({100 * agree / max(len(held), 1):.0f} %)")
    return 0 if len(held) >= 20 and agree >= 0.95 * len(held) else 1


if __name__ == "__main__":
    sys.exit(main())
