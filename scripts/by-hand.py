#!/usr/bin/env python3
"""Holds decisions against a check by hand: windows of ten seconds of `bench-harness load`.

For each service it lets `decide --described-only` measure, then serves the service with each option and asks by hand:

- at the described rate: an option that meets the objective there must not be excluded, and what is chosen must be
  as good as the best by hand, within the margin of a decision;
- around the capacity: 5 % below it must be sustained and 5 % above it not, with arrivals of a Poisson process and
  with even ones. The speed of a machine drifts over minutes by more than 5 %, so the capacity is searched for again,
  with the decision's own parameters, right before each check. A check that fails is made twice more, and the
  majority counts.

A rate is sustained by hand if every request is answered, 99 of 100 within the objective, and the server is done with
the window no later than it would be with each request alone, but for 2 % of the window.

Nothing else may run meanwhile. Exit code 1 if a decision and the check contradict each other.

    cargo build --release --workspace
    scripts/by-hand.py                              # the five services of scripts/by-hand, about 50 minutes
    scripts/by-hand.py my-service.toml --out check
"""

import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import tomllib

WINDOW = 10.0  # seconds
FEWEST = 60  # requests of a window
STEP = 1.05
BEHIND = 0.02  # of a window
MARGIN = 1.1  # what decides nothing
DRIFT = 1.03  # of the machine's speed between a search and a window
TRIES = 4  # of a window in which it does not drift further


def seconds(text):
    """`150ms` as seconds."""
    number, unit = re.fullmatch(r"([0-9.]+)(us|µs|ms|s|min)", text).groups()
    return float(number) * {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "min": 60}[unit]


class Service:
    def __init__(self, path):
        self.path = path
        self.file = tomllib.loads(path.read_text())
        self.name = self.file["name"]
        self.connections = self.file["load"]["connections"]
        self.rate = self.file["load"].get("rate")
        self.objective = seconds(self.file["objective"]["p99"])
        self.optimise = self.file["objective"]["optimise"]
        self.alone = max(
            seconds(c.get("wait", "0ms")) + seconds(c.get("cpu", "0ms")) for c in self.file["class"]
        )


