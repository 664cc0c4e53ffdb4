"""`offhook test`: scenario files as a test suite, with a report that CI systems read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree as ET

from msgspec import Struct
from rich.console import Console
from rich.markup import escape

from offhook.errors import UserError
from offhook.rehearsal import Stage
from offhook.simulator.scenario import Scenario, ScenarioError, read
from offhook.story import plain


class Result(Struct, frozen=True):
    """One file: what was wrong with it, or what came of its call. `seconds` are real ones."""

    path: Path
    name: str
    seconds: float = 0.0
    error: str = ""
    untrue: tuple[str, ...] = ()
    skipped: str = ""
    unchecked: tuple[str, ...] = ()
    story: str = ""

    @property
    def passed(self) -> bool:
        """Whether it was played and everything held that was checked."""
        return not self.error and not self.untrue and not self.skipped

    @property
    def failed(self) -> bool:
        """Whether something did not hold, or kept it from being played."""
        return bool(self.error or self.untrue)


def files(places: Sequence[Path]) -> list[Path]:
    """All scenario files in these folders, and these files. Raises `UserError` for none."""
    found: list[Path] = []
    for place in places:
        if not place.exists():
            raise UserError(f"There is no {place}.")
        found += sorted(place.rglob("*.toml")) if place.is_dir() else [place]
    if not found:
        raise UserError(f"There is no .toml file in {', '.join(map(str, places))}.")
    return found


async def run(paths: Sequence[Path], stage: Stage, out: Console, junit: Path | None = None) -> int:
    """Play every file, some at a time. Returns 0 if everything held, else 1.

    A run in which every file was skipped has shown nothing, so it counts as failed.
    """
    few = asyncio.Semaphore(stage.at_once)

    async def one(path: Path) -> Result:
        async with few:
            result = await _play(path, stage)
        _tell(result, out)
        return result

    async with stage:
        results = await asyncio.gather(*map(one, paths))
    passed, failed = sum(r.passed for r in results), sum(r.failed for r in results)
    skipped = len(results) - passed - failed
    out.print(
        f"[bold]{passed} passed, {failed} failed" + (f", {skipped} skipped" * bool(skipped)) + "[/]"
    )
    if junit is not None:
        report(results).write(junit, encoding="utf-8", xml_declaration=True)
    return 1 if failed or not passed else 0


def readable(paths: Sequence[Path]) -> list[Scenario]:
    """The scenarios in those of the files that can be read; `run` tells of the others."""
    found = []
    for path in paths:
        with suppress(ScenarioError):
            found.append(read(path))
    return found


async def _play(path: Path, stage: Stage) -> Result:
    try:
        scenario = read(path)
    except ScenarioError as error:
        return Result(path, path.stem, error=str(error))
    began = time.monotonic()
    played = await stage.play(scenario)
    return Result(
        path,
        scenario.name,
        time.monotonic() - began,
        error=played.error,
        untrue=tuple(played.untrue),
        skipped=played.skipped,
        unchecked=played.unchecked,
        story=plain(played.call, scenario.caller_name or "Caller", stage.speed),
    )


def _tell(result: Result, out: Console) -> None:
    name = escape(result.name)
    if result.skipped:
        out.print(f"[yellow]skipped[/] {name} [dim]{escape(result.skipped)}[/]", soft_wrap=True)
        return
    if result.passed:
        out.print(f"[green]passed[/] {name} [dim]{result.seconds:.1f} s[/]")
        _tell_unchecked(result, out)
        return
    out.print(f"[bold red]FAILED[/] {name} [dim]({escape(str(result.path))})[/]", soft_wrap=True)
    for line in (result.error, *result.untrue):
        if line:
            out.print(f"  {escape(line)}", soft_wrap=True)
    _tell_unchecked(result, out)
    if result.story:
        out.print(f"[dim]{escape(result.story)}[/]", soft_wrap=True)


def _tell_unchecked(result: Result, out: Console) -> None:
    if result.unchecked:
        out.print(f"  [dim]not checked: {escape('; '.join(result.unchecked))}[/]", soft_wrap=True)


def report(results: Iterable[Result]) -> ET.ElementTree[ET.Element]:
    """The results in the form of JUnit, as CI systems read it."""
    done = list(results)
    counts = {
        "tests": str(len(done)),
        "failures": str(sum(bool(r.untrue) for r in done)),
        "errors": str(sum(bool(r.error) for r in done)),
        "skipped": str(sum(bool(r.skipped) for r in done)),
        "time": f"{sum(r.seconds for r in done):.3f}",
    }
    root = ET.Element("testsuites", counts)
    suite = ET.SubElement(root, "testsuite", {"name": "offhook", **counts})
    for result in done:
        case = ET.SubElement(
            suite,
            "testcase",
            {
                "classname": ".".join(result.path.with_suffix("").parts[:-1]) or "scenarios",
                "name": result.name,
                "file": str(result.path),
                "time": f"{result.seconds:.3f}",
            },
        )
        if result.error:
            ET.SubElement(case, "error", {"message": result.error})
        elif result.untrue:
            failure = ET.SubElement(case, "failure", {"message": "; ".join(result.untrue)})
            failure.text = "\n".join(result.untrue)
        elif result.skipped:
            ET.SubElement(case, "skipped", {"message": result.skipped})
        told = [result.story, *(f"not checked: {what}" for what in result.unchecked)]
        if any(told):
            ET.SubElement(case, "system-out").text = _printable("\n".join(filter(None, told)))
    ET.indent(root)
    return ET.ElementTree(root)


def _printable(text: str) -> str:
    """Without the control characters that XML 1.0 cannot hold."""
    return "".join(c for c in text if c in "\n\t" or ord(c) >= 0x20)
