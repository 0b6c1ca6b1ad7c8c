"""The mirror's statements: each takes a whole list, and writes only rows that differ from it."""

from __future__ import annotations

from hostwright.core.db import Command, Query, Scalar
from hostwright.servers.records import ChangedRow, DueRow, MissingRow, PruneRow

# Who changes many servers in one transaction takes turns with all others who do, before anything else. The totals of
# all servers are a few rows (`server_counts`, customer -1), and two who hold one each and want the other's never end.
# Who changes one server takes no turn: it locks the server first and a total last, in one statement, and then waits for
# nothing. So whoever took a turn locks every server before it changes a total.
take_turns = Scalar(int, "select 1 from pg_advisory_xact_lock(hashtextextended('servers.many', 0))")

# --- runs
pruning = Query(
    PruneRow,
    """select calls_per_minute, enabled, prune_stopped_at, prune_count, prune_confirmed_at
    from connections where id = $1""",
)
abandon_runs = Command(
    """update mirror_runs set state = 'abandoned', finished_at = $3, error = 'The process that ran this stopped.'
    where connection_id = $1 and state = 'running' and heartbeat_at < $2"""
)
running = Scalar(int, "select id from mirror_runs where connection_id = $1 and state = 'running' limit 1")
start_run = Scalar(
    int, "insert into mirror_runs (connection_id, started_at, heartbeat_at) values ($1, $2, $2) returning id"
)
beat = Command("update mirror_runs set heartbeat_at = $2 where id = $1 and state = 'running'")
still_mine = Scalar(int, "select id from mirror_runs where id = $1 and state = 'running' for update")
finish_run = Command(
    """update mirror_runs set state = 'done', finished_at = $2, listed = $3, created = $4, changed = $5, missing = $6,
    gone = $7, calls = $8 where id = $1 and state = 'running'"""
)
fail_run = Command(
    "update mirror_runs set state = 'failed', finished_at = $2, error = $3 where id = $1 and state = 'running'"
)
forget_runs = Command("delete from mirror_runs where started_at < $1 and state <> 'running'")
listed_well = Command(
    "update connections set last_list_at = $2, last_good_at = $3, last_error = null, last_error_at = null where id = $1"
)
went_wrong = Command("update connections set last_error = $2, last_error_at = $3 where id = $1")

# --- a complete list
# $1 connection, $2 when the list was begun, then one array per column.
_LISTED = """with listed as (
    select l.*, a.customer_id
    from unnest($3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::timestamptz[])
        as l (external_id, external_uuid, owner_id, name, state, created_at)
    left join compute_accounts a on a.connection_id = $1 and a.external_user_id = l.owner_id)
    """

merge_changed = Query(
    ChangedRow,
    _LISTED
    + """, wanted as (
        select s.id, s.customer_id as old_customer_id, s.state as old_state, s.power as old_power, o.told as owner_told,
            case when greatest(s.detailed_at, s.name_observed_at) > $2 then s.name else l.name end as name,
            coalesce(l.external_uuid, s.external_uuid) as external_uuid,
            case when o.told then l.owner_id else s.external_owner_id end as owner_id,
            case when o.told then l.customer_id else s.customer_id end as customer_id,
            case when s.state = 'gone' or s.state_observed_at <= $2 then l.state else s.state end as state
        from servers s join listed l on l.external_id = s.external_id
        cross join lateral (values (l.owner_id is not null
            and (s.owner_observed_at is null or s.owner_observed_at <= $2))) o (told)
        where s.connection_id = $1 and s.kind = 'virtual'
    ), differing as (
        select w.* from wanted w join servers s on s.id = w.id
        where (s.name, s.external_uuid, s.external_owner_id, s.customer_id, s.state, s.missing_since)
            is distinct from (w.name, w.external_uuid, w.owner_id, w.customer_id, w.state, null)
    ), locked as (
        select s.id from servers s where s.id in (select id from differing) order by s.id for update
    )
    update servers s set name = w.name, external_uuid = w.external_uuid, external_owner_id = w.owner_id,
        owner_observed_at = case when w.owner_told then $2 else s.owner_observed_at end,
        customer_id = w.customer_id, state = w.state, mirrored_at = $2, missing_since = null, missing_lists = 0,
        gone_at = null,
        state_observed_at = case when s.state = w.state then s.state_observed_at else $2 end,
        detailed_at = case when s.state = w.state then s.detailed_at end
    from differing w join locked k on k.id = w.id
    where s.id = w.id
    returning s.id, s.customer_id, w.old_customer_id, s.state, w.old_state, s.power, w.old_power,
        false as acted, exists (select from server_actions a where a.server_id = s.id
            and a.kind in ('suspend', 'unsuspend', 'install')
            and (a.finished_at is null or a.finished_at > $2 - interval '2 minutes')) as ordered""",
)
merge_new = Query(
    ChangedRow,
    _LISTED
    + """insert into servers (connection_id, kind, external_id, external_uuid, external_owner_id, owner_observed_at,
        customer_id, name, state, created_at, mirrored_at, state_observed_at)
    select $1, 'virtual', external_id, external_uuid, owner_id, case when owner_id is not null then $2::timestamptz end,
        customer_id, name, state, coalesce(created_at, $2), $2, $2
    from listed l
    where not exists (select from servers s
        where s.connection_id = $1 and s.kind = 'virtual' and s.external_id = l.external_id)
    order by external_id
    on conflict (connection_id, kind, external_id) do nothing
    returning id, customer_id, null::bigint as old_customer_id, state, null::text as old_state, power,
        null::text as old_power, false as acted, false as ordered""",
)
# A row that came after the list was begun cannot be missed by it.
mark_missing = Command(
    """with missing as (
        select id from servers where connection_id = $1 and kind = 'virtual' and state <> 'gone' and mirrored_at < $2
        and not external_id = any($3::bigint[]) order by id for update
    )
    update servers s set missing_since = coalesce(s.missing_since, $2), missing_lists = s.missing_lists + 1
    from missing m where s.id = m.id"""
)
long_missing = Query(
    MissingRow,
    """select id, external_id, customer_id, missing_since from servers
    where connection_id = $1 and state <> 'gone' and missing_lists >= 2 and missing_since <= $2 order by id""",
)
standing = Scalar(int, "select count(*) from servers where connection_id = $1 and state <> 'gone'")
stop_pruning = Command(
    """update connections set prune_stopped_at = coalesce(prune_stopped_at, $2), prune_count = $3,
    prune_confirmed_at = null where id = $1"""
)
pruning_settled = Command(
    """update connections set prune_stopped_at = null, prune_count = 0, prune_confirmed_at = null
    where id = $1 and (prune_stopped_at is not null or prune_confirmed_at is not null)"""
)
mark_gone = Query(
    ChangedRow,
    """with old as (select id, state, power from servers
        where id = any($1::bigint[]) and state <> 'gone' and missing_since is not null order by id for update)
    update servers s set state = 'gone', power = 'unknown', busy = false, gone_at = $2, state_observed_at = $2
    from old where s.id = old.id
    returning s.id, s.customer_id, s.customer_id as old_customer_id, s.state, old.state as old_state, s.power,
        old.power as old_power, false as acted, false as ordered""",
)