class Server:
    """A strategy that serves the service."""

    def __init__(self, bin_dir, entry, service, classes):
        strategy, _, variant = entry.partition("/")
        command = [
            bin_dir / f"strategy-{strategy}",
            *("serve", "traffic", "--listen", "127.0.0.1:0"),
            *("--param", f"connections={service.connections}"),
            *("--param", f"classes={classes}"),
            *(("--variant", variant) if variant else ()),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        said = self.process.stdout.readline()
        self.address = re.search(r"on (127\.0\.0\.1:\d+) ", said)[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()

    def cpu(self):
        """CPU time so far, seconds."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Largest resident memory so far, bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024


class Window:
    """Ten seconds at one rate, or as long as FEWEST requests take."""

    def __init__(self, bin_dir, service, server, unit_ns, rate, arrivals):
        self.rate, length = rate, max(WINDOW, FEWEST / rate)
        before = server.cpu()
        command = [
            bin_dir / "bench-harness",
            *("load", "--service", service.path, "--target", server.address, "--quiet"),
            *("--rate", f"{rate:.6f}", "--arrivals", arrivals, "--duration", f"{round(length * 1000)}ms"),
            *("--unit-ns", str(unit_ns), "--format", "json"),
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if not done.stdout:
            raise SystemExit(f"{' '.join(map(str, command))}: exit code {done.returncode}")
        self.seen = json.loads(done.stdout)
        answered = self.seen["answered"]
        self.cpu = (server.cpu() - before) / max(answered, 1)
        latency = self.seen["latency"]
        # Of too few answers the longest has to do.
        self.p99 = (latency["p99"] or latency["max"]) / 1e9
        behind = self.seen["wall_ns"] / 1e9 - length - service.alone
        self.sustained = (
            answered == self.seen["sent"]
            and self.seen["unanswered"] == 0
            and self.p99 <= service.objective
            and behind <= max(BEHIND * length, 0.05)
        )


def search(bin_dir, entry, params):
    """The capacity that the harness's own search finds, requests a second."""
    strategy, _, variant = entry.partition("/")
    command = [
        bin_dir / f"strategy-{strategy}",
        *("run", "traffic", "--profile", "smoke", "--format", "json"),
        *(("--variant", variant) if variant else ()),
        *(word for key, value in params.items() for word in ("--param", f"{key}={value}")),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    cases = json.loads(done.stdout)["cases"]
    of_search = [case for case in cases if case["params"]["drive"] == "capacity" and "measured" in case]
    if not of_search:
        return None, None
    sample = of_search[0]["measured"]["samples"][0]
    facts, usage = sample["facts"], sample["usage"]
    cpu = (usage["user_ns"] + usage["system_ns"]) / facts["operations"] / 1e9
    return facts["capacity_micro_per_second"] / 1e6, cpu


def sustained(window, rate, arrivals, cpu):
    """Whether a rate is sustained in a window in which the machine was as fast as in the search; None without one."""
    for _ in range(TRIES):
        seen = window(rate, arrivals)
        if cpu / DRIFT <= seen.cpu <= cpu * DRIFT:
            return seen.sustained
    return None


def holds(bin_dir, service, entry, params, window, arrivals):
    """Whether a search and windows of ten seconds agree, or None, with what was seen in words."""
    found, cpu = search(bin_dir, entry, params)
    if not found:
        return False, "nothing found"
    below = sustained(window, found / STEP, arrivals, cpu)
    above = sustained(window, found * STEP, arrivals, cpu) if below else None
    if below is False:
        return False, f"{found:.2f} less is sustained"
    if above is True:
        return False, f"{found:.2f} more is sustained"
    if below is None or above is None:
        return None, f"{found:.2f} the machine's speed drifts"
    return True, f"{found:.2f} sustained"


def check(service, decision, plan, bin_dir, both):
    """The table of one service, and what contradicts the decision."""
    rows, wrong, values = [], [], {}
    cases = {case["id"]: case for case in plan["cases"]}
    described = cases["traffic/described"]["params"]
    of_search = cases.get("traffic/capacity", cases["traffic/described"])["params"]
    for option in decision["options"]:
        entry, reason, capacity = option["entry"], option.get("excluded"), option.get("capacity")
        if reason and ("preferences" in reason or "unsupported" in reason):
            continue
        row = {"option": entry, "decision": f"excluded: {reason}" if reason else option.get("verdict")}
        with Server(bin_dir, entry, service, described["classes"]) as server:

            def window(rate, arrivals):
                return Window(bin_dir, service, server, described["unit_ns"], rate, arrivals)

            if service.rate:
                seen = window(service.rate, "poisson")
                values[entry] = {"p99": seen.p99, "cpu": seen.cpu, "memory": server.memory()}.get(service.optimise)
                row["p99, decision"] = show_ms(option.get("p99_ns"))
                row["p99, by hand"] = f"{seen.p99 * 1e3:.1f} ms{'' if seen.sustained else ' (not sustained)'}"
                row["CPU, decision"] = show_ms(option.get("cpu_ns_per_request"))
                row["CPU, by hand"] = f"{seen.cpu * 1e3:.3f} ms"
                if reason and seen.sustained and ("serves" in reason or "p99" in reason):
                    wrong.append(f"{entry} is excluded and meets the objective by hand: {reason}")
            row["capacity, decision"] = f"{capacity['estimate']:.2f}" if capacity else "—"
            if of_search["drive"] == "capacity":
                for arrivals in both:
                    tries = [holds(bin_dir, service, entry, of_search, window, arrivals)]
                    if not tries[0][0]:
                        tries += [holds(bin_dir, service, entry, of_search, window, arrivals) for _ in range(2)]
                    held = [held for held, _ in tries if held is not None]
                    row[f"searched, held against 10 s, {arrivals}"] = "; ".join(words for _, words in tries)
                    print(f"{service.name}, {entry}, {arrivals}: {'; '.join(words for _, words in tries)}", file=sys.stderr)
                    if held and 2 * sum(held) <= len(held):
                        wrong.append(f"{entry}: {arrivals}: {'; '.join(words for _, words in tries)}")
        rows.append(row)
    chosen = decision.get("chosen")
    known = {entry: value for entry, value in values.items() if value}
    if chosen and known:
        best = min(known, key=known.get)
        if known[chosen] > MARGIN * known[best]:
            wrong.append(f"{chosen} is chosen; by hand {best} is {known[chosen] / known[best]:.2f} times better")
    return rows, wrong


def show_ms(figure):
    return f"{figure['estimate'] / 1e6:.3f} ms" if figure else "—"


def table(rows):
    header = list(dict.fromkeys(key for row in rows for key in row))
    lines = [header, ["---"] * len(header), *([str(row.get(key, "—")) for key in header] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Holds decisions against a check by hand.")
    parser.add_argument("services", nargs="*", type=pathlib.Path, help="profile files [default: those beside this script]")
    parser.add_argument("--bin-dir", type=pathlib.Path, default=here.parent / "target" / "release")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("results/by-hand"))
    parser.add_argument(
        "--arrivals",
        nargs="*",
        choices=["poisson", "constant"],
        default=["poisson", "constant"],
        help="of the windows around the capacity; with none, only the described rate is checked",
    )
    arguments = parser.parse_args()
    wrong = []
    for path in arguments.services or sorted((here / "by-hand").glob("*.toml")):
        service = Service(path)
        folder = arguments.out / path.stem
        begin = time.monotonic()
        if not (folder / "decision.json").exists():
            subprocess.run(
                [
                    arguments.bin_dir / "bench-harness",
                    *("decide", path, "--described-only", "--quiet"),
                    *("--bin-dir", arguments.bin_dir, "--out", folder),
                ],
                stdout=subprocess.DEVNULL,
            )
        measured = time.monotonic() - begin
        decision = json.loads((folder / "decision.json").read_text())
        print(f"\n## {service.name} ({measured:.0f} s)\n\n{decision['summary']}\n", flush=True)
        plan = json.loads((folder / "plan.json").read_text())
        rows, contradictions = check(service, decision, plan, arguments.bin_dir, arguments.arrivals)
        print(table(rows), flush=True)
        for contradiction in contradictions:
            print(f"\n- CONTRADICTION: {contradiction}", flush=True)
        wrong += contradictions
    print(f"\n{len(wrong)} contradictions")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
