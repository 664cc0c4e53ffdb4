"""The pytest plugin: fixtures for calls as tests, and scenario files as tests.

[tool.pytest.ini_options]
offhook_bot = "mybot.py:bot"           # what the fixtures ring; else the bundled shop
offhook_scenarios = ["scenarios"]      # folders whose .toml files are tests

async def test_an_order_is_found(offhook_call):
    async with offhook_call() as phone:
        await phone.says("Where is order ACME-12345?")
        await phone.hears("processing")
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from offhook.bot import Bot
    from offhook.testing import Phone

# Nothing of offhook is imported before it is needed, so that the plugin costs a run nothing.

SPEED = 20.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings."""
    parser.addini("offhook_bot", "the bot to ring: module:bot or file.py:bot", default="")
    parser.addini("offhook_scenarios", "folders of scenario files", type="paths", default=[])


@pytest.fixture
def offhook_bot(request: pytest.FixtureRequest) -> Bot | None:
    """The bot of the setting `offhook_bot`; override it to make one. `None` is the shop."""
    return _bot(request.config)


@pytest.fixture
def offhook_call(
    offhook_bot: Bot | None,
) -> Callable[..., AbstractAsyncContextManager[Phone]]:
    """`offhook.testing.call` for the bot under test."""
    from offhook.testing import call

    return partial(call, offhook_bot)


def pytest_collect_file(parent: pytest.Collector, file_path: Path) -> pytest.Collector | None:
    """Scenario files in the folders of `offhook_scenarios` are tests."""
    folders = parent.config.getini("offhook_scenarios")
    if file_path.suffix == ".toml" and any(folder in file_path.parents for folder in folders):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.File):
    """A scenario file."""

    def collect(self) -> Iterator[pytest.Item]:
        """Its one call."""
        yield ScenarioItem.from_parent(self, name=self.path.stem)


class WrongError(Exception):
    """What did not hold on the call of a scenario, with its story."""


class ScenarioItem(pytest.Item):
    """A scenario as a test."""

    def runtest(self) -> None:
        """Play it."""
        from offhook.rehearsal import Rehearsal
        from offhook.simulator.scenario import read
        from offhook.story import plain

        scenario = read(self.path)

        async def play() -> None:
            async with Rehearsal(bot=_bot(self.config), speed=SPEED) as stage:
                played = await stage.play(scenario)
            if not played.held:
                story = plain(played.call, scenario.caller_name or "Caller", SPEED)
                raise WrongError("\n".join([*played.untrue, story]))

        asyncio.run(play())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """The words alone where they say it all."""
        from offhook.errors import UserError
        from offhook.simulator.scenario import ScenarioError

        if isinstance(excinfo.value, WrongError | ScenarioError | UserError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo, style))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands."""
        return self.path, 0, f"call: {self.name}"


def _bot(config: pytest.Config) -> Bot | None:
    from offhook.loading import load_bot

    spec = str(config.getini("offhook_bot"))
    return load_bot(spec) if spec else None