# --- addresses: closed and opened, never deleted
release_all = Command(
    "update server_addresses set released_at = $2 where released_at is null and server_id = any($1::bigint[])"
)
hand_over = Command(
    """with closed as (
        update server_addresses a set released_at = $2 from servers s
        where a.server_id = any($1::bigint[]) and a.released_at is null and s.id = a.server_id
        and a.customer_id is distinct from s.customer_id
        returning a.server_id, a.address, a.version, a.is_primary, s.customer_id
    )
    insert into server_addresses (server_id, address, version, is_primary, customer_id, first_seen_at, last_seen_at)
    select server_id, address, version, is_primary, customer_id, $2, $2 from closed"""
)
_OBSERVED = """unnest($2::bigint[], $4::text[], $5::int[], $6::bool[]) as o (server_id, address, version, is_primary)"""
release_addresses = Command(
    """update server_addresses a set released_at = $3 where a.server_id = any($1::bigint[]) and a.released_at is null
    and not exists (select from """
    "unnest($2::bigint[], $4::text[]) as o (server_id, address)"
    " where o.server_id = a.server_id and o.address = a.address)"
)
open_addresses = Command(
    """insert into server_addresses as a
        (server_id, address, version, is_primary, customer_id, first_seen_at, last_seen_at)
    select o.server_id, o.address, o.version, o.is_primary, s.customer_id, $3, $3 from """
    + _OBSERVED
    + """ join servers s on s.id = o.server_id where s.id = any($1::bigint[])
    order by o.server_id, o.is_primary desc, o.version, o.address
    on conflict (server_id, address) where released_at is null do update
    set is_primary = excluded.is_primary, last_seen_at = excluded.last_seen_at
    where a.is_primary <> excluded.is_primary or a.last_seen_at < excluded.last_seen_at - interval '1 hour'"""
)

