-- What staff look for: users by name, address and age, and who did what. Why an account is suspended.
set local lock_timeout = '5s';

alter table users add column disabled_reason text check (length(disabled_reason) between 1 and 500);

-- What a search looks through, made once and not for every row of every search.
alter table users add column searched text not null
    generated always as (lower(username) || ' ' || lower(email) || ' ' || lower(full_name)) stored;
create index users_search on users using gin (searched gin_trgm_ops);
-- With the plain columns beside, so that a page far behind is found without reading the rows before it.
create index users_by_username on users (lower(username), id) include (username, role, disabled_at);
create index users_by_email on users (lower(email), id) include (email, role, disabled_at);
create index users_by_name on users (lower(full_name), id) include (full_name, role, disabled_at);
create index users_by_age on users (created_at, id) include (role, disabled_at);
create index users_staff on users (id) where role = 'admin';
create index users_suspended on users (id) where disabled_at is not null;

create index audit_log_actor on audit_log (actor_id, id desc);
create index audit_log_search on audit_log using gin ((lower(actor_label) || ' ' || lower(action) || ' ' || coalesce(lower(object_label), '') || ' ' || coalesce(address, '') || ' ' || coalesce(request_id, '')) gin_trgm_ops);
