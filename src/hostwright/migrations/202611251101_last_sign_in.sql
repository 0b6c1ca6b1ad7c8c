-- When somebody last signed in: sessions that ended are deleted, so they cannot tell.
set local lock_timeout = '5s';

alter table users add column last_sign_in_at timestamptz;

update users u set last_sign_in_at = s.latest
from (select user_id, max(created_at) as latest from sessions group by user_id) s where s.user_id = u.id;