# --- details
# Pending ones, then those somebody looks at (each 20 s), then never read ones, then the oldest; each by its own index.
due = Query(
    DueRow,
    """with pending as (
        select s.id, s.external_id, 0 as rank, s.detailed_at from server_actions a join servers s on s.id = a.server_id
        where a.state in ('queued', 'sending', 'running') and s.connection_id = $1 and s.state <> 'gone'
        and (s.detailed_at is null or s.detailed_at < $2::timestamptz - interval '5 seconds') limit $3
    ), viewed as (
        select s.id, s.external_id, 1 as rank, s.detailed_at from servers s
        where s.connection_id = $1 and s.viewed_at > $2::timestamptz - interval '5 minutes' and s.state <> 'gone'
        and (s.detailed_at is null or s.detailed_at < $2::timestamptz - interval '18 seconds')
        order by s.viewed_at desc limit $3
    ), oldest as (
        select s.id, s.external_id, 2 as rank, s.detailed_at from servers s
        where s.connection_id = $1 and s.state <> 'gone'
        and (s.detailed_at is null or s.detailed_at < $2::timestamptz - interval '1 minute')
        order by s.detailed_at nulls first limit $3
    ), together as (
        select id, external_id, min(rank) as rank, min(detailed_at) as detailed_at
        from (table pending union all table viewed union all table oldest) found group by id, external_id
    )
    select id, external_id from together order by rank, detailed_at nulls first, id limit $3""",
)
upsert_locations = Command(
    """insert into locations as l (connection_id, external_id, name)
    select $1, o.external_id, o.name from unnest($2::text[], $3::text[]) as o (external_id, name) order by 2
    on conflict (connection_id, external_id) do update set name = excluded.name where l.name <> excluded.name"""
)
# A statement sees what was committed when it began. The rows are locked by one of their own, so that an action that
# ends while this waits has ended for the one that writes.
lock_servers = Scalar(int, "select id from servers where id = any($1::bigint[]) order by id for update")
# $1 connection, $2 server ids, $3 when each was asked for, then one array per column. A row whose details were asked
# for later is left out: the older answer says nothing about it, addresses included. What was asked for before a list,
# or before the state or the power was last observed, says nothing new about owner and name, state, or power.
merge_details = Query(
    ChangedRow,
    """with observed as (
        select o.*, l.id as location_id, a.customer_id
        from unnest($2::bigint[], $3::timestamptz[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::bool[], $10::int[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[], $15::text[], $16::text[],
            $17::text[], $18::text[], $19::text[], $20::bool[])
            as o (id, at, owner_id, name, hostname, state, power, busy, cores, memory_mib, disk_gib, traffic_limit_gb,
                operating_system, package, hypervisor, external_location, primary_ipv4, primary_ipv6, addressed)
        left join locations l on l.connection_id = $1 and l.external_id = o.external_location
        left join compute_accounts a on a.connection_id = $1 and a.external_user_id = o.owner_id
    ), old as (
        select s.id, s.customer_id, s.state, s.power, o.at >= h.listed_at as newest,
            o.at >= greatest(h.listed_at, s.owner_observed_at) and o.owner_id is not null as owner_told,
            exists (select from server_actions p where p.server_id = s.id
                and p.state in ('queued', 'sending', 'running')) as pending,
            exists (select from server_actions r where r.server_id = s.id
                and r.finished_at > o.at - interval '2 minutes') as recent,
            exists (select from server_actions r where r.server_id = s.id
                and r.kind in ('suspend', 'unsuspend', 'install')
                and (r.finished_at is null or r.finished_at > o.at - interval '2 minutes')) as ordered,
            exists (select from server_actions e where e.server_id = s.id and e.finished_at >= o.at) as ended
        from servers s join observed o on o.id = s.id join connections c on c.id = $1 cross join lateral (
            values (greatest(s.mirrored_at, case when s.missing_since is null then c.last_list_at end))
        ) h (listed_at)
        where s.state <> 'gone' and (s.detailed_at is null or s.detailed_at <= o.at) order by s.id for update of s
    )
    update servers s set name = case when old.newest and (s.name_observed_at is null or s.name_observed_at <= o.at)
            then o.name else s.name end,
        hostname = case when o.hostname is null then s.hostname else nullif(o.hostname, '') end,
        external_owner_id = case when old.owner_told then o.owner_id else s.external_owner_id end,
        owner_observed_at = case when old.owner_told then o.at else s.owner_observed_at end,
        customer_id = case when old.owner_told then o.customer_id else s.customer_id end,
        state = case when s.state_observed_at <= o.at then o.state else s.state end,
        state_observed_at = greatest(s.state_observed_at, o.at),
        power = case when o.power is not null and (s.power_observed_at is null or s.power_observed_at <= o.at)
            then o.power else s.power end,
        power_observed_at = case when o.power is null then s.power_observed_at
            else greatest(s.power_observed_at, o.at) end,
        busy = old.pending or (o.busy and not old.ended), cores = coalesce(o.cores, s.cores),
        memory_mib = coalesce(o.memory_mib, s.memory_mib), disk_gib = coalesce(o.disk_gib, s.disk_gib),
        traffic_limit_gb = coalesce(o.traffic_limit_gb, s.traffic_limit_gb),
        operating_system = coalesce(o.operating_system, s.operating_system), package = coalesce(o.package, s.package),
        hypervisor = coalesce(o.hypervisor, s.hypervisor), location_id = coalesce(o.location_id, s.location_id),
        primary_ipv4 = case when o.addressed then o.primary_ipv4 else s.primary_ipv4 end,
        primary_ipv6 = case when o.addressed then o.primary_ipv6 else s.primary_ipv6 end, detailed_at = o.at,
        missing_since = null, missing_lists = 0
    from observed o join old on old.id = o.id
    where s.id = o.id
    returning s.id, s.customer_id, old.customer_id as old_customer_id, s.state, old.state as old_state, s.power,
        old.power as old_power, (old.pending or old.recent) as acted, old.ordered""",
)
# Its place is at the end of the row again. What its details were is still what they were, only asked for in vain.
tried = Command(
    """with tried as (select id from servers where id = any($1::bigint[]) order by id for update)
    update servers s set detailed_at = greatest(s.detailed_at, $2) from tried t where s.id = t.id"""
)
