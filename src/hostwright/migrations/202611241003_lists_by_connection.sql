-- Lists of one connection's servers: their totals, kept like all others, and their orders.
set local lock_timeout = '5s';

-- Customer -1 - n stands for all servers of connection n.
create or replace function servers_counted() returns trigger language plpgsql as $$
begin
    -- Only what really moved is written, in one order, so that unrelated updates do not wait for each other.
    if tg_op = 'INSERT' then
        insert into server_counts as c (customer_id, state, power, n)
        select k.id, state, power, count(*) from new_rows
        cross join lateral (values (coalesce(customer_id, 0)), (-1), (-1 - connection_id)) k (id)
        group by 1, 2, 3 order by 1, 2, 3
        on conflict (customer_id, state, power) do update set n = c.n + excluded.n;
    elsif tg_op = 'DELETE' then
        insert into server_counts as c (customer_id, state, power, n)
        select k.id, state, power, -count(*) from old_rows
        cross join lateral (values (coalesce(customer_id, 0)), (-1), (-1 - connection_id)) k (id)
        group by 1, 2, 3 order by 1, 2, 3
        on conflict (customer_id, state, power) do update set n = c.n + excluded.n;
    else
        insert into server_counts as c (customer_id, state, power, n)
        select k.id, state, power, sum(d) from (
            select connection_id, customer_id, state, power, 1 as d from new_rows
            union all
            select connection_id, customer_id, state, power, -1 from old_rows
        ) moved cross join lateral (values (coalesce(customer_id, 0)), (-1), (-1 - connection_id)) k (id)
        group by 1, 2, 3 having sum(d) <> 0 order by 1, 2, 3
        on conflict (customer_id, state, power) do update set n = c.n + excluded.n;
    end if;
    return null;
end $$;

insert into server_counts (customer_id, state, power, n)
select -1 - connection_id, state, power, count(*) from servers group by 1, 2, 3;

create index servers_connection_name on servers (connection_id, name, id);
create index servers_connection_state on servers (connection_id, state, name, id);
create index servers_connection_created on servers (connection_id, created_at, id);
