"""SQL of the counters of failed sign-ins."""

from __future__ import annotations

from hostwright.core.db import Command, Query, Scalar
from hostwright.identity.records import (
    FailureRow,
)

# A sign-in is counted as failed before the password is looked at, so that many at once cannot slip through; a good one
# takes its count back. The first $2 are free, then the wait doubles from one second up to $3 seconds; an hour forgives.
# No row: it has to wait.
count_attempt = Query(
    FailureRow,
    """
    insert into sign_in_failures as f (key, failures, last_at, next_at)
    values ($1, 1, clock_timestamp(), clock_timestamp())
    on conflict (key) do update set
        failures = case when f.last_at < clock_timestamp() - interval '1 hour' then 1 else f.failures + 1 end,
        last_at = clock_timestamp(),
        next_at = clock_timestamp() + case
            when f.last_at < clock_timestamp() - interval '1 hour' or f.failures + 1 < $2::int then interval '0'
            else least(power(2, least(f.failures + 1 - $2::int, 20)), $3::float8) * interval '1 second' end
    where f.next_at <= clock_timestamp()
    returning failures, greatest(0, extract(epoch from next_at - clock_timestamp()))::float8 as wait
    """,
)
attempt_wait = Scalar(
    float,
    "select greatest(0, extract(epoch from next_at - clock_timestamp()))::float8 from sign_in_failures where key = $1",
)
forget_attempts = Command("delete from sign_in_failures where key = $1")
take_attempt_back = Command(
    "update sign_in_failures set failures = greatest(failures - 1, 0), next_at = clock_timestamp() where key = $1"
)
forget_old_attempts = Command("delete from sign_in_failures where last_at < now() - interval '1 day'")
