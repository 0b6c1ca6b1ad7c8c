-- Totals over all customers without adding up every customer's, and what the mirror needs to survive a kill and to ask staff.
set local lock_timeout = '5s';

-- customer_id -1 stands for all servers, 0 for those without a customer.
create or replace function servers_counted() returns trigger language plpgsql as $$
begin
    -- Only what really moved is written, in one order, so that unrelated updates do not wait for each other.
    if tg_op = 'INSERT' then
        insert into server_counts as c (customer_id, state, power, n)
        select k.id, state, power, count(*) from new_rows cross join lateral (values (coalesce(customer_id, 0)), (-1)) k (id)
        group by 1, 2, 3 order by 1, 2, 3
        on conflict (customer_id, state, power) do update set n = c.n + excluded.n;
    elsif tg_op = 'DELETE' then
        insert into server_counts as c (customer_id, state, power, n)
        select k.id, state, power, -count(*) from old_rows cross join lateral (values (coalesce(customer_id, 0)), (-1)) k (id)
        group by 1, 2, 3 order by 1, 2, 3
        on conflict (customer_id, state, power) do update set n = c.n + excluded.n;
    else
        insert into server_counts as c (customer_id, state, power, n)
        select k.id, state, power, sum(d) from (
            select customer_id, state, power, 1 as d from new_rows
            union all
            select customer_id, state, power, -1 from old_rows
        ) moved cross join lateral (values (coalesce(customer_id, 0)), (-1)) k (id)
        group by 1, 2, 3 having sum(d) <> 0 order by 1, 2, 3
        on conflict (customer_id, state, power) do update set n = c.n + excluded.n;
    end if;
    return null;
end $$;
insert into server_counts (customer_id, state, power, n)
select -1, state, power, sum(n) from server_counts group by state, power;

create index servers_customer_state on servers (customer_id, state, name, id);

alter table mirror_runs add column heartbeat_at timestamptz not null default now();

-- How many servers the mirror was about to take for gone when it stopped, and when staff agreed to that many.
alter table connections
    add column prune_count integer not null default 0,
    add column prune_confirmed_at timestamptz;
