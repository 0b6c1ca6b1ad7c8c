"""What the worker process is put together from: nothing that is announced or declared is left undone."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any, cast

import hostwright
from hostwright.core.config import Config
from hostwright.core.db import Database
from hostwright.core.events import DELIVER, DISPATCH
from hostwright.core.jobs import Job, WorkPart
from hostwright.core.work import Worker
from hostwright.core.work.housekeeping import CLEAN
from hostwright.worker import work_parts

OF_THE_MACHINERY = {DELIVER.name, DISPATCH.name, CLEAN.name}


def parts() -> list[WorkPart]:
    return work_parts(Config(), cast("Any", None))


def declared() -> Iterator[tuple[str, Job[Any]]]:
    for module in pkgutil.walk_packages(hostwright.__path__, "hostwright."):
        if module.name.endswith("__main__"):
            continue
        for value in vars(import_module(module.name)).values():
            if isinstance(value, Job):
                yield module.name, cast("Job[Any]", value)


async def test_all_parts_fit_together(database: Database) -> None:
    Worker(database, parts())


def test_every_declared_job_is_done_by_somebody() -> None:
    done = {binding.job.name for part in parts() for binding in part.bindings} | OF_THE_MACHINERY
    assert [f"{job.name} in {module}" for module, job in declared() if job.name not in done] == []


def test_names_say_the_feature_first() -> None:
    for module, job in declared():
        feature = job.name.partition(".")[0]
        assert feature in {"events", "work"} or f"hostwright.{feature}" in module or "jobs" in module, job.name


def test_payloads_have_no_room_for_secrets() -> None:
    for _, job in declared():
        for field in job.payload.__struct_fields__:
            assert not any(word in field for word in ("password", "token", "secret", "key")), f"{job.name}.{field}"
