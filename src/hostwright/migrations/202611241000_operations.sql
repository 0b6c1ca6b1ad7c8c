-- What else can be asked of a server, and what is kept of it.
set local lock_timeout = '5s';

alter table servers
    add column suspend_reason text check (length(suspend_reason) between 1 and 500),
    add column cpu_throttle integer check (cpu_throttle between 0 and 99),
    -- When the vendor was asked for the answer that has this name: an older answer never puts an old name back.
    add column name_observed_at timestamptz;

alter table server_actions
    drop constraint server_actions_kind_check,
    add constraint server_actions_kind_check check (kind in ('boot', 'shutdown', 'restart', 'poweroff', 'reset_password',
        'rename', 'suspend', 'unsuspend', 'throttle_cpu', 'change_owner', 'install')),
    -- What the action needs to be carried out: a name, a template's number, per cent. Never a secret.
    add column detail jsonb not null default '{}';

create index server_actions_queue on server_actions (external_queue_id) where external_queue_id is not null;
